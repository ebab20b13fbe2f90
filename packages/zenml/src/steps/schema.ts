import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { type Step, step } from '../define/step.ts'
import type { SchemaFeature, Schema as SchemaMessage, StringDomain } from '../formats/schema-proto.ts'
import type { DatasetFeatureStatistics, FeatureNameStatistics } from '../formats/statistics-proto.ts'
import { Schema, Statistics } from '../formats/types.ts'

/** Parameters of `inferSchema`. */
export interface SchemaParameters {
  /** A text feature with at most as many values gets a domain of them. Default 100. */
  maxDomain: number
}

const parameters: z.ZodType<SchemaParameters, Defaulted<SchemaParameters>> = z.strictObject({
  maxDomain: z.int().min(0).default(100),
})

/**
 * Infers a schema from statistics as TensorFlow Data Validation does: type, presence, number of values, domains of texts. From the split
 * `train`, else from the only one.
 *
 * @example
 * const { schema } = inferSchema({ statistics: facts })
 */
export const inferSchema: Step<
  { readonly statistics: typeof Statistics },
  { readonly schema: typeof Schema },
  typeof parameters
> = step({
  name: 'inferSchema',
  description: 'Infers a schema from statistics.',
  inputs: { statistics: Statistics },
  outputs: { schema: Schema },
  parameters,
  run: ({ inputs, parameters: { maxDomain } }) => {
    const splits = Object.keys(inputs.statistics)
    const split = splits.includes('train') ? 'train' : splits.length === 1 ? splits[0]! : undefined
    const dataset = split === undefined ? undefined : inputs.statistics[split]!.datasets?.[0]
    if (dataset === undefined)
      throw new ZenmlError(
        'ZEN_SCHEMA_SPLIT',
        `The statistics have the splits ${splits.join(', ') || 'none'}, but no "train" to infer from.`,
        { exitCode: 1 },
      )
    return { schema: schemaOf(dataset, maxDomain) }
  },
})

/**
 * The schema that the statistics of one data set suggest.
 *
 * @example
 * schemaOf({ numExamples: 2, features: [{ path: { step: ['x'] }, type: 'FLOAT', numStats: {} }] }).feature![0]!.name // 'x'
 */
export function schemaOf(dataset: DatasetFeatureStatistics, maxDomain = 100): SchemaMessage {
  const domains: StringDomain[] = []
  const feature = (dataset.features ?? []).map((statistics): SchemaFeature => {
    const name = statistics.name ?? statistics.path?.step?.join('.') ?? ''
    const ranked = statistics.stringStats?.rankHistogram?.buckets ?? []
    const unique = statistics.stringStats?.unique ?? 0
    const hasDomain =
      statistics.stringStats !== undefined && unique > 0 && unique <= maxDomain && ranked.length === unique
    if (hasDomain) domains.push({ name, value: ranked.map(({ label }) => label ?? '').sort(compareText) })
    return {
      name,
      ...valueCount(statistics),
      type: typeOf(statistics),
      ...(hasDomain ? { domain: name } : {}),
      ...presence(statistics, dataset.numExamples ?? 0),
    }
  })
  return { feature, ...(domains.length === 0 ? {} : { stringDomain: domains }) }
}

function typeOf({ type, stringStats, bytesStats }: FeatureNameStatistics): 'BYTES' | 'INT' | 'FLOAT' {
  if (stringStats !== undefined || bytesStats !== undefined) return 'BYTES'
  return type === 'FLOAT' ? 'FLOAT' : 'INT'
}

function common({
  numStats,
  stringStats,
  bytesStats,
}: FeatureNameStatistics): NonNullable<NonNullable<FeatureNameStatistics['numStats']>['commonStats']> {
  return numStats?.commonStats ?? stringStats?.commonStats ?? bytesStats?.commonStats ?? {}
}

function valueCount(statistics: FeatureNameStatistics): Pick<SchemaFeature, 'valueCount'> {
  const { minNumValues = 0, maxNumValues = 0 } = common(statistics)
  if (maxNumValues === 0) return {}
  return { valueCount: minNumValues === maxNumValues ? { min: minNumValues, max: maxNumValues } : { min: 1 } }
}

function presence(statistics: FeatureNameStatistics, rows: number): Pick<SchemaFeature, 'presence'> {
  const { numNonMissing = 0 } = common(statistics)
  if (numNonMissing === 0) return {}
  return { presence: numNonMissing === rows ? { minFraction: 1, minCount: 1 } : { minCount: 1 } }
}
