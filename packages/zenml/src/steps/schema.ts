import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { type Step, step } from '../define/step.ts'
import type {
  SchemaFeature,
  SchemaFeatureType,
  Schema as SchemaMessage,
  StringDomain,
} from '../formats/schema-proto.ts'
import type { CommonStatistics, DatasetFeatureStatistics, FeatureNameStatistics } from '../formats/statistics-proto.ts'
import { Schema, Statistics, type StatisticsBySplit } from '../formats/types.ts'
import { bytesLabel } from './feature-statistics.ts'

/** Parameters of `inferSchema`. */
export interface SchemaParameters {
  /** A text feature with at most as many values gets a domain of them. Default 100. */
  maxDomain: number
}

const parameters: z.ZodType<SchemaParameters, Defaulted<SchemaParameters>> = z.strictObject({
  maxDomain: z.int().min(0).default(100),
})

/**
 * Infers a schema from statistics as TensorFlow Data Validation does: type, presence, number of values, domains. From the split
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
  run: ({ inputs, parameters: { maxDomain } }) => ({ schema: schemaOfSplits(inputs.statistics, { maxDomain }) }),
})

/** Which split a schema is inferred from, and how. */
export interface InferenceOptions {
  /** A text feature with at most as many values gets a domain of them. Default 100. */
  readonly maxDomain?: number | undefined
  /** Default `train`, else the only one. */
  readonly split?: string | undefined
}

/**
 * The schema of one split: `train`, else the only one, unless another is named. Throws `ZEN_SCHEMA_SPLIT` where there is none to take.
 */
export function schemaOfSplits(
  statistics: StatisticsBySplit,
  { maxDomain = 100, split }: InferenceOptions = {},
): SchemaMessage {
  const splits = Object.keys(statistics)
  const chosen = split ?? (splits.includes('train') ? 'train' : splits.length === 1 ? splits[0]! : undefined)
  const dataset = chosen === undefined || !splits.includes(chosen) ? undefined : statistics[chosen]!.datasets?.[0]
  if (dataset !== undefined) return schemaOf(dataset, maxDomain)
  throw new ZenmlError(
    'ZEN_SCHEMA_SPLIT',
    `The statistics have the splits ${splits.join(', ') || 'none'}, but no "${split ?? 'train'}" to infer from.`,
    { facts: { splits }, exitCode: 1 },
  )
}

/**
 * The schema that the statistics of one data set suggest, by the rules of TensorFlow Data Validation (`Schema::Updater::CreateColumn` and
 * `InitValueCountAndPresence` of its sources) without `infer_feature_shape`: numbers of values rather than shapes.
 *
 * @example
 * schemaOf({ numExamples: 2, features: [{ path: { step: ['x'] }, type: 'FLOAT', numStats: {} }] }).feature![0]!.name // 'x'
 */
export function schemaOf(dataset: DatasetFeatureStatistics, maxDomain = 100): SchemaMessage {
  const domains: StringDomain[] = []
  const feature = (dataset.features ?? []).map((statistics): SchemaFeature => {
    const name = statistics.name ?? statistics.path?.step?.join('.') ?? ''
    const { domain, values } = domainOf(statistics, name, maxDomain)
    if (values !== undefined) domains.push({ name, value: values })
    return { name, ...valueCount(statistics), type: typeOf(statistics), ...domain, ...presence(statistics) }
  })
  return { feature, ...(domains.length === 0 ? {} : { stringDomain: domains }) }
}

function typeOf({ type, stringStats, bytesStats, structStats }: FeatureNameStatistics): SchemaFeatureType {
  if (structStats !== undefined) return 'STRUCT'
  if (stringStats !== undefined || bytesStats !== undefined) return 'BYTES'
  return type === 'FLOAT' ? 'FLOAT' : 'INT'
}

const trueTexts: ReadonlySet<string> = new Set(['TRUE', 'true', 'SET', 'set', '1', ''])
const falseTexts: ReadonlySet<string> = new Set(['FALSE', 'false', 'CLEAR', 'clear', '0'])

interface Domain {
  readonly domain: Pick<SchemaFeature, 'domain' | 'boolDomain' | 'intDomain'>
  /** Of a domain of texts. */
  readonly values?: readonly string[]
}

/** What the values are: truths, whole numbers written as texts, few texts, or nothing that a schema says. */
function domainOf(statistics: FeatureNameStatistics, name: string, maxDomain: number): Domain {
  const { type = 'INT', numStats, stringStats } = statistics
  // Absent minimum and maximum are 0, as everywhere in protocol buffers.
  if (type === 'INT' && numStats !== undefined && (numStats.min ?? 0) >= 0 && numStats.max === 1)
    return { domain: { boolDomain: {} } }
  if (type !== 'STRING' || stringStats === undefined || (stringStats.invalidUtf8Count ?? 0) > 0) return { domain: {} }
  const labels = (stringStats.rankHistogram?.buckets ?? []).map(({ label = '' }) => label)
  if (labels.length === 0 || labels.includes(bytesLabel)) return { domain: {} }
  const isTrue = labels.filter((label) => trueTexts.has(label))
  const isFalse = labels.filter((label) => falseTexts.has(label))
  if (isTrue.length <= 1 && isFalse.length <= 1 && isTrue.length + isFalse.length === labels.length) {
    const [trueValue] = isTrue
    const [falseValue] = isFalse
    const truths = trueValue === undefined ? {} : { trueValue }
    return { domain: { boolDomain: falseValue === undefined ? truths : { ...truths, falseValue } } }
  }
  if (labels.every(isInt64)) return { domain: { intDomain: {} } }
  // A histogram of fewer ranks than there are texts does not have them all.
  if (labels.length > maxDomain || labels.length !== stringStats.unique) return { domain: {} }
  return { domain: { domain: name }, values: labels.sort(compareText) }
}

function isInt64(text: string): boolean {
  if (!/^[ \t\n\v\f\r]*[+-]?\d{1,30}[ \t\n\v\f\r]*$/.test(text)) return false
  const value = BigInt(text.trim().replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value
}

function common({ numStats, stringStats, bytesStats, structStats }: FeatureNameStatistics): CommonStatistics {
  return numStats?.commonStats ?? stringStats?.commonStats ?? bytesStats?.commonStats ?? structStats?.commonStats ?? {}
}

function valueCount(statistics: FeatureNameStatistics): Pick<SchemaFeature, 'valueCount'> {
  const { numNonMissing = 0, minNumValues = 0, maxNumValues = 0 } = common(statistics)
  // Where some row has the feature without a value in it, nothing can be said.
  if (numNonMissing === 0 || minNumValues === 0) return {}
  return { valueCount: minNumValues === maxNumValues ? { min: minNumValues, max: maxNumValues } : { min: 1 } }
}

function presence(statistics: FeatureNameStatistics): Pick<SchemaFeature, 'presence'> {
  const { numNonMissing = 0, numMissing = 0 } = common(statistics)
  if (numNonMissing === 0) return { presence: { minCount: 0 } }
  return { presence: numMissing === 0 ? { minFraction: 1, minCount: 1 } : { minCount: 1 } }
}
