import type { MessageSpec } from '../base/proto/proto-message.ts'
import { pathSpec } from './derived-feature-proto.ts'
import { schemaSpec } from './schema-specs.ts'

// tensorflow_metadata.proto.v0, anomalies.proto: numbers, types and oneofs. The TypeScript types are in anomalies-proto.ts.

/** Why something is an anomaly, with the numbers of the format. */
export const anomalyTypes = {
  UNKNOWN_TYPE: 0,
  BOOL_TYPE_BIG_INT: 1,
  BOOL_TYPE_BYTES_NOT_INT: 2,
  BOOL_TYPE_BYTES_NOT_STRING: 3,
  BOOL_TYPE_FLOAT_NOT_INT: 4,
  BOOL_TYPE_FLOAT_NOT_STRING: 5,
  BOOL_TYPE_INT_NOT_STRING: 6,
  BOOL_TYPE_SMALL_INT: 7,
  BOOL_TYPE_STRING_NOT_INT: 8,
  BOOL_TYPE_UNEXPECTED_STRING: 9,
  ENUM_TYPE_BYTES_NOT_STRING: 10,
  ENUM_TYPE_FLOAT_NOT_STRING: 11,
  ENUM_TYPE_INT_NOT_STRING: 12,
  ENUM_TYPE_INVALID_UTF8: 13,
  ENUM_TYPE_UNEXPECTED_STRING_VALUES: 14,
  FEATURE_TYPE_HIGH_NUMBER_VALUES: 15,
  FEATURE_TYPE_LOW_FRACTION_PRESENT: 16,
  FEATURE_TYPE_LOW_NUMBER_PRESENT: 17,
  FEATURE_TYPE_LOW_NUMBER_VALUES: 18,
  FEATURE_TYPE_NOT_PRESENT: 19,
  FEATURE_TYPE_NO_VALUES: 20,
  FEATURE_TYPE_UNEXPECTED_REPEATED: 21,
  FLOAT_TYPE_BIG_FLOAT: 22,
  FLOAT_TYPE_NOT_FLOAT: 23,
  FLOAT_TYPE_SMALL_FLOAT: 24,
  FLOAT_TYPE_STRING_NOT_FLOAT: 25,
  FLOAT_TYPE_NON_STRING: 26,
  FLOAT_TYPE_UNKNOWN_TYPE_NUMBER: 27,
  INT_TYPE_BIG_INT: 28,
  INT_TYPE_INT_EXPECTED: 29,
  INT_TYPE_NOT_INT_STRING: 30,
  INT_TYPE_NOT_STRING: 31,
  INT_TYPE_SMALL_INT: 32,
  INT_TYPE_STRING_EXPECTED: 33,
  INT_TYPE_UNKNOWN_TYPE_NUMBER: 34,
  SCHEMA_MISSING_COLUMN: 35,
  SCHEMA_NEW_COLUMN: 36,
  SCHEMA_TRAINING_SERVING_SKEW: 37,
  STRING_TYPE_NOW_FLOAT: 38,
  STRING_TYPE_NOW_INT: 39,
  COMPARATOR_CONTROL_DATA_MISSING: 40,
  COMPARATOR_TREATMENT_DATA_MISSING: 41,
  COMPARATOR_L_INFTY_HIGH: 42,
  NO_DATA_IN_SPAN: 43,
  SPARSE_FEATURE_MISSING_VALUE: 44,
  SPARSE_FEATURE_MISSING_INDEX: 45,
  SPARSE_FEATURE_LENGTH_MISMATCH: 46,
  SPARSE_FEATURE_NAME_COLLISION: 47,
  SEMANTIC_DOMAIN_UPDATE: 48,
  COMPARATOR_LOW_NUM_EXAMPLES: 49,
  COMPARATOR_HIGH_NUM_EXAMPLES: 50,
  DATASET_LOW_NUM_EXAMPLES: 51,
  BOOL_TYPE_UNEXPECTED_FLOAT: 52,
  FLOAT_TYPE_HAS_NAN: 53,
  WEIGHTED_FEATURE_NAME_COLLISION: 54,
  WEIGHTED_FEATURE_MISSING_VALUE: 55,
  WEIGHTED_FEATURE_MISSING_WEIGHT: 56,
  WEIGHTED_FEATURE_LENGTH_MISMATCH: 57,
  DATASET_HIGH_NUM_EXAMPLES: 58,
  FEATURE_TYPE_HIGH_UNIQUE: 59,
  FEATURE_TYPE_LOW_UNIQUE: 60,
  FEATURE_TYPE_NO_UNIQUE: 61,
  FLOAT_TYPE_HAS_INF: 62,
  COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH: 63,
  LOW_SUPPORTED_IMAGE_FRACTION: 64,
  VALUE_NESTEDNESS_MISMATCH: 65,
  DOMAIN_INVALID_FOR_TYPE: 66,
  FEATURE_MISSING_NAME: 67,
  FEATURE_MISSING_TYPE: 68,
  INVALID_SCHEMA_SPECIFICATION: 69,
  UNEXPECTED_DATA_TYPE: 70,
  SEQUENCE_VALUE_TOO_FEW_OCCURRENCES: 71,
  SEQUENCE_VALUE_TOO_MANY_OCCURRENCES: 72,
  SEQUENCE_VALUE_TOO_SMALL_FRACTION: 73,
  SEQUENCE_VALUE_TOO_LARGE_FRACTION: 74,
  FEATURE_COVERAGE_TOO_LOW: 75,
  FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH: 76,
  NLP_WRONG_LOCATION: 77,
  EMBEDDING_SHAPE_INVALID: 78,
  MAX_IMAGE_BYTE_SIZE_EXCEEDED: 79,
  INVALID_FEATURE_SHAPE: 80,
  INVALID_DOMAIN_SPECIFICATION: 81,
  MULTIPLE_REASONS: 82,
  STATS_NOT_AVAILABLE: 83,
  DERIVED_FEATURE_BAD_LIFECYCLE: 84,
  DERIVED_FEATURE_INVALID_SOURCE: 85,
  CUSTOM_VALIDATION: 86,
} as const

const unchangedSpec: MessageSpec = {
  name: 'UnchangedRegion',
  syntax: 2,
  fields: { leftStart: [1, 'int32'], rightStart: [2, 'int32'], contents: [3, 'string', 'repeated'] },
}
const oneSideSpec: MessageSpec = {
  name: 'OneSideRegion',
  syntax: 2,
  fields: { start: [1, 'int32'], contents: [2, 'string', 'repeated'] },
}
const changedSpec: MessageSpec = {
  name: 'ChangedRegion',
  syntax: 2,
  fields: {
    leftStart: [1, 'int32'],
    leftContents: [2, 'string', 'repeated'],
    rightStart: [3, 'int32'],
    rightContents: [4, 'string', 'repeated'],
  },
}
const hiddenSpec: MessageSpec = {
  name: 'HiddenRegion',
  syntax: 2,
  fields: { leftStart: [1, 'int32'], rightStart: [2, 'int32'], size: [3, 'int32'] },
}
const diffSpec: MessageSpec = {
  name: 'DiffRegion',
  syntax: 2,
  fields: {
    unchanged: [1, () => unchangedSpec, 'oneof:details'],
    removed: [2, () => oneSideSpec, 'oneof:details'],
    added: [3, () => oneSideSpec, 'oneof:details'],
    changed: [4, () => changedSpec, 'oneof:details'],
    hidden: [5, () => hiddenSpec, 'oneof:details'],
  },
}
const reasonSpec: MessageSpec = {
  name: 'AnomalyInfo.Reason',
  syntax: 2,
  fields: { type: [1, anomalyTypes], shortDescription: [2, 'string'], description: [3, 'string'] },
}
const infoSpec: MessageSpec = {
  name: 'AnomalyInfo',
  syntax: 2,
  fields: {
    description: [2, 'string'],
    diffRegions: [4, () => diffSpec, 'repeated'],
    severity: [5, { UNKNOWN: 0, WARNING: 1, ERROR: 2 }],
    shortDescription: [6, 'string'],
    reason: [7, () => reasonSpec, 'repeated'],
    path: [8, () => pathSpec],
  },
}
const measurementSpec: MessageSpec = {
  name: 'DriftSkewInfo.Measurement',
  syntax: 2,
  fields: {
    type: [1, { UNKNOWN: 0, L_INFTY: 1, JENSEN_SHANNON_DIVERGENCE: 2 }],
    value: [2, 'double'],
    threshold: [3, 'double'],
  },
}
const driftSkewSpec: MessageSpec = {
  name: 'DriftSkewInfo',
  syntax: 2,
  fields: {
    path: [1, () => pathSpec],
    driftMeasurements: [2, () => measurementSpec, 'repeated'],
    skewMeasurements: [3, () => measurementSpec, 'repeated'],
  },
}

/** The root message. */
export const anomaliesSpec: MessageSpec = {
  name: 'Anomalies',
  syntax: 2,
  fields: {
    baseline: [1, () => schemaSpec, 'oneof:baseline_schema'],
    anomalyInfo: [2, () => infoSpec, 'map'],
    dataMissing: [3, 'bool'],
    baselineV1: [6, () => schemaSpec, 'oneof:baseline_schema'],
    anomalyNameFormat: [7, { UNKNOWN: 0, SERIALIZED_PATH: 1 }],
    datasetAnomalyInfo: [8, () => infoSpec],
    driftSkewInfo: [9, () => driftSkewSpec, 'repeated'],
  },
}
