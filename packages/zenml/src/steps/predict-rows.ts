import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { StepContext } from '../define/step.ts'
import type { BytesColumn, Column, ExampleBatch, FloatColumn } from '../formats/batch.ts'
import { createExamplesWriter, type ExamplesReader } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import { checkPredictor, type Predictor } from './predictor.ts'
import { applyTransform, rowsAtOnce, transformInputs } from './transform.ts'

/** What is predicted, and of what. */
export interface PredictedRows {
  readonly examples: ExamplesReader
  readonly transform: TransformGraphData
  readonly predictor: Predictor
  /** Splits to predict; null: all. */
  readonly splits: readonly string[] | null
  /** Features that are kept beside the prediction; null: all. */
  readonly keep: readonly string[] | null
  /** Name of the new feature. */
  readonly name: string
}

/**
 * Predicts every row, with or without a label (but those that the transform leaves out), and writes the rows with their prediction to a directory: what the `predict` steps of all packages do.
 * The feature `NAME` is the class or the number, `NAME.probabilities` a probability for each class in the order of the transform.
 *
 * Throws `ZEN_PREDICT_SPLIT` and `ZEN_PREDICT_FEATURE` for names that are not there or taken, `ZEN_EVALUATE_MODEL` for a model of another transform,
 * `ZEN_PREDICT_NUMBERS` where the model gives no finite number.
 *
 * @example
 * const write = (rows: PredictedRows, directory: string, context: StepContext): Promise<void> => predictRows(rows, directory, context)
 */
export async function predictRows(
  { examples, transform, predictor, splits, keep, name }: PredictedRows,
  directory: string,
  context: Pick<StepContext, 'signal' | 'progress' | 'describe'>,
): Promise<void> {
  checkPredictor(predictor, transform)
  const chosen = splits ?? examples.splits
  for (const split of chosen) if (!examples.splits.includes(split)) throw missing('SPLIT', split, examples.splits)
  const known = [...examples.features.keys()]
  for (const feature of keep ?? []) if (!known.includes(feature)) throw missing('FEATURE', feature, known)
  const kept = keep ?? known
  for (const taken of [name, `${name}.probabilities`]) {
    if (kept.includes(taken))
      throw new ZenmlError('ZEN_PREDICT_FEATURE', `The examples have a feature "${taken}" already.`, {
        next: 'Give the prediction another name, or do not keep that feature.',
        exitCode: 1,
      })
  }
  const batchSize = rowsAtOnce(transform)
  const needed = [...new Set([...kept, ...transformInputs(transform)])].filter((feature) =>
    examples.features.has(feature),
  )
  // One row may lack a feature; that all do is more often another name.
  const absent = transformInputs(transform).filter((feature) => !examples.features.has(feature))
  if (absent.length > 0) console.warn(`filled in every row, as the examples do not have them: ${absent.join(', ')}`)
  const total = chosen.reduce((sum, split) => sum + examples.rows(split), 0)
  const writer = await createExamplesWriter(directory)
  const counts: { [split: string]: number } = {}
  let done = 0
  try {
    for (const split of chosen) {
      await writer.declare(split)
      counts[split] = 0
      for await (const batch of examples.read(split, { columns: needed, batchSize, signal: context.signal })) {
        const part = applyTransform(transform, batch, { labels: false })
        const said = predictor.predict({ ...part, rows: part.rows.length })
        if (!said.every(Number.isFinite)) throw notFinite(split)
        // A transform may leave out rows that lack a feature (`missing: drop`).
        const rows = part.rows.length === batch.length ? batch : selectRows(batch, part.rows)
        await writer.write(split, withPrediction(rows, kept, predictor, said, name))
        counts[split]! += part.rows.length
        done += batch.length
        context.progress(done, total, 'rows')
      }
    }
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
  context.describe('examples', { splits: counts })
}

function withPrediction(
  batch: ExampleBatch,
  kept: readonly string[],
  { classes, outputs }: Predictor,
  said: Float32Array,
  name: string,
): ExampleBatch {
  const columns = new Map<string, Column>([...batch.columns].filter(([feature]) => kept.includes(feature)))
  if (classes === null) columns.set(name, { kind: 'float', values: said } satisfies FloatColumn)
  else {
    columns.set(name, likeliest(said, classes))
    columns.set(`${name}.probabilities`, {
      kind: 'float',
      values: said,
      offsets: Uint32Array.from({ length: batch.length + 1 }, (_, row) => row * outputs),
    } satisfies FloatColumn)
  }
  const sorted = [...columns].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return { length: batch.length, columns: new Map(sorted) }
}

/** Index of the first of the classes with the highest probability in a row. */
export function likeliestOf(said: Float32Array, row: number, classes: number): number {
  let best = 0
  for (let index = 1; index < classes; index++)
    if (said[row * classes + index]! > said[row * classes + best]!) best = index
  return best
}

function likeliest(said: Float32Array, classes: readonly string[]): BytesColumn {
  const names = classes.map((one) => Buffer.from(one))
  const rows = said.length / classes.length
  const parts: Buffer[] = []
  const ends = new Uint32Array(rows)
  let end = 0
  for (let row = 0; row < rows; row++) {
    const best = likeliestOf(said, row, classes.length)
    parts.push(names[best]!)
    end += names[best]!.length
    ends[row] = end
  }
  return { kind: 'bytes', data: Buffer.concat(parts), ends }
}

/** Of NaN the first class would be the likeliest. */
function notFinite(split: string): ZenmlError {
  return new ZenmlError('ZEN_PREDICT_NUMBERS', `The model gives no finite number for a row of split "${split}".`, {
    facts: { split },
    next: 'Look for extreme values in its features; bucketize or scale_to_0_1 bound them.',
    exitCode: 1,
  })
}

function missing(what: 'SPLIT' | 'FEATURE', name: string, known: readonly string[]): ZenmlError {
  return new ZenmlError(
    `ZEN_PREDICT_${what}`,
    `There is no ${what.toLowerCase()} "${name}"; the examples have ${known.join(', ')}.${didYouMean(name, known)}`,
    { exitCode: 1 },
  )
}
