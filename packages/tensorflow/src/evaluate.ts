import { type Step, step, ZenmlError } from 'zenml'
import {
  Evaluation,
  type EvaluationData,
  type ExampleBatch,
  Examples,
  type LoadedModel,
  Model,
  type Report,
  TransformGraph,
  type TransformGraphData,
} from 'zenml/formats'
import {
  applyTransform,
  classificationReport,
  onlyLabel,
  regressionReport,
  transformInputs,
  transformWidth,
  wordAt,
} from 'zenml/steps'
import * as z from 'zod'
import { canary } from './canary.ts'
import { loadNetwork, modelFormat } from './network.ts'
import { loadTensorFlow } from './tfjs.ts'
import { predictRows } from './train.ts'

/** Parameters of `evaluate`. */
export interface EvaluateParameters {
  /** Features whose values are each reported by themselves. Default none. */
  slices: string[]
  /** Default eval. */
  split: string
}

const parameters: z.ZodType<EvaluateParameters, { slices?: string[] | undefined; split?: string | undefined }> =
  z.strictObject({
    slices: z.array(z.string()).default([]),
    split: z.string().default('eval'),
  })

type Inputs = {
  readonly examples: typeof Examples
  readonly transform: typeof TransformGraph
  readonly model: typeof Model
}

/**
 * Evaluates a network on a split, overall and by slice.
 *
 * Throws `ZEN_EVALUATE_SPLIT` and `ZEN_EVALUATE_SLICE` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of another format
 * or another transform.
 *
 * @example
 * const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island'] })
 */
export const evaluate: Step<Inputs, { readonly evaluation: typeof Evaluation }, typeof parameters> = step({
  name: 'evaluate',
  description: 'Evaluates a network, overall and by slice.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { evaluation: Evaluation },
  parameters,
  canary,
  run: async ({ inputs: { examples, transform, model: artifact }, parameters: { slices, split }, context }) => {
    if (artifact.format !== modelFormat)
      throw new ZenmlError('ZEN_EVALUATE_MODEL', `The model is ${artifact.format}, not ${modelFormat}.`, {
        exitCode: 1,
      })
    if (!examples.splits.includes(split))
      throw new ZenmlError(
        'ZEN_EVALUATE_SPLIT',
        `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
        { next: 'Name one with the parameter "split".', exitCode: 1 },
      )
    for (const slice of slices) {
      if (!examples.features.has(slice))
        throw new ZenmlError(
          'ZEN_EVALUATE_SLICE',
          `The slice feature "${slice}" is not there; the examples have ${[...examples.features.keys()].join(', ')}.`,
          { exitCode: 1 },
        )
    }
    const tensorflow = await loadTensorFlow()
    const model = await loadNetwork(tensorflow, artifact)
    const label = onlyLabel(transform).transform
    const outputs = label.kind === 'class' ? label.classes.length : 1
    checkFit(model, artifact, transform)
    const most = examples.rows(split)
    const labels = new Float32Array(most)
    const predictions = new Float32Array(most * outputs)
    const sliced = slices.map((feature) => new Slices(feature, most))
    let rows = 0
    const needed = [transform.label.name, ...transformInputs(transform), ...slices]
    const columns = [...new Set(needed)].filter((name) => examples.features.has(name))
    for await (const batch of examples.read(split, { columns, signal: context.signal })) {
      const part = applyTransform(transform, batch)
      const said = predictRows(tensorflow, model, { ...part, rows: part.rows.length }, outputs)
      labels.set(part.labels, rows)
      predictions.set(said, rows * outputs)
      for (const slice of sliced) slice.add(batch, part.rows, rows)
      rows += part.rows.length
      context.progress(rows, most, 'rows')
    }
    const report = (own: Float32Array, given: Float32Array): Report =>
      label.kind === 'class' ? classificationReport(own, given, label.classes) : regressionReport(own, given)
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
    const evaluation: EvaluationData = {
      version: 1,
      split,
      overall,
      slices: sliceReports,
    }
    for (const [name, value] of Object.entries(headline(overall))) if (value !== null) context.metric(name, value)
    return { evaluation }
  },
})

/** A model that was trained with another transform would give numbers that mean nothing. */
function checkFit(
  model: { readonly inputs: readonly Shaped[]; readonly outputs: readonly Shaped[] },
  { metadata }: LoadedModel,
  transform: TransformGraphData,
): void {
  const label = transform.label.transform
  const classes = label.kind === 'class' ? label.classes : null
  const width = transformWidth(transform)
  const takes = model.inputs[0]?.shape.at(-1)
  const gives = model.outputs[0]?.shape.at(-1)
  const known = metadata['classes']
  const problem =
    takes !== width
      ? `it takes ${takes} numbers a row, but the transform gives ${width}`
      : gives !== (classes?.length ?? 1)
        ? `it gives ${gives} numbers a row, but the transform's label "${transform.label.name}" has ${classes?.length ?? 1}`
        : classes !== null && Array.isArray(known) && known.join('\0') !== classes.join('\0')
          ? `its classes are ${known.join(', ')}, those of the transform ${classes.join(', ')}`
          : undefined
  if (problem === undefined) return
  throw new ZenmlError('ZEN_EVALUATE_MODEL', `The model was trained with another transform: ${problem}.`, {
    next: 'Give the transform that the model was trained with.',
    exitCode: 1,
  })
}

interface Shaped {
  readonly shape: readonly (number | null)[]
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
