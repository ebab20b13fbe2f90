import type { MessageSpec } from '../base/proto/proto-message.ts'
import { anySpec } from '../base/proto/well-known.ts'
import { derivedFeatureSourceSpec, pathSpec } from './derived-feature-proto.ts'

// tensorflow_metadata.proto.v0, statistics.proto: numbers, types and oneofs. The TypeScript types are in statistics-proto.ts.

const rankBucketSpec: MessageSpec = {
  name: 'RankHistogram.Bucket',
  syntax: 3,
  fields: { lowRank: [1, 'count'], highRank: [2, 'count'], label: [4, 'string'], sampleCount: [5, 'double'] },
}
const rankSpec: MessageSpec = {
  name: 'RankHistogram',
  syntax: 3,
  fields: { buckets: [1, () => rankBucketSpec, 'repeated'], name: [2, 'string'] },
}
const bucketSpec: MessageSpec = {
  name: 'Histogram.Bucket',
  syntax: 3,
  fields: { lowValue: [1, 'double'], highValue: [2, 'double'], sampleCount: [4, 'double'] },
}
const histogramSpec: MessageSpec = {
  name: 'Histogram',
  syntax: 3,
  fields: {
    numNan: [1, 'count'],
    numUndefined: [2, 'count'],
    buckets: [3, () => bucketSpec, 'repeated'],
    type: [4, { STANDARD: 0, QUANTILES: 1 }],
    name: [5, 'string'],
  },
}
const weightedCommonSpec: MessageSpec = {
  name: 'WeightedCommonStatistics',
  syntax: 3,
  fields: {
    numNonMissing: [1, 'double'],
    numMissing: [2, 'double'],
    avgNumValues: [3, 'double'],
    totNumValues: [4, 'double'],
  },
}
const valencySpec: MessageSpec = {
  name: 'PresenceAndValencyStatistics',
  syntax: 3,
  fields: {
    numNonMissing: [1, 'count'],
    numMissing: [2, 'count'],
    minNumValues: [3, 'count'],
    maxNumValues: [4, 'count'],
    totNumValues: [5, 'count'],
  },
}
const commonSpec: MessageSpec = {
  name: 'CommonStatistics',
  syntax: 3,
  fields: {
    numNonMissing: [1, 'count'],
    numMissing: [2, 'count'],
    minNumValues: [3, 'count'],
    maxNumValues: [4, 'count'],
    avgNumValues: [5, 'float'],
    numValuesHistogram: [6, () => histogramSpec],
    weightedCommonStats: [7, () => weightedCommonSpec],
    totNumValues: [8, 'count'],
    featureListLengthHistogram: [9, () => histogramSpec],
    presenceAndValencyStats: [10, () => valencySpec, 'repeated'],
    weightedPresenceAndValencyStats: [11, () => weightedCommonSpec, 'repeated'],
  },
}
const weightedNumericSpec: MessageSpec = {
  name: 'WeightedNumericStatistics',
  syntax: 3,
  fields: {
    mean: [1, 'double'],
    stdDev: [2, 'double'],
    median: [3, 'double'],
    histograms: [4, () => histogramSpec, 'repeated'],
  },
}
const numericSpec: MessageSpec = {
  name: 'NumericStatistics',
  syntax: 3,
  fields: {
    commonStats: [1, () => commonSpec],
    mean: [2, 'double'],
    stdDev: [3, 'double'],
    numZeros: [4, 'count'],
    min: [5, 'double'],
    median: [6, 'double'],
    max: [7, 'double'],
    histograms: [8, () => histogramSpec, 'repeated'],
    weightedNumericStats: [9, () => weightedNumericSpec],
  },
}
const freqSpec: MessageSpec = {
  name: 'StringStatistics.FreqAndValue',
  syntax: 3,
  fields: { value: [2, 'string'], frequency: [3, 'double'] },
}
const weightedStringSpec: MessageSpec = {
  name: 'WeightedStringStatistics',
  syntax: 3,
  fields: { topValues: [1, () => freqSpec, 'repeated'], rankHistogram: [2, () => rankSpec] },
}
const stringSpec: MessageSpec = {
  name: 'StringStatistics',
  syntax: 3,
  fields: {
    commonStats: [1, () => commonSpec],
    unique: [2, 'count'],
    topValues: [3, () => freqSpec, 'repeated'],
    avgLength: [4, 'float'],
    rankHistogram: [5, () => rankSpec],
    weightedStringStats: [6, () => weightedStringSpec],
    vocabularyFile: [7, 'string'],
    invalidUtf8Count: [8, 'count'],
  },
}
const bytesSpec: MessageSpec = {
  name: 'BytesStatistics',
  syntax: 3,
  fields: {
    commonStats: [1, () => commonSpec],
    unique: [2, 'count'],
    avgNumBytes: [3, 'float'],
    minNumBytes: [4, 'float'],
    maxNumBytes: [5, 'float'],
    maxNumBytesInt: [6, 'int64'],
  },
}
const structSpec: MessageSpec = { name: 'StructStatistics', syntax: 3, fields: { commonStats: [1, () => commonSpec] } }
const customSpec: MessageSpec = {
  name: 'CustomStatistic',
  syntax: 3,
  fields: {
    name: [1, 'string'],
    num: [2, 'double', 'oneof:val'],
    str: [3, 'string', 'oneof:val'],
    histogram: [4, () => histogramSpec, 'oneof:val'],
    rankHistogram: [5, () => rankSpec, 'oneof:val'],
    any: [6, () => anySpec, 'oneof:val'],
  },
}
const featureSpec: MessageSpec = {
  name: 'FeatureNameStatistics',
  syntax: 3,
  fields: {
    name: [1, 'string', 'oneof:field_id'],
    type: [2, { INT: 0, FLOAT: 1, STRING: 2, BYTES: 3, STRUCT: 4 }],
    numStats: [3, () => numericSpec, 'oneof:stats'],
    stringStats: [4, () => stringSpec, 'oneof:stats'],
    bytesStats: [5, () => bytesSpec, 'oneof:stats'],
    customStats: [6, () => customSpec, 'repeated'],
    structStats: [7, () => structSpec, 'oneof:stats'],
    path: [8, () => pathSpec, 'oneof:field_id'],
    derivedSource: [9, () => derivedFeatureSourceSpec],
    validationDerivedSource: [10, () => derivedFeatureSourceSpec],
  },
}
const liftValueSpec: MessageSpec = {
  name: 'LiftSeries.LiftValue',
  syntax: 3,
  fields: {
    xInt: [1, 'int32', 'oneof:x_value'],
    xString: [2, 'string', 'oneof:x_value'],
    lift: [3, 'double'],
    xCount: [4, 'count', 'oneof:x_count_value'],
    weightedXCount: [5, 'double', 'oneof:x_count_value'],
    xAndYCount: [6, 'count', 'oneof:x_and_y_count_value'],
    weightedXAndYCount: [7, 'double', 'oneof:x_and_y_count_value'],
  },
}
const liftBucketSpec: MessageSpec = {
  name: 'LiftSeries.Bucket',
  syntax: 3,
  fields: { lowValue: [1, 'double'], highValue: [2, 'double'] },
}
const liftSeriesSpec: MessageSpec = {
  name: 'LiftSeries',
  syntax: 3,
  fields: {
    yInt: [1, 'int32', 'oneof:y_value'],
    yString: [2, 'string', 'oneof:y_value'],
    yBucket: [3, () => liftBucketSpec, 'oneof:y_value'],
    yCount: [4, 'count', 'oneof:y_count_value'],
    weightedYCount: [5, 'double', 'oneof:y_count_value'],
    liftValues: [6, () => liftValueSpec, 'repeated'],
  },
}
const liftSpec: MessageSpec = {
  name: 'LiftStatistics',
  syntax: 3,
  fields: {
    liftSeries: [1, () => liftSeriesSpec, 'repeated'],
    weightedLiftSeries: [2, () => liftSeriesSpec, 'repeated'],
  },
}
const numericCrossSpec: MessageSpec = {
  name: 'NumericCrossStatistics',
  syntax: 3,
  fields: { correlation: [1, 'float'], covariance: [2, 'float'] },
}
const categoricalCrossSpec: MessageSpec = {
  name: 'CategoricalCrossStatistics',
  syntax: 3,
  fields: { lift: [1, () => liftSpec] },
}
const crossSpec: MessageSpec = {
  name: 'CrossFeatureStatistics',
  syntax: 3,
  fields: {
    pathX: [1, () => pathSpec],
    pathY: [2, () => pathSpec],
    count: [3, 'count'],
    numCrossStats: [4, () => numericCrossSpec, 'oneof:cross_stats'],
    categoricalCrossStats: [5, () => categoricalCrossSpec, 'oneof:cross_stats'],
  },
}
const datasetSpec: MessageSpec = {
  name: 'DatasetFeatureStatistics',
  syntax: 3,
  fields: {
    name: [1, 'string'],
    numExamples: [2, 'count'],
    features: [3, () => featureSpec, 'repeated'],
    weightedNumExamples: [4, 'double'],
    crossFeatures: [5, () => crossSpec, 'repeated'],
  },
}
/** The root message. */
export const statisticsListSpec: MessageSpec = {
  name: 'DatasetFeatureStatisticsList',
  syntax: 3,
  fields: { datasets: [1, () => datasetSpec, 'repeated'] },
}
