import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { StepContext } from '../define/step.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import type { EvaluationData, Report } from '../formats/evaluation.ts'
import type { ExamplesReader } from '../formats/examples.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import { classificationReport, regressionReport } from './evaluate-metrics.ts'
import { rankingReport } from './evaluate-ranking.ts'
import { checkPredictor, type Predictor } from './predictor.ts'
import { applyTransform, rowsAtOnce, transformInputs } from './transform.ts'
import { wordAt } from './values.ts'

/** What is evaluated, and on what. */
export interface EvaluatedSplit {
  readonly examples: ExamplesReader
  readonly transform: TransformGraphData
  readonly predictor: Predictor
  readonly split: string
  /** Features whose values are each reported by themselves. */
  readonly slices: readonly string[]
  /** As in `EvaluateParameters`; missing ones have its defaults. */
  readonly positive?: string | null
  readonly thresholds?: readonly number[]
  readonly ranking?: { readonly query: string; readonly at: readonly number[] } | null
}

/**
 * Evaluates a predictor on a split, overall and by slice, and records the headline as metrics: what the `evaluate` steps of all packages do.
 *
 * Throws `ZEN_EVALUATE_SPLIT` and `ZEN_EVALUATE_SLICE` for names that are not there, and the first also for a split without a row to evaluate;
 * `ZEN_EVALUATE_MODEL` for a model of another transform.
 *
 * @example
 * const report = async (split: EvaluatedSplit, context: StepContext): Promise<number> =>
 *   (await evaluateSplit(split, context)).overall.rows
 */
export async function evaluateSplit(
  { examples, transform, predictor, split, slices, positive = null, thresholds, ranking = null }: EvaluatedSplit,
  context: Pick<StepContext, 'signal' | 'progress' | 'metric'>,
): Promise<EvaluationData> {
  if (!examples.splits.includes(split))
    throw new ZenmlError(
      'ZEN_EVALUATE_SPLIT',
      `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
      { next: 'Name one with the parameter "split".', exitCode: 1 },
    )
  for (const slice of [...slices, ...(ranking === null ? [] : [ranking.query])]) {
    if (examples.features.has(slice)) continue
    const known = [...examples.features.keys()]
    throw new ZenmlError(
      'ZEN_EVALUATE_SLICE',
      `The slice feature "${slice}" is not there; the examples have ${known.join(', ')}.${didYouMean(slice, known)}`,
      { exitCode: 1 },
    )
  }
  checkPredictor(predictor, transform)
  const label = transform.label.transform
  const target = targetOf(transform, positive, ranking !== null)
  const { outputs } = predictor
  const most = examples.rows(split)
  const labels = new Float32Array(most)
  const predictions = new Float32Array(most * outputs)
  const sliced = slices.map((feature) => new Slices(feature, most))
  const queries = ranking === null ? undefined : new Slices(ranking.query, most)
  let rows = 0
  const needed = [
    transform.label.name,
    ...transformInputs(transform),
    ...slices,
    ...(ranking === null ? [] : [ranking.query]),
  ]
  const columns = [...new Set(needed)].filter((name) => examples.features.has(name))
  for await (const batch of examples.read(split, {
    columns,
    batchSize: rowsAtOnce(transform),
    signal: context.signal,
  })) {
    const part = applyTransform(transform, batch)
    labels.set(part.labels, rows)
    predictions.set(predictor.predict({ ...part, rows: part.rows.length }), rows * outputs)
    for (const slice of queries === undefined ? sliced : [...sliced, queries]) slice.add(batch, part.rows, rows)
    rows += part.rows.length
    context.progress(rows, most, 'rows')
  }
  // Of nothing every error would be 0, which lets a model through any gate.
  if (rows === 0)
    throw new ZenmlError('ZEN_EVALUATE_SPLIT', `No row of split "${split}" has the label "${transform.label.name}".`, {
      next: 'Evaluate on a split with labels; look also for features whose "missing" is drop.',
      exitCode: 1,
    })
  const told = { ...(positive === null ? {} : { positive }), ...(thresholds === undefined ? {} : { thresholds }) }
  const report = (own: Float32Array, given: Float32Array): Report =>
    label.kind === 'class' ? classificationReport(own, given, label.classes, told) : regressionReport(own, given)
  const overall = report(labels.subarray(0, rows), predictions.subarray(0, rows * outputs))
  const sliceReports = sliced.flatMap((slice) =>
    slice.rowsByValue(rows).map(({ value, rows: some }) => {
      const own = Float32Array.from(some, (row) => labels[row]!)
      const given = new Float32Array(some.length * outputs)
      for (const [index, row] of some.entries())
        given.set(predictions.subarray(row * outputs, (row + 1) * outputs), index * outputs)
      return { feature: slice.feature, value, report: report(own, given) }
    }),
  )
  const ranked =
    queries === undefined
      ? undefined
      : rankingReport(
          queries.rowsByValue(rows).map(({ rows: some }) => ({
            relevances: Array.from(some, (row) =>
              label.kind === 'number' ? labels[row]! : Number(labels[row] === target),
            ),
            scores: Array.from(some, (row) => predictions[row * outputs + target]!),
          })),
          ranking!.query,
          ranking!.at,
        )
  for (const [name, value] of Object.entries({ ...headline(overall), ...ranked?.metrics }))
    if (value !== null) context.metric(name, value)
  return { version: 1, split, overall, slices: sliceReports, ...(ranked === undefined ? {} : { ranking: ranked }) }
}

/** Index of the output that rows are ordered by; throws `ZEN_EVALUATE_CLASS` for a class that is not there, and where none is plain. */
function targetOf(
  { label: { name, transform } }: TransformGraphData,
  positive: string | null,
  isRanked: boolean,
): number {
  if (transform.kind === 'number') {
    if (positive === null) return 0
    throw wrongClass(`The label "${name}" is a number, so that "positive" names no class of it.`)
  }
  const { classes } = transform
  if (positive === null) {
    if (isRanked && classes.length !== 2)
      throw wrongClass(`Rows can be ordered by the probability of any of the ${classes.length} classes of "${name}".`)
    return 1
  }
  const index = classes.indexOf(positive)
  if (index !== -1) return index
  throw wrongClass(
    `"${positive}" is no class of "${name}"; it has ${classes.join(', ')}.${didYouMean(positive, classes)}`,
  )
}

function wrongClass(message: string): ZenmlError {
  return new ZenmlError('ZEN_EVALUATE_CLASS', message, { next: 'Name a class with "positive".', exitCode: 1 })
}

/** Which rows have which value of a feature: 4 bytes a row. */
class Slices {
  readonly feature: string
  private readonly codes: Uint32Array
  private readonly values = new Map<string, number>()

  constructor(feature: string, most: number) {
    this.feature = feature
    this.codes = new Uint32Array(most)
  }

  /** Adds the rows of a batch; `at` is the number of the first among all. */
  add(batch: ExampleBatch, rows: Uint32Array, at: number): void {
    const column = batch.columns.get(this.feature)
    for (let index = 0; index < rows.length; index++) {
      const value = wordAt(column, rows[index]!) ?? '(missing)'
      let code = this.values.get(value)
      if (code === undefined) {
        code = this.values.size
        this.values.set(value, code)
      }
      this.codes[at + index] = code
    }
  }

  /** In the order of the values' UTF-8 bytes. */
  rowsByValue(rows: number): { value: string; rows: Uint32Array }[] {
    const counts = new Uint32Array(this.values.size)
    for (let row = 0; row < rows; row++) counts[this.codes[row]!]!++
    const lists = Array.from(counts, (count) => new Uint32Array(count))
    counts.fill(0)
    for (let row = 0; row < rows; row++) {
      const code = this.codes[row]!
      lists[code]![counts[code]!++] = row
    }
    return [...this.values]
      .map(([value, code]) => ({ value, rows: lists[code]! }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)))
  }
}

function headline(report: Report): { [name: string]: number | null } {
  if (report.kind === 'regression') return { rows: report.rows, mae: report.mae, rmse: report.rmse, r2: report.r2 }
  return {
    rows: report.rows,
    accuracy: report.accuracy,
    logLoss: report.logLoss,
    rocAuc: report.rocAuc,
    calibrationError: report.calibrationError,
  }
}
