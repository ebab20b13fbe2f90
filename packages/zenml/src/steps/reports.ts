import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { optional, type Step, step } from '../define/step.ts'
import { Anomalies } from '../formats/anomalies.ts'
import { Evaluation } from '../formats/evaluation.ts'
import { HtmlArtifact, Statistics } from '../formats/types.ts'
import { anomaliesPage } from './reports/anomalies-page.ts'
import { evaluationPage } from './reports/evaluation-page.ts'
import { statisticsPage } from './reports/statistics-page.ts'

/** Parameters of the steps that make reports. */
export interface ReportParameters {
  /** Heading of the page. Default what it shows. */
  title: string
}

type ReportSchema = z.ZodType<ReportParameters, Defaulted<ReportParameters>>

function titled(title: string): ReportSchema {
  return z.strictObject({ title: z.string().min(1).default(title) })
}

/**
 * Makes a page of statistics: an overview, and of every feature the distribution, quantiles, top values and missing values, all splits over each
 * other. Splits of a connected `baseline` (statistics of earlier data) stand beside them. The page is one HTML file that needs no network.
 *
 * @example
 * statisticsReport({ statistics: facts }, { title: 'Birds' })
 */
export const statisticsReport: Step<
  { readonly statistics: typeof Statistics; readonly baseline: { readonly optional: typeof Statistics } },
  { readonly report: typeof HtmlArtifact },
  ReportSchema
> = step({
  name: 'statisticsReport',
  description: 'Makes a page of statistics for people.',
  inputs: { statistics: Statistics, baseline: optional(Statistics) },
  outputs: { report: HtmlArtifact },
  parameters: titled('Statistics'),
  run: ({ inputs: { statistics, baseline }, parameters: { title } }) => ({
    report: statisticsPage(title, statistics, baseline),
  }),
})

/**
 * Makes a page of anomalies: how many of which severity, each with what was found, and the distances of drift and skew with their limits.
 *
 * @example
 * const { schema } = inferSchema({ statistics: facts })
 * const { anomalies } = validate({ statistics: facts, schema })
 * anomaliesReport({ anomalies })
 */
export const anomaliesReport: Step<
  { readonly anomalies: typeof Anomalies },
  { readonly report: typeof HtmlArtifact },
  ReportSchema
> = step({
  name: 'anomaliesReport',
  description: 'Makes a page of anomalies for people.',
  inputs: { anomalies: Anomalies },
  outputs: { report: HtmlArtifact },
  parameters: titled('Anomalies'),
  run: ({ inputs: { anomalies }, parameters: { title } }) => ({ report: anomaliesPage(title, anomalies) }),
})

/**
 * Makes a page of an evaluation: metrics overall and by slice, ranking, confusion, thresholds, calibration. With a `baseline` (the evaluation of another model) each
 * metric stands beside that of the baseline.
 *
 * @example
 * evaluationReport({ evaluation })
 */
export const evaluationReport: Step<
  { readonly evaluation: typeof Evaluation; readonly baseline: { readonly optional: typeof Evaluation } },
  { readonly report: typeof HtmlArtifact },
  ReportSchema
> = step({
  name: 'evaluationReport',
  description: 'Makes a page of an evaluation for people.',
  inputs: { evaluation: Evaluation, baseline: optional(Evaluation) },
  outputs: { report: HtmlArtifact },
  parameters: titled('Evaluation'),
  run: ({ inputs: { evaluation, baseline }, parameters: { title } }) => ({
    report: evaluationPage(title, evaluation, baseline),
  }),
})
