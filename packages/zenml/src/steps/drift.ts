import { compareText } from '../base/canonical.ts'
import type { FeatureComparator, Schema, SchemaFeature } from '../formats/schema-proto.ts'
import type { DatasetFeatureStatistics, FeatureNameStatistics } from '../formats/statistics-proto.ts'
import type { ComparisonKind } from './compare-feature.ts'
import { featureName, featuresOf, histogramOf, stepsOf, valueCountsOf } from './feature-view.ts'
import { histogramDivergence, lInfinity, valueDivergence } from './histogram-distances.ts'

/** How far the distributions of a feature lie apart. */
export interface FeatureDrift {
  readonly feature: string
  readonly kind: 'text' | 'number'
  /** Largest difference of the relative frequencies of a value, from 0 to 1; null for numbers. */
  readonly lInfinity: number | null
  /** The value with that difference; null for numbers. */
  readonly value: string | null
  /** Jensen-Shannon divergence to base 2, from 0 to 1. */
  readonly jensenShannon: number
}

/**
 * How far the distributions of every feature that both have values of lie apart, by name. Texts by the counts of their 1000 most frequent
 * values, numbers by their histograms of equal width; see `histogram-distances.ts` for the formulas.
 */
export function driftBetween(
  before: DatasetFeatureStatistics,
  after: DatasetFeatureStatistics,
): readonly FeatureDrift[] {
  const others = featuresOf(after)
  const found: FeatureDrift[] = []
  for (const [path, left] of featuresOf(before)) {
    const right = others.get(path)
    const drift = right && featureDrift(left, right)
    if (drift !== undefined) found.push({ feature: featureName(stepsOf(left)), ...drift })
  }
  return found.sort((a, b) => compareText(a.feature, b.feature))
}

function featureDrift(
  left: FeatureNameStatistics,
  right: FeatureNameStatistics,
): Omit<FeatureDrift, 'feature'> | undefined {
  const [before, after] = [valueCountsOf(left), valueCountsOf(right)]
  const largest = lInfinity(before, after)
  if (largest !== undefined) {
    const { value, distance } = largest
    return { kind: 'text', lInfinity: distance, value, jensenShannon: valueDivergence(before, after)! }
  }
  const [numbers, others] = [histogramOf(left), histogramOf(right)]
  const divergence = numbers && others && histogramDivergence(numbers, others)
  if (divergence === undefined) return undefined
  return { kind: 'number', lInfinity: null, value: null, jensenShannon: divergence }
}

/** Limits of the distance from other data. */
export interface DistanceLimits {
  /** Of texts: the L-infinity distance. */
  readonly linf?: number | undefined
  /** Of numbers: the Jensen-Shannon divergence. */
  readonly js?: number | undefined
}

/** The schema with limits for the features that it does not limit itself: texts by L-infinity, numbers by Jensen-Shannon. */
export function withLimits(schema: Schema, kind: ComparisonKind, { linf, js }: DistanceLimits): Schema {
  const key = kind === 'drift' ? 'driftComparator' : 'skewComparator'
  const limited = (feature: SchemaFeature): SchemaFeature => {
    const inner = feature.structDomain?.feature
    const nested =
      inner === undefined
        ? feature
        : { ...feature, structDomain: { ...feature.structDomain, feature: inner.map(limited) } }
    if (feature[key] !== undefined) return nested
    const comparator = comparatorOf(feature)
    return comparator === undefined ? nested : { ...nested, [key]: comparator }
  }
  const comparatorOf = ({ type }: SchemaFeature): FeatureComparator | undefined => {
    if (type === 'BYTES') return linf === undefined ? undefined : { infinityNorm: { threshold: linf } }
    if (type === 'INT' || type === 'FLOAT')
      return js === undefined ? undefined : { jensenShannonDivergence: { threshold: js } }
    return undefined
  }
  return { ...schema, feature: (schema.feature ?? []).map(limited) }
}
