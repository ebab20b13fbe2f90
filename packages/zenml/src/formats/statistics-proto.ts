import { decodeMessage } from '../base/proto/decode.ts'
import { encodeMessage } from '../base/proto/encode.ts'
import type { MessageValue, UnknownField } from '../base/proto/proto-message.ts'
import type { DerivedFeatureSource, Path } from './derived-feature-proto.ts'
import { statisticsListSpec } from './statistics-specs.ts'

// tensorflow_metadata.proto.v0, statistics.proto. What is absent has the default of protocol buffers: 0, '', no items. Whole
// numbers are counts up to 2^53 - 1.

interface Message {
  /** Fields that this version does not know, kept for writing. */
  readonly unknownFields?: readonly UnknownField[]
}

/** Statistics of one or more data sets: the contents of a `FeatureStats.pb`. */
export interface DatasetFeatureStatisticsList extends Message {
  readonly datasets?: readonly DatasetFeatureStatistics[]
}

/** Statistics of one data set. */
export interface DatasetFeatureStatistics extends Message {
  readonly name?: string
  readonly numExamples?: number
  readonly weightedNumExamples?: number
  readonly features?: readonly FeatureNameStatistics[]
  readonly crossFeatures?: readonly CrossFeatureStatistics[]
}

/** What the values of a feature are. Absent is INT. */
export type StatisticsFeatureType = 'INT' | 'FLOAT' | 'STRING' | 'BYTES' | 'STRUCT'

/** Statistics of one feature: `name` or `path`, and one of the four kinds of statistics. */
export interface FeatureNameStatistics extends Message {
  readonly name?: string
  readonly path?: Path
  readonly type?: StatisticsFeatureType
  readonly numStats?: NumericStatistics
  readonly stringStats?: StringStatistics
  readonly bytesStats?: BytesStatistics
  readonly structStats?: StructStatistics
  readonly customStats?: readonly CustomStatistic[]
  readonly derivedSource?: DerivedFeatureSource
  readonly validationDerivedSource?: DerivedFeatureSource
}

/** Presence and number of values. */
export interface CommonStatistics extends Message {
  readonly numNonMissing?: number
  readonly numMissing?: number
  readonly minNumValues?: number
  readonly maxNumValues?: number
  /** float32 */
  readonly avgNumValues?: number
  readonly totNumValues?: number
  readonly numValuesHistogram?: Histogram
  readonly weightedCommonStats?: WeightedCommonStatistics
  readonly featureListLengthHistogram?: Histogram
  readonly presenceAndValencyStats?: readonly PresenceAndValencyStatistics[]
  readonly weightedPresenceAndValencyStats?: readonly WeightedCommonStatistics[]
}

/** Presence and number of values, weighted. */
export interface WeightedCommonStatistics extends Message {
  readonly numNonMissing?: number
  readonly numMissing?: number
  readonly avgNumValues?: number
  readonly totNumValues?: number
}

/** Presence and number of values at one level of nesting. */
export interface PresenceAndValencyStatistics extends Message {
  readonly numNonMissing?: number
  readonly numMissing?: number
  readonly minNumValues?: number
  readonly maxNumValues?: number
  readonly totNumValues?: number
}

/** Statistics of numbers. */
export interface NumericStatistics extends Message {
  readonly commonStats?: CommonStatistics
  readonly mean?: number
  readonly stdDev?: number
  readonly numZeros?: number
  readonly min?: number
  readonly median?: number
  readonly max?: number
  readonly histograms?: readonly Histogram[]
  readonly weightedNumericStats?: WeightedNumericStatistics
}

/** Statistics of numbers, weighted. */
export interface WeightedNumericStatistics extends Message {
  readonly mean?: number
  readonly stdDev?: number
  readonly median?: number
  readonly histograms?: readonly Histogram[]
}

/** Statistics of texts. */
export interface StringStatistics extends Message {
  readonly commonStats?: CommonStatistics
  readonly unique?: number
  /** The most frequent first. */
  readonly topValues?: readonly FreqAndValue[]
  /** float32 */
  readonly avgLength?: number
  readonly rankHistogram?: RankHistogram
  readonly weightedStringStats?: WeightedStringStatistics
  readonly vocabularyFile?: string
  readonly invalidUtf8Count?: number
}

/** A value and how often it stands. */
export interface FreqAndValue extends Message {
  readonly value?: string
  readonly frequency?: number
}

/** Statistics of texts, weighted. */
export interface WeightedStringStatistics extends Message {
  readonly topValues?: readonly FreqAndValue[]
  readonly rankHistogram?: RankHistogram
}

/** Statistics of byte strings that are no texts. */
export interface BytesStatistics extends Message {
  readonly commonStats?: CommonStatistics
  readonly unique?: number
  /** float32, as the next two */
  readonly avgNumBytes?: number
  readonly minNumBytes?: number
  readonly maxNumBytes?: number
  readonly maxNumBytesInt?: number | bigint
}

/** Statistics of a structure. */
export interface StructStatistics extends Message {
  readonly commonStats?: CommonStatistics
}

/** Buckets of equal width (STANDARD, the default) or equal counts (QUANTILES). */
export interface Histogram extends Message {
  readonly numNan?: number
  readonly numUndefined?: number
  readonly buckets?: readonly HistogramBucket[]
  readonly type?: 'STANDARD' | 'QUANTILES'
  readonly name?: string
}

/** From `lowValue` up to but without `highValue`; the last bucket has its upper end. */
export interface HistogramBucket extends Message {
  readonly lowValue?: number
  readonly highValue?: number
  readonly sampleCount?: number
}

/** How often the values stand, the most frequent first. */
export interface RankHistogram extends Message {
  readonly buckets?: readonly RankHistogramBucket[]
  readonly name?: string
}

/** Ranks from `lowRank` up to but without `highRank`. */
export interface RankHistogramBucket extends Message {
  readonly lowRank?: number
  readonly highRank?: number
  readonly label?: string
  readonly sampleCount?: number
}

/** A statistic of one's own, with one value. */
export interface CustomStatistic extends Message {
  readonly name?: string
  readonly num?: number
  readonly str?: string
  readonly histogram?: Histogram
  readonly rankHistogram?: RankHistogram
  readonly any?: { readonly typeUrl?: string; readonly value?: Uint8Array }
}

/** Statistics of two features together. */
export interface CrossFeatureStatistics extends Message {
  readonly pathX?: Path
  readonly pathY?: Path
  readonly count?: number
  readonly numCrossStats?: { readonly correlation?: number; readonly covariance?: number }
  readonly categoricalCrossStats?: { readonly lift?: LiftStatistics }
}

/** Lift of each value of y by the values of x. */
export interface LiftStatistics extends Message {
  readonly liftSeries?: readonly LiftSeries[]
  readonly weightedLiftSeries?: readonly LiftSeries[]
}

/** Lift of one value of y. */
export interface LiftSeries extends Message {
  readonly yInt?: number
  readonly yString?: string
  readonly yBucket?: { readonly lowValue?: number; readonly highValue?: number }
  readonly yCount?: number
  readonly weightedYCount?: number
  readonly liftValues?: readonly LiftValue[]
}

/** P(y | x) / P(y) for one value of x. */
export interface LiftValue extends Message {
  readonly xInt?: number
  readonly xString?: string
  readonly lift?: number
  readonly xCount?: number
  readonly weightedXCount?: number
  readonly xAndYCount?: number
  readonly weightedXAndYCount?: number
}

/**
 * Encodes statistics as `FeatureStats.pb` holds them; equal statistics are equal bytes. Throws `ZEN_PROTO_VALUE`.
 *
 * @example
 * encodeStatistics({ datasets: [{ numExamples: 3 }] }).length // 4
 */
export function encodeStatistics(statistics: DatasetFeatureStatisticsList): Uint8Array {
  return encodeMessage(statisticsListSpec, statistics as MessageValue)
}

/**
 * Decodes the bytes of a `FeatureStats.pb`; throws `ZEN_PROTO_CORRUPT`.
 *
 * @example
 * decodeStatistics(Uint8Array.of(10, 2, 16, 3)) // { datasets: [{ numExamples: 3 }] }
 */
export function decodeStatistics(bytes: Uint8Array): DatasetFeatureStatisticsList {
  return decodeMessage(statisticsListSpec, bytes) as DatasetFeatureStatisticsList
}
