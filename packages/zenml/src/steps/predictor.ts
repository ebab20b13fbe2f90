import { ZenmlError } from '../base/errors.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import type { LoadedModel } from '../formats/types.ts'
import { linearFormat, loadLinear } from './linear-model.ts'
import type { Matrix } from './matrix-blocks.ts'
import { onlyLabel, transformDigest, transformWidth } from './transform.ts'
import { loadTrees, treesFormat } from './trees-model.ts'

/** A trained model, ready to be asked. */
export interface Predictor {
  /** Numbers that it takes a row. */
  readonly width: number
  /** Numbers that it gives a row: one, or a probability a class. */
  readonly outputs: number
  /** Classes in the order of the outputs; null for a number. */
  readonly classes: readonly string[] | null
  /** Digest of the transform that it was trained with (`transformDigest`), where that is known. */
  readonly transform?: string | undefined
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
  const transform = trainedWith(model)
  if (model.format === linearFormat) return { ...(await loadLinear(model)), transform }
  if (model.format === treesFormat) return { ...(await loadTrees(model)), transform }
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
 * The transform that a model says it was trained with; undefined for a model from before models said so.
 *
 * @example
 * const digest = ({ metadata }: LoadedModel): string | undefined => trainedWith({ metadata })
 */
export function trainedWith({ metadata }: Pick<LoadedModel, 'metadata'>): string | undefined {
  const { transform } = metadata
  return typeof transform === 'string' ? transform : undefined
}

/**
 * Refuses a model that was trained with another transform: its numbers would mean nothing. Throws `ZEN_EVALUATE_MODEL`.
 *
 * @example
 * const check = (predictor: Predictor, transform: TransformGraphData): void => checkPredictor(predictor, transform)
 */
export function checkPredictor(predictor: Predictor, transform: TransformGraphData): void {
  const { width, outputs, classes: known, transform: fitted } = predictor

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
          : fitted !== undefined && fitted !== transformDigest(transform)
            ? 'that gives as many numbers, but was fitted on other rows or in another way'
            : undefined
  if (problem === undefined) return
  throw new ZenmlError('ZEN_EVALUATE_MODEL', `The model was trained with another transform: ${problem}.`, {
    next: 'Give the transform that the model was trained with.',
    exitCode: 1,
  })
}
