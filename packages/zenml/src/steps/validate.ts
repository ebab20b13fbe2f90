import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { optional, type Step, step } from '../define/step.ts'
import { Anomalies, type AnomaliesBySplit } from '../formats/anomalies.ts'
import type { Anomalies as AnomaliesMessage, AnomalySeverity } from '../formats/anomalies-proto.ts'
import type { DatasetFeatureStatistics } from '../formats/statistics-proto.ts'
import { Schema, Statistics, type StatisticsBySplit } from '../formats/types.ts'
import { type ValidationOptions, validateStatistics } from './validate-statistics.ts'

/** Parameters of `validate`. */
export interface ValidateParameters {
  /** The splits that are validated. Default null: all but `servingSplit`. */
  splits: readonly string[] | null
  /** The environment of the data, such as `SERVING`; null for none. Default null. */
  environment: string | null
  /** The split that stands for the data of serving: `skew_comparator` limits the distance of the others from it. Default null: none. */
  servingSplit: string | null
  /** How bad features are that the schema does not have. Default `ERROR`. */
  newFeatures: 'ERROR' | 'WARNING'
  /** From which severity on anomalies fail the step, and with it the run. Default `never`: they are recorded. */
  failOn: 'never' | 'ERROR' | 'WARNING'
}

const parameters: z.ZodType<ValidateParameters, Defaulted<ValidateParameters>> = z.strictObject({
  splits: z.array(z.string()).min(1).nullable().default(null),
  environment: z.string().min(1).nullable().default(null),
  servingSplit: z.string().nullable().default(null),
  newFeatures: z.enum(['ERROR', 'WARNING']).default('ERROR'),
  failOn: z.enum(['never', 'ERROR', 'WARNING']).default('never'),
})

/**
 * Holds statistics against a schema as TensorFlow Data Validation does (see `validateStatistics`), and against those of earlier data where
 * `baseline` is connected: each split against the one of its name, or the only one there is. The artifact's properties `errors` and
 * `warnings` count the features with anomalies. With `failOn` set, the step fails with `ZEN_DATA_ANOMALIES`, which names them all.
 *
 * @example
 * const { schema } = inferSchema({ statistics: facts })
 * const { anomalies } = validate({ statistics: facts, schema }, { failOn: 'ERROR' })
 */
export const validate: Step<
  {
    readonly statistics: typeof Statistics
    readonly schema: typeof Schema
    readonly baseline: { readonly optional: typeof Statistics }
  },
  { readonly anomalies: typeof Anomalies },
  typeof parameters
> = step({
  name: 'validate',
  description: 'Finds what statistics and a schema do not agree in, drift and skew.',
  inputs: { statistics: Statistics, schema: Schema, baseline: optional(Statistics) },
  outputs: { anomalies: Anomalies },
  parameters,
  run: ({ inputs: { statistics, schema, baseline }, parameters: given, context }) => {
    const { environment, servingSplit, newFeatures, failOn } = given
    const serving = servingSplit === null ? undefined : datasetOf(statistics, servingSplit, 'statistics')
    const splits = given.splits ?? Object.keys(statistics).filter((split) => split !== servingSplit)
    const anomalies: { [split: string]: AnomaliesMessage } = {}
    for (const split of [...splits].sort(compareText)) {
      const options: ValidationOptions = {
        newFeatures,
        ...(environment === null ? {} : { environment }),
        ...(serving === undefined ? {} : { serving }),
        ...(baseline === undefined ? {} : { previous: datasetOf(baseline, onlyOr(baseline, split), 'baseline') }),
      }
      anomalies[split] = validateStatistics(datasetOf(statistics, split, 'statistics'), schema, options)
    }
    const found = listOf(anomalies)
    const count = (wanted: AnomalySeverity): number => found.filter(({ severity }) => severity === wanted).length
    context.describe('anomalies', { errors: count('ERROR'), warnings: count('WARNING') })
    const fatal = found.filter(({ severity }) => failOn !== 'never' && (failOn === 'WARNING' || severity === 'ERROR'))
    if (fatal.length > 0)
      throw new ZenmlError(
        'ZEN_DATA_ANOMALIES',
        `The data has ${fatal.length === 1 ? 'an anomaly' : `${fatal.length} anomalies`}:\n${fatal
          .map(({ split, feature, description }) => `  ${split}${feature === '' ? '' : ` ${feature}`}: ${description}`)
          .join('\n')}`,
        {
          facts: { anomalies: fatal.map((anomaly) => ({ ...anomaly })) },
          next: 'Mend the data, or change the schema if the data is right. With failOn: never the anomalies are recorded, and the run goes on.',
          exitCode: 1,
        },
      )
    return { anomalies }
  },
})

function onlyOr(statistics: StatisticsBySplit, split: string): string {
  const splits = Object.keys(statistics)
  return splits.length === 1 ? splits[0]! : split
}

function datasetOf(statistics: StatisticsBySplit, split: string, input: string): DatasetFeatureStatistics {
  const dataset = Object.hasOwn(statistics, split) ? statistics[split]!.datasets?.[0] : undefined
  if (dataset !== undefined) return dataset
  throw new ZenmlError(
    'ZEN_VALIDATE_SPLIT',
    `The input "${input}" has no split "${split}", but ${Object.keys(statistics).join(', ') || 'none'}.`,
    { facts: { input, split }, next: 'Name splits that there are.', exitCode: 1 },
  )
}

/** An anomaly in one line. */
interface ListedAnomaly {
  readonly split: string
  /** Serialised path; empty for the data set as a whole. */
  readonly feature: string
  readonly severity: AnomalySeverity
  readonly description: string
}

function listOf(bySplit: AnomaliesBySplit): readonly ListedAnomaly[] {
  return Object.entries(bySplit).flatMap(([split, { anomalyInfo = new Map(), datasetAnomalyInfo, dataMissing }]) => [
    ...(dataMissing === true
      ? [{ split, feature: '', severity: 'ERROR' as const, description: 'There are no examples.' }]
      : []),
    ...[...(datasetAnomalyInfo === undefined ? [] : [['', datasetAnomalyInfo] as const]), ...anomalyInfo].map(
      ([feature, { severity = 'UNKNOWN', description = '' }]): ListedAnomaly => ({
        split,
        feature,
        severity,
        description,
      }),
    ),
  ])
}
