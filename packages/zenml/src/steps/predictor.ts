import { ZenmlError } from '../base/errors.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import type { LoadedModel } from '../formats/types.ts'
import { linearFormat, loadLinear } from './linear-model.ts'
import type { Matrix } from './matrix-blocks.ts'
import { onlyLabel, transformWidth } from './transform.ts'
import { loadTrees, treesFormat } from './trees-model.ts'

/** A trained model, ready to be asked. */
export interface Predictor {
  /** Numbers that it takes a row. */
  readonly width: number
  /** Numbers that it gives a row: one, or a probability a class. */
  readonly outputs: number
  /** Classes in the order of the outputs; null for a number. */
  readonly classes: readonly string[] | null
  /** What it says of rows, row after row, `rows * outputs`: the same for a row whichever rows it comes with. */
  predict(rows: Pick<Matrix, 'rows' | 'width' | 'features'>): Float32Array
}

/** Makes a predictor of a model artifact. */
export type PredictorLoader = (model: LoadedModel) => Predictor | Promise<Predictor>

/**
 * Makes a predictor of a model of `trainLinear` or `trainTrees`. Throws `ZEN_MODEL_FORMAT` for another one.
 *
 * @example
 * const predictor = async (model: LoadedModel): Promise<Predictor> => loadPredictor(model)
 */
export async function loadPredictor(model: LoadedModel): Promise<Predictor> {
  if (model.format === linearFormat) return await loadLinear(model)
  if (model.format === treesFormat) return await loadTrees(model)
  throw new ZenmlError(
    'ZEN_MODEL_FORMAT',
    `The model is ${model.format}; known here are ${linearFormat} and ${treesFormat}.`,
    {
      facts: { format: model.format },
      next: 'Take the step of the package that trained it, such as "@zenml/tensorflow#evaluate".',
      exitCode: 1,
    },
  )
}

/**
 * Refuses a model that was trained with another transform: its numbers would mean nothing. Throws `ZEN_EVALUATE_MODEL`.
 *
 * @example
 * const check = (predictor: Predictor, transform: TransformGraphData): void => checkPredictor(predictor, transform)
 */
export function checkPredictor({ width, outputs, classes: known }: Predictor, transform: TransformGraphData): void {
  const label = onlyLabel(transform).transform
  const classes = label.kind === 'class' ? label.classes : null
  const given = transformWidth(transform)
  const problem =
    width !== given
      ? `it takes ${width} numbers a row, but the transform gives ${given}`
      : outputs !== (classes?.length ?? 1)
        ? `it gives ${outputs} numbers a row, but the transform's label "${transform.label.name}" has ${classes?.length ?? 1}`
        : classes !== null && known !== null && known.join('\0') !== classes.join('\0')
          ? `its classes are ${known.join(', ')}, those of the transform ${classes.join(', ')}`
          : undefined
  if (problem === undefined) return
  throw new ZenmlError('ZEN_EVALUATE_MODEL', `The model was trained with another transform: ${problem}.`, {
    next: 'Give the transform that the model was trained with.',
    exitCode: 1,
  })
}
