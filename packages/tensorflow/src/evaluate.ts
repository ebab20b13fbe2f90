import { type Step, step, ZenmlError } from 'zenml'
import { Evaluation, type EvaluationData, Examples, Model, type Report, TransformGraph } from 'zenml/formats'
import { applyTransform, classificationReport, regressionReport, wordAt } from 'zenml/steps'
import * as z from 'zod'
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
 * Throws `ZEN_EVALUATE_SPLIT` and `ZEN_EVALUATE_SLICE` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of another format.
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
  run: async ({ inputs: { examples, transform, model: artifact }, parameters: { slices, split }, context }) => {
    if (artifact.format !== modelFormat)
      throw new ZenmlError('ZEN_EVALUATE_MODEL', `The model is ${artifact.format}, not ${modelFormat}.`, {
        exitCode: 1,
      })
    if (!examples.splits.includes(split))
      throw new ZenmlError(
        'ZEN_EVALUATE_SPLIT',
        `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
        { exitCode: 1 },
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
    const label = transform.label.transform
    const outputs = label.kind === 'class' ? label.classes.length : 1
    const labels: number[] = []
    const predictions: number[] = []
    /** By feature and value, the rows of the slice. */
    const sliced = new Map(slices.map((slice) => [slice, new Map<string, number[]>()]))
    for await (const batch of examples.read(split, { signal: context.signal })) {
      const part = applyTransform(transform, batch)
      const said = predictRows(tensorflow, model, { ...part, rows: part.rows.length }, outputs)
      for (let index = 0; index < part.rows.length; index++) {
        for (const [slice, values] of sliced) {
          const value = wordAt(batch.columns.get(slice), part.rows[index]!) ?? '(missing)'
          const rows = values.get(value) ?? []
          rows.push(labels.length)
          values.set(value, rows)
        }
        labels.push(part.labels[index]!)
        for (let output = 0; output < outputs; output++) predictions.push(said[index * outputs + output]!)
      }
    }
    const report = (rows: readonly number[]): Report => {
      const own = rows.map((row) => labels[row]!)
      const given = rows.flatMap((row) => predictions.slice(row * outputs, (row + 1) * outputs))
      return label.kind === 'class' ? classificationReport(own, given, label.classes) : regressionReport(own, given)
    }
    const overall =
      label.kind === 'class'
        ? classificationReport(labels, predictions, label.classes)
        : regressionReport(labels, predictions)
    const evaluation: EvaluationData = {
      version: 1,
      split,
      overall,
      slices: [...sliced].flatMap(([feature, values]) =>
        [...values]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([value, rows]) => ({ feature, value, report: report(rows) })),
      ),
    }
    for (const [name, value] of Object.entries(headline(overall))) if (value !== null) context.metric(name, value)
    return { evaluation }
  },
})

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
