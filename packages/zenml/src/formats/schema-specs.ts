import type { EnumValues, FieldSpec, MessageSpec } from '../base/proto/proto-message.ts'
import { anySpec } from '../base/proto/well-known.ts'
import { derivedFeatureSourceSpec, pathSpec } from './derived-feature-proto.ts'

// tensorflow_metadata.proto.v0, schema.proto: numbers, types and oneofs. The TypeScript types are in schema-proto.ts.

const lifecycleStage: EnumValues = {
  UNKNOWN_STAGE: 0,
  PLANNED: 1,
  ALPHA: 2,
  BETA: 3,
  PRODUCTION: 4,
  DEPRECATED: 5,
  DEBUG_ONLY: 6,
  DISABLED: 7,
  DERIVED: 8,
  VALIDATION_DERIVED: 9,
}
const featureType: EnumValues = { TYPE_UNKNOWN: 0, BYTES: 1, INT: 2, FLOAT: 3, STRUCT: 4 }

function message(name: string, fields: { readonly [key: string]: FieldSpec }): MessageSpec {
  return { name, syntax: 2, fields }
}

const annotation = /* @__PURE__ */ message('Annotation', {
  tag: [1, 'string', 'repeated'],
  comment: [2, 'string', 'repeated'],
  extraMetadata: [3, () => anySpec, 'repeated'],
})
const valueComparator = /* @__PURE__ */ message('NumericValueComparator', {
  minFractionThreshold: [1, 'double'],
  maxFractionThreshold: [2, 'double'],
})
const datasetConstraints = /* @__PURE__ */ message('DatasetConstraints', {
  numExamplesDriftComparator: [1, () => valueComparator],
  numExamplesVersionComparator: [2, () => valueComparator],
  minExamplesCount: [3, 'int64'],
  maxExamplesCount: [4, 'int64'],
})
const dim = /* @__PURE__ */ message('FixedShape.Dim', { size: [1, 'int64'], name: [2, 'string'] })
const fixedShape = /* @__PURE__ */ message('FixedShape', { dim: [2, () => dim, 'repeated'] })
const valueCount = /* @__PURE__ */ message('ValueCount', { min: [1, 'int64'], max: [2, 'int64'] })
const valueCountList = /* @__PURE__ */ message('ValueCountList', { valueCount: [1, () => valueCount, 'repeated'] })
const presence = /* @__PURE__ */ message('FeaturePresence', { minFraction: [1, 'double'], minCount: [2, 'int64'] })
const groupPresence = /* @__PURE__ */ message('FeaturePresenceWithinGroup', { required: [1, 'bool'] })
const weightedFeature = /* @__PURE__ */ message('WeightedFeature', {
  name: [1, 'string'],
  feature: [2, () => pathSpec],
  weightFeature: [3, () => pathSpec],
  lifecycleStage: [4, lifecycleStage],
})
const featureName = /* @__PURE__ */ message('SparseFeature.IndexFeature', { name: [1, 'string'] })
const sparseFeature = /* @__PURE__ */ message('SparseFeature', {
  name: [1, 'string'],
  deprecated: [2, 'bool'],
  presence: [4, () => presence],
  denseShape: [5, () => fixedShape],
  indexFeature: [6, () => featureName, 'repeated'],
  lifecycleStage: [7, lifecycleStage],
  isSorted: [8, 'bool'],
  valueFeature: [9, () => featureName],
  type: [10, featureType],
})
const distributionConstraints = /* @__PURE__ */ message('DistributionConstraints', { minDomainMass: [1, 'double'] })
const intDomain = /* @__PURE__ */ message('IntDomain', {
  name: [1, 'string'],
  min: [3, 'int64'],
  max: [4, 'int64'],
  isCategorical: [5, 'bool'],
})
const floatDomain = /* @__PURE__ */ message('FloatDomain', {
  name: [1, 'string'],
  min: [3, 'float'],
  max: [4, 'float'],
  disallowNan: [5, 'bool'],
  disallowInf: [6, 'bool'],
  isEmbedding: [7, 'bool'],
  isCategorical: [8, 'bool'],
  embeddingDim: [9, 'int64'],
})
const stringDomain = /* @__PURE__ */ message('StringDomain', {
  name: [1, 'string'],
  value: [2, 'string', 'repeated'],
  isCategorical: [3, { CATEGORICAL_UNSPECIFIED: 0, CATEGORICAL_YES: 1, CATEGORICAL_NO: 2 }],
})
const boolDomain = /* @__PURE__ */ message('BoolDomain', {
  name: [1, 'string'],
  trueValue: [2, 'string'],
  falseValue: [3, 'string'],
})
const structDomain: MessageSpec = /* @__PURE__ */ message('StructDomain', {
  feature: [1, () => feature, 'repeated'],
  sparseFeature: [2, () => sparseFeature, 'repeated'],
})
const coverage = /* @__PURE__ */ message('FeatureCoverageConstraints', {
  minCoverage: [1, 'float'],
  minAvgTokenLength: [2, 'float'],
  excludedStringTokens: [3, 'string', 'repeated'],
  excludedIntTokens: [4, 'int64', 'packed'],
  oovStringTokens: [5, 'string', 'repeated'],
})
const sequenceValue = /* @__PURE__ */ message('SequenceValueConstraints', {
  intValue: [1, 'int64', 'oneof:value'],
  stringValue: [2, 'string', 'oneof:value'],
  minPerSequence: [3, 'int64'],
  maxPerSequence: [4, 'int64'],
  minFractionOfSequences: [5, 'float'],
  maxFractionOfSequences: [6, 'float'],
})
const sequenceLength = /* @__PURE__ */ message('SequenceLengthConstraints', {
  excludedIntValue: [1, 'int64', 'repeated'],
  excludedStringValue: [2, 'string', 'repeated'],
  minSequenceLength: [3, 'int64'],
  maxSequenceLength: [4, 'int64'],
})
const naturalLanguage = /* @__PURE__ */ message('NaturalLanguageDomain', {
  vocabulary: [1, 'string'],
  coverage: [2, () => coverage],
  tokenConstraints: [3, () => sequenceValue, 'repeated'],
  locationConstraintRegex: [4, 'string'],
  sequenceLengthConstraints: [5, () => sequenceLength],
})
const image = /* @__PURE__ */ message('ImageDomain', {
  minimumSupportedImageFraction: [1, 'float'],
  maxImageByteSize: [2, 'int64'],
})
const mid = /* @__PURE__ */ message('MIDDomain', {})
const url = /* @__PURE__ */ message('URLDomain', {})
const time = /* @__PURE__ */ message('TimeDomain', {
  stringFormat: [1, 'string', 'oneof:format'],
  integerFormat: [
    2,
    {
      FORMAT_UNKNOWN: 0,
      UNIX_SECONDS: 1,
      UNIX_MILLISECONDS: 2,
      UNIX_MICROSECONDS: 3,
      UNIX_NANOSECONDS: 4,
      UNIX_DAYS: 5,
    },
    'oneof:format',
  ],
})
const timeOfDay = /* @__PURE__ */ message('TimeOfDayDomain', {
  stringFormat: [1, 'string', 'oneof:format'],
  integerFormat: [2, { FORMAT_UNKNOWN: 0, PACKED_64_NANOS: 1 }, 'oneof:format'],
})
const infinityNorm = /* @__PURE__ */ message('InfinityNorm', { threshold: [1, 'double'] })
const histogramSelection = /* @__PURE__ */ message('HistogramSelection', {
  type: [1, { DEFAULT: 0, QUANTILES: 1, STANDARD: 2 }],
})
const jensenShannon = /* @__PURE__ */ message('JensenShannonDivergence', {
  threshold: [1, 'double'],
  source: [2, () => histogramSelection],
})
const absoluteDifference = /* @__PURE__ */ message('NormalizedAbsoluteDifference', { threshold: [1, 'double'] })
const comparator = /* @__PURE__ */ message('FeatureComparator', {
  infinityNorm: [1, () => infinityNorm],
  jensenShannonDivergence: [2, () => jensenShannon],
  normalizedAbsDifference: [3, () => absoluteDifference],
})
const uniqueConstraints = /* @__PURE__ */ message('UniqueConstraints', { min: [1, 'int64'], max: [2, 'int64'] })
const sequenceMetadata = /* @__PURE__ */ message('SequenceMetadata', {
  sequentialStatus: [3, { SEQUENTIAL_UNSPECIFIED: 0, SEQUENTIAL_YES: 1, SEQUENTIAL_NO: 2 }],
  jointGroup: [4, 'string'],
  sequenceTruncationLimit: [5, 'int64'],
})
const feature: MessageSpec = /* @__PURE__ */ message('Feature', {
  name: [1, 'string'],
  deprecated: [2, 'bool'],
  valueCount: [5, () => valueCount, 'oneof:shape_type'],
  type: [6, featureType],
  domain: [7, 'string', 'oneof:domain_info'],
  intDomain: [9, () => intDomain, 'oneof:domain_info'],
  floatDomain: [10, () => floatDomain, 'oneof:domain_info'],
  stringDomain: [11, () => stringDomain, 'oneof:domain_info'],
  boolDomain: [13, () => boolDomain, 'oneof:domain_info'],
  presence: [14, () => presence, 'oneof:presence_constraints'],
  distributionConstraints: [15, () => distributionConstraints],
  annotation: [16, () => annotation],
  groupPresence: [17, () => groupPresence, 'oneof:presence_constraints'],
  skewComparator: [18, () => comparator],
  notInEnvironment: [19, 'string', 'repeated'],
  inEnvironment: [20, 'string', 'repeated'],
  driftComparator: [21, () => comparator],
  lifecycleStage: [22, lifecycleStage],
  shape: [23, () => fixedShape, 'oneof:shape_type'],
  naturalLanguageDomain: [24, () => naturalLanguage, 'oneof:domain_info'],
  imageDomain: [25, () => image, 'oneof:domain_info'],
  midDomain: [26, () => mid, 'oneof:domain_info'],
  urlDomain: [27, () => url, 'oneof:domain_info'],
  timeDomain: [28, () => time, 'oneof:domain_info'],
  structDomain: [29, () => structDomain, 'oneof:domain_info'],
  timeOfDayDomain: [30, () => timeOfDay, 'oneof:domain_info'],
  uniqueConstraints: [31, () => uniqueConstraints],
  valueCounts: [32, () => valueCountList, 'oneof:shape_type'],
  derivedSource: [33, () => derivedFeatureSourceSpec],
  validationDerivedSource: [34, () => derivedFeatureSourceSpec],
  sequenceMetadata: [35, () => sequenceMetadata],
})
const defaultValue = /* @__PURE__ */ message('TensorRepresentation.DefaultValue', {
  floatValue: [1, 'double', 'oneof:kind'],
  intValue: [2, 'int64', 'oneof:kind'],
  bytesValue: [3, 'bytes', 'oneof:kind'],
  uintValue: [4, 'uint64', 'oneof:kind'],
})
const denseTensor = /* @__PURE__ */ message('TensorRepresentation.DenseTensor', {
  columnName: [1, 'string'],
  shape: [2, () => fixedShape],
  defaultValue: [3, () => defaultValue],
})
const varlenSparseTensor = /* @__PURE__ */ message('TensorRepresentation.VarLenSparseTensor', {
  columnName: [1, 'string'],
})
const sparseTensor = /* @__PURE__ */ message('TensorRepresentation.SparseTensor', {
  denseShape: [1, () => fixedShape],
  indexColumnNames: [2, 'string', 'repeated'],
  valueColumnName: [3, 'string'],
  alreadySorted: [4, 'bool'],
})
const partition = /* @__PURE__ */ message('TensorRepresentation.RaggedTensor.Partition', {
  uniformRowLength: [1, 'int64', 'oneof:kind'],
  rowLength: [2, 'string', 'oneof:kind'],
})
const raggedTensor = /* @__PURE__ */ message('TensorRepresentation.RaggedTensor', {
  featurePath: [1, () => pathSpec],
  rowPartitionDtype: [2, { UNSPECIFIED: 0, INT64: 1, INT32: 2 }],
  partition: [3, () => partition, 'repeated'],
})
const tensorRepresentation = /* @__PURE__ */ message('TensorRepresentation', {
  denseTensor: [1, () => denseTensor, 'oneof:kind'],
  varlenSparseTensor: [2, () => varlenSparseTensor, 'oneof:kind'],
  sparseTensor: [3, () => sparseTensor, 'oneof:kind'],
  raggedTensor: [4, () => raggedTensor, 'oneof:kind'],
})
const representationEntry = /* @__PURE__ */ message('TensorRepresentationGroup.TensorRepresentationEntry', {
  key: [1, 'string'],
  value: [2, () => tensorRepresentation],
})
const representationGroup = /* @__PURE__ */ message('TensorRepresentationGroup', {
  tensorRepresentation: [1, () => representationEntry, 'repeated'],
})
const groupEntry = /* @__PURE__ */ message('Schema.TensorRepresentationGroupEntry', {
  key: [1, 'string'],
  value: [2, () => representationGroup],
})

/** The root message. */
export const schemaSpec: MessageSpec = /* @__PURE__ */ message('Schema', {
  feature: [1, () => feature, 'repeated'],
  stringDomain: [4, () => stringDomain, 'repeated'],
  defaultEnvironment: [5, 'string', 'repeated'],
  sparseFeature: [6, () => sparseFeature, 'repeated'],
  // In Google's own builds only, but open-source files carry it too.
  generateLegacyFeatureSpec: [7, 'bool'],
  annotation: [8, () => annotation],
  floatDomain: [9, () => floatDomain, 'repeated'],
  intDomain: [10, () => intDomain, 'repeated'],
  datasetConstraints: [11, () => datasetConstraints],
  weightedFeature: [12, () => weightedFeature, 'repeated'],
  tensorRepresentationGroup: [13, () => groupEntry, 'repeated'],
  representVariableLengthAsRagged: [14, 'bool'],
})
