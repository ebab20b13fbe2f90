import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { optional, type Step, step } from '../define/step.ts'
import { Anomalies } from '../formats/anomalies.ts'
import type { AnomalySeverity } from '../formats/anomalies-proto.ts'
import { Schema, Statistics } from '../formats/types.ts'
import { listAnomalies, validateSplits } from './validate-splits.ts'

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
    const { splits, environment, servingSplit, newFeatures, failOn } = given
    const anomalies = validateSplits(statistics, schema, {
      splits: splits ?? undefined,
      servingSplit: servingSplit ?? undefined,
      baseline,
      newFeatures,
      ...(environment === null ? {} : { environment }),
    })
    const found = listAnomalies(anomalies)
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
          facts: {
            anomalies: fatal.map(({ split, feature, severity, description }) => ({
              split,
              feature,
              severity,
              description,
            })),
          },
          next: 'Mend the data, or change the schema if the data is right. With failOn: never the anomalies are recorded, and the run goes on.',
          exitCode: 1,
        },
      )
    return { anomalies }
  },
})
