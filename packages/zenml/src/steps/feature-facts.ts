import type { DatasetFeatureStatistics, FeatureNameStatistics, NumericStatistics } from '../formats/statistics-proto.ts'
import { commonOf, featureName, histogramOf, isOnlyNan, stepsOf } from './feature-view.ts'

/** What statistics say of a feature, in the words of tables and charts. */
export interface FeatureFacts {
  /** Its name; of one inside of a structure the serialised path. */
  readonly feature: string
  readonly kind: 'int' | 'float' | 'text' | 'bytes' | 'struct'
  /** Examples that have a value. */
  readonly count: number
  /** Examples that have none. */
  readonly missing: number
  /** Least, greatest and mean number of values of an example that has any. */
  readonly valuesPerExample: { readonly min: number; readonly max: number; readonly mean: number }
  /** Of numbers; null where there is none, and for texts. Where all are NaN, so are mean, deviation, extremes and median. */
  readonly numbers: NumberFacts | null
  /** Of texts and bytes. */
  readonly texts: TextFacts | null
}

/** Facts of numbers. */
export interface NumberFacts {
  readonly mean: number
  readonly std: number
  readonly min: number
  readonly median: number
  readonly max: number
  readonly zeros: number
  readonly nan: number
  /** Boundaries of the buckets of equal counts, from the least value to the greatest; none where there is no such histogram. */
  readonly quantiles: readonly number[]
  /** Buckets of equal width. */
  readonly histogram: readonly { readonly low: number; readonly high: number; readonly count: number }[]
}

/** Facts of texts. */
export interface TextFacts {
  readonly unique: number
  /** Bytes. */
  readonly meanLength: number
  /** The most frequent first, at most 20. */
  readonly topValues: readonly { readonly value: string; readonly count: number }[]
}

/** The facts of every feature, in the order of the statistics. */
export function factsOf({ features = [] }: DatasetFeatureStatistics): readonly FeatureFacts[] {
  return features.map((feature): FeatureFacts => {
    const {
      numNonMissing = 0,
      numMissing = 0,
      minNumValues = 0,
      maxNumValues = 0,
      avgNumValues = 0,
    } = commonOf(feature)
    return {
      feature: featureName(stepsOf(feature)),
      kind: kindOf(feature),
      count: numNonMissing,
      missing: numMissing,
      valuesPerExample: { min: minNumValues, max: maxNumValues, mean: avgNumValues },
      numbers: numNonMissing === 0 ? null : numbersOf(feature),
      texts: textsOf(feature),
    }
  })
}

function kindOf({ type, stringStats, bytesStats, structStats }: FeatureNameStatistics): FeatureFacts['kind'] {
  if (structStats !== undefined) return 'struct'
  if (bytesStats !== undefined) return 'bytes'
  if (stringStats !== undefined) return 'text'
  return type === 'FLOAT' ? 'float' : 'int'
}

function numbersOf(feature: FeatureNameStatistics): NumberFacts | null {
  const { numStats } = feature
  if (numStats?.histograms === undefined) return null
  // What is absent means 0, but for numbers of which none is one.
  const absent = isOnlyNan(numStats) ? Number.NaN : 0
  const { mean = absent, stdDev = absent, min = absent, median = absent, max = absent, numZeros = 0 } = numStats
  return {
    mean,
    std: stdDev,
    min,
    median,
    max,
    zeros: numZeros,
    nan: nanOf(numStats),
    quantiles: quantilesOf(feature),
    histogram: (histogramOf(feature)?.buckets ?? []).map(
      ({ lowValue: low = 0, highValue: high = 0, sampleCount: count = 0 }) => ({ low, high, count }),
    ),
  }
}

function nanOf({ histograms = [] }: NumericStatistics): number {
  return histograms.reduce((most, { numNan = 0 }) => Math.max(most, numNan), 0)
}

function quantilesOf(feature: FeatureNameStatistics): readonly number[] {
  const { buckets = [] } = histogramOf(feature, 'QUANTILES') ?? {}
  if (buckets.length === 0) return []
  return [buckets[0]!.lowValue ?? 0, ...buckets.map(({ highValue = 0 }) => highValue)]
}

function textsOf({ stringStats, bytesStats }: FeatureNameStatistics): TextFacts | null {
  if (stringStats !== undefined) {
    const { unique = 0, avgLength = 0, topValues = [] } = stringStats
    return {
      unique,
      meanLength: avgLength,
      topValues: topValues.map(({ value = '', frequency: count = 0 }) => ({ value, count })),
    }
  }
  if (bytesStats === undefined) return null
  return { unique: bytesStats.unique ?? 0, meanLength: bytesStats.avgNumBytes ?? 0, topValues: [] }
}
