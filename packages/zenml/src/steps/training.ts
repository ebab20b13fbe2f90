import { ZenmlError } from '../base/errors.ts'
import { Sum } from '../base/sum.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import type { MatrixBlocks } from './matrix-blocks.ts'
import type { Predictor } from './predictor.ts'
import { noTokens } from './token-spans.ts'
import { onlyLabel } from './transform.ts'

/** The classes of the label; null where it is a number. Throws `ZEN_TRAIN_CLASSES` where there are no two to tell, `ZEN_TRANSFORM_LABELS` where there are several labels, `ZEN_TRAIN_TOKENS` where there are tokens. */
export function classesOf(transform: TransformGraphData): readonly string[] | null {
  noTokens(transform)
  const label = onlyLabel(transform)
  if (label.transform.kind !== 'class') return null
  const { classes } = label.transform
  if (classes.length >= 2) return classes
  throw new ZenmlError(
    'ZEN_TRAIN_CLASSES',
    `The label "${label.name}" has ${classes.length === 0 ? 'no class' : `only the class ${JSON.stringify(classes[0])}`} in the transform.`,
    { next: 'Fit the transform on rows of at least two classes.', exitCode: 1 },
  )
}

/** Mean cross-entropy (probabilities not below 1e-7) or mean squared error of a row. */
export async function lossOf(predictor: Predictor, data: MatrixBlocks, signal: AbortSignal): Promise<number> {
  const sum = new Sum()
  let count = 0
  const { outputs } = predictor
  for await (const block of data.read(signal)) {
    const said = predictor.predict(block)
    for (let row = 0; row < block.rows; row++) {
      const label = block.labels[row]!
      sum.add(
        predictor.classes === null
          ? (said[row]! - label) ** 2
          : -Math.log(Math.max(1e-7, said[row * outputs + label]!)),
      )
    }
    count += block.rows
  }
  return sum.value() / count
}
