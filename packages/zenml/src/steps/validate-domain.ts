import { compareText } from '../base/canonical.ts'
import type { AnomalyReason } from '../formats/anomalies-proto.ts'
import type { BoolDomain, FloatDomain, IntDomain, SchemaFeature, StringDomain } from '../formats/schema-proto.ts'
import type { FeatureNameStatistics, NumericStatistics } from '../formats/statistics-proto.ts'
import { bytesLabel } from './feature-statistics.ts'
import { commonOf, isOnlyNan, sixDigits, valueCountsOf } from './feature-view.ts'

/** What the values of a feature are against what its domain allows; `domains` are those that the schema has by name. */
export function domainReasons(
  statistics: FeatureNameStatistics,
  feature: SchemaFeature,
  domains: readonly StringDomain[],
): readonly AnomalyReason[] {
  const { domain, stringDomain, boolDomain, intDomain, floatDomain, distributionConstraints } = feature
  const named = domain === undefined ? undefined : domains.find(({ name }) => name === domain)
  if (domain !== undefined && named === undefined) {
    return [schemaReason(`The schema has no string domain "${domain}".`)]
  }
  const texts = named ?? stringDomain
  const offDomain = 1 - (distributionConstraints?.minDomainMass ?? 1)
  if (texts !== undefined) return textReasons(statistics, texts, offDomain)
  if (boolDomain !== undefined) return truthReasons(statistics, boolDomain)
  if (intDomain !== undefined) return intReasons(statistics, intDomain)
  return floatDomain === undefined ? [] : floatReasons(statistics, floatDomain)
}

/** A schema that contradicts itself. */
export function schemaReason(description: string): AnomalyReason {
  return { type: 'INVALID_SCHEMA_SPECIFICATION', shortDescription: 'Invalid schema', description }
}

/** How many unexpected values a description names. */
const namedValues = 100

function textReasons(
  statistics: FeatureNameStatistics,
  { value: known = [] }: StringDomain,
  offDomain: number,
): readonly AnomalyReason[] {
  const counts = valueCountsOf(statistics)
  if (counts.has(bytesLabel) || (statistics.stringStats?.invalidUtf8Count ?? 0) > 0)
    return [
      {
        type: 'ENUM_TYPE_INVALID_UTF8',
        shortDescription: 'Invalid UTF8 strings',
        description: 'Found strings that were not valid UTF8 strings.',
      },
    ]
  const domain = new Set(known)
  const unexpected = [...counts]
    .filter(([value]) => !domain.has(value))
    .sort(([left], [right]) => compareText(left, right))
  const { totNumValues = 0, numNonMissing = 0, avgNumValues = 0 } = commonOf(statistics)
  const total = totNumValues || numNonMissing * avgNumValues
  const count = unexpected.reduce((sum, [, times]) => sum + times, 0)
  if (unexpected.length === 0 || (offDomain > 0 && count / total <= offDomain)) return []
  const named = unexpected.slice(0, namedValues).map(([value, times]) => `${value} (${percentage(times, total)})`)
  const more = unexpected.length > namedValues ? `, and ${unexpected.length - namedValues} more` : ''
  return [
    {
      type: 'ENUM_TYPE_UNEXPECTED_STRING_VALUES',
      shortDescription: 'Unexpected string values',
      description: `Examples contain values missing from the schema: ${named.join(', ')}${more}.`,
    },
  ]
}

function percentage(count: number, total: number): string {
  if (total === 0) return '?'
  const percent = (100 * count) / total
  return percent < 1 ? '<1%' : `~${Math.floor(percent)}%`
}

function truthReasons(statistics: FeatureNameStatistics, domain: BoolDomain): readonly AnomalyReason[] {
  const { type = 'INT', numStats, stringStats } = statistics
  if (numStats !== undefined) return numberTruthReasons(type, numStats)
  if (stringStats === undefined) return []
  const truths = [domain.trueValue, domain.falseValue].filter((text) => text !== undefined)
  const found = [...valueCountsOf(statistics).keys()].sort(compareText).find((value) => !truths.includes(value))
  if (found === undefined) return []
  const expected = truths.map((text) => `"${text}"`).join(', ')
  return [nonBoolean('BOOL_TYPE_UNEXPECTED_STRING', `Saw unexpected value "${found}" instead of {${expected}}.`)]
}

function nonBoolean(type: NonNullable<AnomalyReason['type']>, description: string): AnomalyReason {
  return { type, shortDescription: 'Non-boolean values', description }
}

function numberTruthReasons(type: string, numbers: NumericStatistics): readonly AnomalyReason[] {
  const { min = 0, max = 0, histograms = [] } = numbers
  if (type === 'INT') {
    if (min >= 0 && max <= 1) return []
    const [kind, value] = min < 0 ? (['BOOL_TYPE_SMALL_INT', min] as const) : (['BOOL_TYPE_BIG_INT', max] as const)
    return [nonBoolean(kind, `Integers (such as ${sixDigits(value)}) not in {0, 1}.`)]
  }
  const unexpected = (what: string): readonly AnomalyReason[] => [
    nonBoolean('BOOL_TYPE_UNEXPECTED_FLOAT', `Floats (such as ${what}) not in {0, 1}.`),
  ]
  for (const value of [min, max]) if (value !== 0 && value !== 1) return unexpected(sixDigits(value))
  if (histograms.some(({ numNan = 0 }) => numNan > 0)) return unexpected('NaN')
  const between = histograms
    .flatMap(({ buckets = [] }) => buckets)
    .find(({ lowValue = 0, highValue = 0, sampleCount = 0 }) => sampleCount > 0 && lowValue > 0 && highValue < 1)
  return between === undefined ? [] : unexpected(sixDigits(between.lowValue!))
}

/** The least and the greatest value, of numbers or of texts that are numbers; a text that is none; or nothing that is known. */
type Range = { readonly min: number | bigint; readonly max: number | bigint } | { readonly text: string } | undefined

function rangeOf(statistics: FeatureNameStatistics, read: (text: string) => number | bigint | undefined): Range {
  const { numStats } = statistics
  const texts = [...valueCountsOf(statistics).keys()].sort(compareText)
  if (texts.length === 0) {
    if (numStats === undefined || isOnlyNan(numStats)) return undefined
    return { min: numStats.min ?? 0, max: numStats.max ?? 0 }
  }
  let range: { min: number | bigint; max: number | bigint } | undefined
  for (const text of texts) {
    const value = read(text)
    if (value === undefined) return { text }
    range ??= { min: value, max: value }
    if (value < range.min) range.min = value
    if (value > range.max) range.max = value
  }
  return range
}

function invalid(type: NonNullable<AnomalyReason['type']>, description: string): AnomalyReason {
  return { type, shortDescription: 'Invalid values', description }
}

function outOfRange(type: NonNullable<AnomalyReason['type']>, description: string): AnomalyReason {
  return { type, shortDescription: 'Out-of-range values', description }
}

function intReasons(statistics: FeatureNameStatistics, { min, max }: IntDomain): readonly AnomalyReason[] {
  if (statistics.type === 'FLOAT' || statistics.type === 'STRUCT') return []
  const range = rangeOf(statistics, wholeNumber)
  if (range === undefined) return []
  if ('text' in range) {
    const type = statistics.stringStats === undefined ? 'DOMAIN_INVALID_FOR_TYPE' : 'INT_TYPE_NOT_INT_STRING'
    return [invalid(type, `String values that were not ints were found, such as "${range.text}".`)]
  }
  const reasons: AnomalyReason[] = []
  if (min !== undefined && range.min < comparable(min, range.min))
    reasons.push(outOfRange('INT_TYPE_SMALL_INT', `Unexpectedly small value: ${range.min} < ${min}.`))
  if (max !== undefined && range.max > comparable(max, range.max))
    reasons.push(outOfRange('INT_TYPE_BIG_INT', `Unexpectedly large value: ${range.max} > ${max}.`))
  return reasons
}

/** Statistics have numbers as doubles, so a limit beyond 2^53 is rounded as they are: else the greatest integer would be beyond itself. */
function comparable(limit: number | bigint, value: number | bigint): number | bigint {
  return typeof value === 'number' ? Number(limit) : limit
}

function wholeNumber(text: string): bigint | undefined {
  if (!/^\s*[+-]?\d{1,30}\s*$/.test(text)) return undefined
  const value = BigInt(text.trim().replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function floatReasons(statistics: FeatureNameStatistics, domain: FloatDomain): readonly AnomalyReason[] {
  const { type = 'INT', numStats } = statistics
  if (type === 'INT' || type === 'STRUCT') return []
  const { min, max, disallowNan = false, disallowInf = false } = domain
  const reasons: AnomalyReason[] = []
  if (disallowNan && (numStats?.histograms ?? []).some(({ numNan = 0 }) => numNan > 0))
    reasons.push(invalid('FLOAT_TYPE_HAS_NAN', 'Float feature has NaN values.'))
  const range = rangeOf(statistics, decimalNumber)
  if (range === undefined) return reasons
  if ('text' in range)
    return [
      invalid('FLOAT_TYPE_STRING_NOT_FLOAT', `String values that were not floats were found, such as "${range.text}".`),
    ]
  if (disallowInf && ![range.min, range.max].every((end) => Number.isFinite(Number(end))))
    reasons.push(invalid('FLOAT_TYPE_HAS_INF', 'Float feature has Inf or -Inf values.'))
  // The limits are float32, as the values are; statistics have both as doubles.
  const [low, high] = [Math.fround(Number(range.min)), Math.fround(Number(range.max))]
  if (min !== undefined && low < min)
    reasons.push(
      outOfRange('FLOAT_TYPE_SMALL_FLOAT', `Unexpectedly low values: ${sixDigits(low)} < ${sixDigits(min)}.`),
    )
  if (max !== undefined && high > max)
    reasons.push(
      outOfRange('FLOAT_TYPE_BIG_FLOAT', `Unexpectedly high values: ${sixDigits(high)} > ${sixDigits(max)}.`),
    )
  return reasons
}

function decimalNumber(text: string): number | undefined {
  const special = /^\s*([+-]?)(?:(nan)|inf(?:inity)?)\s*$/i.exec(text)
  if (special !== null)
    return special[2] !== undefined
      ? Number.NaN
      : special[1] === '-'
        ? Number.NEGATIVE_INFINITY
        : Number.POSITIVE_INFINITY
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)) return undefined
  return Number(text)
}
