import type { AnomalyReason, AnomalyType } from '../formats/anomalies-proto.ts'
import type { SchemaFeature, SchemaFeatureType, StringDomain, ValueCount } from '../formats/schema-proto.ts'
import type { CommonStatistics, FeatureNameStatistics } from '../formats/statistics-proto.ts'
import { commonOf } from './feature-view.ts'
import { domainReasons, schemaReason } from './validate-domain.ts'

/** What a feature's statistics and its schema do not agree in, distributions aside: number of values, presence, type, domain, unique values. */
export function featureReasons(
  statistics: FeatureNameStatistics,
  feature: SchemaFeature,
  rows: number,
  domains: readonly StringDomain[],
): readonly AnomalyReason[] {
  return [
    ...contradictions(feature),
    ...valueCountReasons(commonOf(statistics), feature),
    ...shapeReasons(commonOf(statistics), feature),
    ...presenceReasons(commonOf(statistics), feature, rows),
    ...typeReasons(statistics, feature),
    ...domainReasons(statistics, feature, domains),
    ...uniqueReasons(statistics, feature),
  ]
}

/** What no data could meet. */
function contradictions({ type, presence, valueCount }: SchemaFeature): readonly AnomalyReason[] {
  const reasons: AnomalyReason[] = []
  if (type === undefined || type === 'TYPE_UNKNOWN')
    reasons.push(reason('FEATURE_MISSING_TYPE', 'Missing type', 'The schema does not say the type of the feature.'))
  const { minFraction = 0 } = presence ?? {}
  if (minFraction < 0 || minFraction > 1)
    reasons.push(schemaReason(`min_fraction is ${minFraction}, but must be from 0 to 1.`))
  const { min = 0, max } = valueCount ?? {}
  if (min < 0) reasons.push(schemaReason(`value_count.min is ${min}, but must not be negative.`))
  if (max !== undefined && max < min)
    reasons.push(schemaReason(`value_count.max is ${max}, which is less than min, ${min}.`))
  return reasons
}

function reason(type: AnomalyType, shortDescription: string, description: string): AnomalyReason {
  return { type, shortDescription, description }
}

/** Least and greatest number of values an example has, of each level of nesting. */
function valueCountsOf(common: CommonStatistics): readonly { readonly least: number; readonly most: number }[] {
  const levels = common.presenceAndValencyStats ?? []
  return (levels.length > 0 ? levels : [common]).map(({ minNumValues = 0, maxNumValues = 0 }) => ({
    least: minNumValues,
    most: maxNumValues,
  }))
}

function valueCountReasons(common: CommonStatistics, feature: SchemaFeature): readonly AnomalyReason[] {
  const limits: readonly ValueCount[] | undefined =
    feature.valueCounts?.valueCount ?? (feature.valueCount === undefined ? undefined : [feature.valueCount])
  if (limits === undefined) return []
  const found = valueCountsOf(common)
  if (found.length !== limits.length)
    return [
      reason(
        'VALUE_NESTEDNESS_MISMATCH',
        'Mismatched value nest level',
        `The values are nested ${found.length} deep, but the schema says ${limits.length}.`,
      ),
    ]
  return limits.flatMap(({ min, max }, level) => {
    const { least, most } = found[level]!
    const where = limits.length === 1 ? '' : ` at nestedness level ${level}`
    const reasons: AnomalyReason[] = []
    if (min !== undefined && least < min)
      reasons.push(
        reason(
          'FEATURE_TYPE_LOW_NUMBER_VALUES',
          'Missing values',
          `Some examples have fewer values than expected${where}: ${least} < ${min}.`,
        ),
      )
    if (max !== undefined && most > max)
      reasons.push(
        reason(
          'FEATURE_TYPE_HIGH_NUMBER_VALUES',
          'Superfluous values',
          `Some examples have more values than expected${where}: ${most} > ${max}.`,
        ),
      )
    return reasons
  })
}

function shapeReasons(common: CommonStatistics, { shape }: SchemaFeature): readonly AnomalyReason[] {
  if (shape === undefined) return []
  const size = (shape.dim ?? []).reduce((product, dim) => product * BigInt(dim.size ?? 0), 1n)
  const invalidShape = (description: string): AnomalyReason =>
    reason('INVALID_FEATURE_SHAPE', 'Invalid shape', description)
  const { numMissing = 0 } = common
  if (numMissing > 0) return [invalidShape(`The feature has a shape, but is missing in ${numMissing} examples.`)]
  const counts = valueCountsOf(common)
  if (counts.some(({ least, most }) => least !== most))
    return [invalidShape('The feature has a shape, but the number of its values varies.')]
  const values = counts.reduce((product, { most }) => product * BigInt(most), 1n)
  return values === size
    ? []
    : [invalidShape(`The shape of the feature holds ${size} values, but examples have ${values}.`)]
}

function presenceReasons(
  common: CommonStatistics,
  { presence }: SchemaFeature,
  rows: number,
): readonly AnomalyReason[] {
  if (presence === undefined) return []
  const { numNonMissing = 0, numMissing = 0 } = common
  const { minCount, minFraction } = presence
  const reasons: AnomalyReason[] = []
  if (minCount !== undefined && numNonMissing < minCount)
    reasons.push(
      reason(
        'FEATURE_TYPE_LOW_NUMBER_PRESENT',
        'Column dropped',
        `The feature was present in fewer examples than expected: minimum count = ${minCount}, actual = ${numNonMissing}.`,
      ),
    )
  if (minFraction === undefined || numMissing === 0) return reasons
  if (minFraction === 1)
    reasons.push(
      reason(
        'FEATURE_TYPE_LOW_FRACTION_PRESENT',
        'Column dropped',
        `The feature was expected everywhere, but was missing in ${numMissing} examples.`,
      ),
    )
  else if (numNonMissing / rows < minFraction)
    reasons.push(
      reason(
        'FEATURE_TYPE_LOW_FRACTION_PRESENT',
        'Column dropped',
        `The feature was present in fewer examples than expected: minimum fraction = ${minFraction}, actual = ${numNonMissing / rows}.`,
      ),
    )
  return reasons
}

function typeReasons({ type = 'INT' }: FeatureNameStatistics, feature: SchemaFeature): readonly AnomalyReason[] {
  const found: SchemaFeatureType = type === 'STRING' ? 'BYTES' : type
  if (feature.type === undefined || feature.type === 'TYPE_UNKNOWN' || found === feature.type) return []
  const description = `Expected data of type: ${feature.type} but got ${type}`
  return [reason('UNEXPECTED_DATA_TYPE', description, `${description}.`)]
}

function uniqueReasons({ stringStats }: FeatureNameStatistics, feature: SchemaFeature): readonly AnomalyReason[] {
  const { uniqueConstraints } = feature
  if (uniqueConstraints === undefined) return []
  if (stringStats === undefined)
    return [
      reason(
        'FEATURE_TYPE_NO_UNIQUE',
        'No unique values',
        'The schema limits the number of unique values, but they are counted of strings only.',
      ),
    ]
  const { unique = 0 } = stringStats
  const { min, max } = uniqueConstraints
  if (min !== undefined && unique < min)
    return [
      reason(
        'FEATURE_TYPE_LOW_UNIQUE',
        'Low number of unique values',
        `Expected at least ${min} unique values but found only ${unique}.`,
      ),
    ]
  return max !== undefined && unique > max
    ? [
        reason(
          'FEATURE_TYPE_HIGH_UNIQUE',
          'High number of unique values',
          `Expected no more than ${max} unique values but found ${unique}.`,
        ),
      ]
    : []
}
