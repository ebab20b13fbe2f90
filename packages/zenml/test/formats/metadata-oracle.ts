import fc from 'fast-check'
import protobuf from 'protobufjs'

// The messages of TensorFlow Metadata for protobufjs, the independent implementation that ours is held against: field numbers as the public
// format gives them, written down apart from the tables that the product has. One line a message, one a field: `name = number`.

/** `syntax; Message: field=number:type ...`; types: `*` is repeated, `!` packed, `|group` a oneof. */
const proto2 = `
Path: step=1:string*
Any3: type_url=1:string value=2:bytes
ArgmaxTopK3: k=1:uint32
AllowlistDeriver3: allowed_bytes_value=1:bytes* placeholder_value=2:bytes
ReduceOp3: op_name=1:string
SliceSql3: expression=1:string feature_value_type=2:ValueType drop_struct_name=3:bool
DerivedFeatureConfig3: allowlist=1:AllowlistDeriver3|type argmax_top_k=2:ArgmaxTopK3|type reduce_op=3:ReduceOp3|type slice_sql=4:SliceSql3|type
DerivedFeatureSource3: deriver_name=1:string description=2:string source_path=3:Path* declaratively_configured=4:bool config=5:DerivedFeatureConfig3
Schema: feature=1:Feature* string_domain=4:StringDomain* default_environment=5:string* sparse_feature=6:SparseFeature* generate_legacy_feature_spec=7:bool annotation=8:Annotation float_domain=9:FloatDomain* int_domain=10:IntDomain* dataset_constraints=11:DatasetConstraints weighted_feature=12:WeightedFeature* tensor_representation_group=13:GroupEntry* represent_variable_length_as_ragged=14:bool
GroupEntry: key=1:string value=2:TensorRepresentationGroup
TensorRepresentationGroup: tensor_representation=1:RepresentationEntry*
RepresentationEntry: key=1:string value=2:TensorRepresentation
TensorRepresentation: dense_tensor=1:DenseTensor|kind varlen_sparse_tensor=2:VarLenSparseTensor|kind sparse_tensor=3:SparseTensor|kind ragged_tensor=4:RaggedTensor|kind
DenseTensor: column_name=1:string shape=2:FixedShape default_value=3:DefaultValue
DefaultValue: float_value=1:double|kind int_value=2:int64|kind bytes_value=3:bytes|kind uint_value=4:uint64|kind
VarLenSparseTensor: column_name=1:string
SparseTensor: dense_shape=1:FixedShape index_column_names=2:string* value_column_name=3:string already_sorted=4:bool
RaggedTensor: feature_path=1:Path row_partition_dtype=2:RowPartition partition=3:Partition*
Partition: uniform_row_length=1:int64|kind row_length=2:string|kind
Feature: name=1:string deprecated=2:bool value_count=5:ValueCount|shape_type type=6:FeatureType domain=7:string|domain_info int_domain=9:IntDomain|domain_info float_domain=10:FloatDomain|domain_info string_domain=11:StringDomain|domain_info bool_domain=13:BoolDomain|domain_info presence=14:FeaturePresence|presence_constraints distribution_constraints=15:DistributionConstraints annotation=16:Annotation group_presence=17:WithinGroup|presence_constraints skew_comparator=18:FeatureComparator not_in_environment=19:string* in_environment=20:string* drift_comparator=21:FeatureComparator lifecycle_stage=22:LifecycleStage shape=23:FixedShape|shape_type natural_language_domain=24:NaturalLanguage|domain_info image_domain=25:ImageDomain|domain_info mid_domain=26:Empty|domain_info url_domain=27:Empty|domain_info time_domain=28:TimeDomain|domain_info struct_domain=29:StructDomain|domain_info time_of_day_domain=30:TimeOfDay|domain_info unique_constraints=31:ValueCount value_counts=32:ValueCountList|shape_type validation_derived_source=34:DerivedFeatureSource3 sequence_metadata=35:SequenceMetadata
Empty:
ValueCount: min=1:int64 max=2:int64
ValueCountList: value_count=1:ValueCount*
FixedShape: dim=2:Dim*
Dim: size=1:int64 name=2:string
FeaturePresence: min_fraction=1:double min_count=2:int64
WithinGroup: required=1:bool
IntDomain: name=1:string min=3:int64 max=4:int64 is_categorical=5:bool
FloatDomain: name=1:string min=3:float max=4:float disallow_nan=5:bool disallow_inf=6:bool is_embedding=7:bool is_categorical=8:bool embedding_dim=9:int64
StringDomain: name=1:string value=2:string* is_categorical=3:Categorical
BoolDomain: name=1:string true_value=2:string false_value=3:string
StructDomain: feature=1:Feature* sparse_feature=2:SparseFeature*
SparseFeature: name=1:string deprecated=2:bool presence=4:FeaturePresence dense_shape=5:FixedShape index_feature=6:Named* lifecycle_stage=7:LifecycleStage is_sorted=8:bool value_feature=9:Named type=10:FeatureType
Named: name=1:string
WeightedFeature: name=1:string feature=2:Path weight_feature=3:Path lifecycle_stage=4:LifecycleStage
DistributionConstraints: min_domain_mass=1:double
Annotation: tag=1:string* comment=2:string* extra_metadata=3:Any3*
FeatureComparator: infinity_norm=1:Threshold jensen_shannon_divergence=2:JensenShannon normalized_abs_difference=3:Threshold
Threshold: threshold=1:double
JensenShannon: threshold=1:double source=2:HistogramSelection
HistogramSelection: type=1:SelectionType
NaturalLanguage: vocabulary=1:string coverage=2:Coverage token_constraints=3:TokenConstraints* location_constraint_regex=4:string sequence_length_constraints=5:SequenceLength
Coverage: min_coverage=1:float min_avg_token_length=2:float excluded_string_tokens=3:string* excluded_int_tokens=4:int64! oov_string_tokens=5:string*
TokenConstraints: int_value=1:int64|value string_value=2:string|value min_per_sequence=3:int64 max_per_sequence=4:int64 min_fraction_of_sequences=5:float max_fraction_of_sequences=6:float
SequenceLength: excluded_int_value=1:int64* excluded_string_value=2:string* min_sequence_length=3:int64 max_sequence_length=4:int64
ImageDomain: minimum_supported_image_fraction=1:float max_image_byte_size=2:int64
TimeDomain: string_format=1:string|format integer_format=2:TimeFormat|format
TimeOfDay: string_format=1:string|format integer_format=2:TimeOfDayFormat|format
SequenceMetadata: sequential_status=3:SequentialStatus joint_group=4:string sequence_truncation_limit=5:int64
DatasetConstraints: num_examples_drift_comparator=1:NumericComparator num_examples_version_comparator=2:NumericComparator min_examples_count=3:int64 max_examples_count=4:int64
NumericComparator: min_fraction_threshold=1:double max_fraction_threshold=2:double
Anomalies: baseline=1:Schema|schema anomaly_info=2:InfoEntry* data_missing=3:bool baseline_v1=6:Schema|schema anomaly_name_format=7:NameFormat dataset_anomaly_info=8:AnomalyInfo drift_skew_info=9:DriftSkewInfo*
InfoEntry: key=1:string value=2:AnomalyInfo
AnomalyInfo: description=2:string diff_regions=4:DiffRegion* severity=5:Severity short_description=6:string reason=7:Reason* path=8:Path
Reason: type=1:AnomalyType short_description=2:string description=3:string
DriftSkewInfo: path=1:Path drift_measurements=2:Measurement* skew_measurements=3:Measurement*
Measurement: type=1:MeasurementType value=2:double threshold=3:double
DiffRegion: unchanged=1:Unchanged|details removed=2:OneSide|details added=3:OneSide|details changed=4:Changed|details hidden=5:Hidden|details
Unchanged: left_start=1:int32 right_start=2:int32 contents=3:string*
OneSide: start=1:int32 contents=2:string*
Changed: left_start=1:int32 left_contents=2:string* right_start=3:int32 right_contents=4:string*
Hidden: left_start=1:int32 right_start=2:int32 size=3:int32
StatisticsList3: datasets=1:Dataset3*
Dataset3: name=1:string num_examples=2:uint64 features=3:FeatureStatistics3* weighted_num_examples=4:double cross_features=5:Cross3*
FeatureStatistics3: name=1:string|field_id type=2:StatisticsType num_stats=3:Numeric3|stats string_stats=4:String3|stats bytes_stats=5:Bytes3|stats custom_stats=6:Custom3* struct_stats=7:Struct3|stats path=8:Path|field_id
Common3: num_non_missing=1:uint64 num_missing=2:uint64 min_num_values=3:uint64 max_num_values=4:uint64 avg_num_values=5:float num_values_histogram=6:Histogram3 weighted_common_stats=7:WeightedCommon3 tot_num_values=8:uint64 feature_list_length_histogram=9:Histogram3 presence_and_valency_stats=10:Valency3* weighted_presence_and_valency_stats=11:WeightedCommon3*
Valency3: num_non_missing=1:uint64 num_missing=2:uint64 min_num_values=3:uint64 max_num_values=4:uint64 tot_num_values=5:uint64
WeightedCommon3: num_non_missing=1:double num_missing=2:double avg_num_values=3:double tot_num_values=4:double
Numeric3: common_stats=1:Common3 mean=2:double std_dev=3:double num_zeros=4:uint64 min=5:double median=6:double max=7:double histograms=8:Histogram3* weighted_numeric_stats=9:WeightedNumeric3
WeightedNumeric3: mean=1:double std_dev=2:double median=3:double histograms=4:Histogram3*
String3: common_stats=1:Common3 unique=2:uint64 top_values=3:FreqAndValue3* avg_length=4:float rank_histogram=5:Rank3 weighted_string_stats=6:WeightedString3 vocabulary_file=7:string
FreqAndValue3: value=2:string frequency=3:double
WeightedString3: top_values=1:FreqAndValue3* rank_histogram=2:Rank3
Bytes3: common_stats=1:Common3 unique=2:uint64 avg_num_bytes=3:float min_num_bytes=4:float max_num_bytes=5:float
Struct3: common_stats=1:Common3
Custom3: name=1:string num=2:double|val str=3:string|val histogram=4:Histogram3|val rank_histogram=5:Rank3|val
Histogram3: num_nan=1:uint64 num_undefined=2:uint64 buckets=3:Bucket3* type=4:HistogramType name=5:string
Bucket3: low_value=1:double high_value=2:double sample_count=4:double
Rank3: buckets=1:RankBucket3* name=2:string
RankBucket3: low_rank=1:uint64 high_rank=2:uint64 label=4:string sample_count=5:double
Cross3: path_x=1:Path path_y=2:Path count=3:uint64 num_cross_stats=4:NumericCross3|cross_stats categorical_cross_stats=5:CategoricalCross3|cross_stats
NumericCross3: correlation=1:float covariance=2:float
CategoricalCross3: lift=1:Lift3
Lift3: lift_series=1:LiftSeries3* weighted_lift_series=2:LiftSeries3*
LiftSeries3: y_int=1:int32|y y_string=2:string|y y_bucket=3:LiftBucket3|y y_count=4:uint64|count weighted_y_count=5:double|count lift_values=6:LiftValue3*
LiftBucket3: low_value=1:double high_value=2:double
LiftValue3: x_int=1:int32|x x_string=2:string|x lift=3:double x_count=4:uint64|xc weighted_x_count=5:double|xc x_and_y_count=6:uint64|xy weighted_x_and_y_count=7:double|xy
`

const enums: { readonly [name: string]: { readonly [value: string]: number } } = {
  ValueType: { VALUE_TYPE_DEFAULT: 0, VALUE_TYPE_INTEGER: 1, VALUE_TYPE_FLOAT: 2, VALUE_TYPE_UNSUPPORTED: 3 },
  RowPartition: { UNSPECIFIED: 0, INT64: 1, INT32: 2 },
  FeatureType: { TYPE_UNKNOWN: 0, BYTES: 1, INT: 2, FLOAT: 3, STRUCT: 4 },
  LifecycleStage: {
    UNKNOWN_STAGE: 0,
    PLANNED: 1,
    ALPHA: 2,
    BETA: 3,
    PRODUCTION: 4,
    DEPRECATED: 5,
    DEBUG_ONLY: 6,
    DISABLED: 7,
    VALIDATION_DERIVED: 9,
  },
  Categorical: { CATEGORICAL_UNSPECIFIED: 0, CATEGORICAL_YES: 1, CATEGORICAL_NO: 2 },
  SelectionType: { DEFAULT: 0, QUANTILES: 1, STANDARD: 2 },
  TimeFormat: {
    FORMAT_UNKNOWN: 0,
    UNIX_SECONDS: 1,
    UNIX_MILLISECONDS: 2,
    UNIX_MICROSECONDS: 3,
    UNIX_NANOSECONDS: 4,
    UNIX_DAYS: 5,
  },
  TimeOfDayFormat: { FORMAT_UNKNOWN: 0, PACKED_64_NANOS: 1 },
  SequentialStatus: { SEQUENTIAL_UNSPECIFIED: 0, SEQUENTIAL_YES: 1, SEQUENTIAL_NO: 2 },
  NameFormat: { UNKNOWN: 0, SERIALIZED_PATH: 1 },
  Severity: { UNKNOWN: 0, WARNING: 1, ERROR: 2 },
  MeasurementType: { UNKNOWN: 0, L_INFTY: 1, JENSEN_SHANNON_DIVERGENCE: 2 },
  StatisticsType: { INT: 0, FLOAT: 1, STRING: 2, BYTES: 3, STRUCT: 4 },
  HistogramType: { STANDARD: 0, QUANTILES: 1 },
  // Those that the product tells, and the ends of the list.
  AnomalyType: {
    UNKNOWN_TYPE: 0,
    BOOL_TYPE_BIG_INT: 1,
    BOOL_TYPE_SMALL_INT: 7,
    BOOL_TYPE_UNEXPECTED_STRING: 9,
    BOOL_TYPE_UNEXPECTED_FLOAT: 52,
    ENUM_TYPE_INVALID_UTF8: 13,
    ENUM_TYPE_UNEXPECTED_STRING_VALUES: 14,
    FEATURE_TYPE_HIGH_NUMBER_VALUES: 15,
    FEATURE_TYPE_LOW_FRACTION_PRESENT: 16,
    FEATURE_TYPE_LOW_NUMBER_PRESENT: 17,
    FEATURE_TYPE_LOW_NUMBER_VALUES: 18,
    FEATURE_TYPE_NOT_PRESENT: 19,
    FEATURE_TYPE_HIGH_UNIQUE: 59,
    FEATURE_TYPE_LOW_UNIQUE: 60,
    FEATURE_TYPE_NO_UNIQUE: 61,
    FLOAT_TYPE_BIG_FLOAT: 22,
    FLOAT_TYPE_SMALL_FLOAT: 24,
    FLOAT_TYPE_STRING_NOT_FLOAT: 25,
    FLOAT_TYPE_HAS_NAN: 53,
    FLOAT_TYPE_HAS_INF: 62,
    INT_TYPE_BIG_INT: 28,
    INT_TYPE_NOT_INT_STRING: 30,
    INT_TYPE_SMALL_INT: 32,
    SCHEMA_MISSING_COLUMN: 35,
    SCHEMA_NEW_COLUMN: 36,
    COMPARATOR_CONTROL_DATA_MISSING: 40,
    COMPARATOR_L_INFTY_HIGH: 42,
    COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH: 63,
    COMPARATOR_LOW_NUM_EXAMPLES: 49,
    COMPARATOR_HIGH_NUM_EXAMPLES: 50,
    DATASET_LOW_NUM_EXAMPLES: 51,
    DATASET_HIGH_NUM_EXAMPLES: 58,
    VALUE_NESTEDNESS_MISMATCH: 65,
    DOMAIN_INVALID_FOR_TYPE: 66,
    FEATURE_MISSING_TYPE: 68,
    INVALID_SCHEMA_SPECIFICATION: 69,
    UNEXPECTED_DATA_TYPE: 70,
    INVALID_FEATURE_SHAPE: 80,
    STATS_NOT_AVAILABLE: 83,
    CUSTOM_VALIDATION: 86,
  },
}

const root = new protobuf.Root()
for (const [name, values] of Object.entries(enums)) root.add(new protobuf.Enum(name, { ...values }))
for (const line of proto2.trim().split('\n')) {
  const [name, rest] = line.split(':', 1).concat(line.slice(line.indexOf(':') + 1)) as [string, string]
  const type = new protobuf.Type(name)
  const groups = new Map<string, string[]>()
  for (const text of rest.trim() === '' ? [] : rest.trim().split(' ')) {
    const [, field, number, kind, mode, group] = /^(\w+)=(\d+):(\w+)([*!]?)(?:\|(\w+))?$/.exec(text)!
    const key = field!.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    const options = mode === '!' ? { packed: true } : { packed: name.endsWith('3') }
    type.add(new protobuf.Field(key, Number(number), kind!, mode === '' ? undefined : 'repeated', undefined, options))
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), key])
  }
  for (const [group, keys] of groups) type.add(new protobuf.OneOf(`_${group}`, keys))
  root.add(type)
}
root.resolveAll()

/** A message type of the oracle. Those whose names end with 3 leave out defaults. */
export function oracleType(name: 'Schema' | 'StatisticsList3' | 'Anomalies'): protobuf.Type {
  return root.lookupType(name)
}

/** What the oracle reads of bytes, as plain data of our form: camel-cased names, 64-bit numbers as numbers where they are exact. */
export function byOracle(type: protobuf.Type, bytes: Uint8Array): unknown {
  return withNumbers(type, type.toObject(type.decode(bytes), { longs: String, enums: String }))
}

function withNumbers(type: protobuf.Type, plain: { readonly [key: string]: unknown }): { [key: string]: unknown } {
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => {
      const field = type.fields[key]!
      const one = (item: unknown): unknown => {
        if (field.resolvedType instanceof protobuf.Type) return withNumbers(field.resolvedType, item as typeof plain)
        if (field.type !== 'int64' && field.type !== 'uint64')
          return item instanceof Uint8Array ? new Uint8Array(item) : item
        return Number.isSafeInteger(Number(item)) ? Number(item) : BigInt(item as string)
      }
      return [key, Array.isArray(value) ? value.map(one) : one(value)]
    }),
  )
}

/** The bytes that the oracle writes of plain data of our form. */
export function oracleBytes(type: protobuf.Type, message: unknown): Uint8Array {
  return new Uint8Array(type.encode(type.fromObject(withTexts(message) as { [key: string]: unknown })).finish())
}

/** 64-bit numbers as texts, which protobufjs takes whatever their size. */
function withTexts(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(withTexts)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTexts(item)]))
}

/** Messages with any of their fields set, each to any value: an independent description makes them, so that no field is left out. */
export function anyMessage(type: protobuf.Type, depth = 6): fc.Arbitrary<{ readonly [key: string]: unknown }> {
  const implicit = type.name.endsWith('3')
  return fc.infiniteStream(fc.nat(999)).chain((choices) => {
    const fields: { [key: string]: fc.Arbitrary<unknown> } = {}
    const taken = new Set<protobuf.OneOf>()
    const chance = depth > 4 ? 700 : 250
    for (const field of shuffled(type.fieldsArray, choices)) {
      if (choices.next().value >= chance || (field.partOf !== null && taken.has(field.partOf))) continue
      if (depth === 0 && field.resolvedType instanceof protobuf.Type) continue
      if (field.partOf !== null) taken.add(field.partOf)
      const value = anyValue(field, depth, implicit && !field.repeated && field.partOf === null)
      fields[field.name] = field.repeated ? fc.array(value, { minLength: 1, maxLength: 2 }) : value
    }
    return fc.record(fields)
  })
}

function shuffled(fields: readonly protobuf.Field[], choices: fc.Stream<number>): protobuf.Field[] {
  return fields
    .map((field) => ({ field, at: choices.next().value as number }))
    .sort((left, right) => left.at - right.at)
    .map(({ field }) => field)
}

function anyValue(field: protobuf.Field, depth: number, leavesOutDefault: boolean): fc.Arbitrary<unknown> {
  const kept = <T>(values: fc.Arbitrary<T>, isDefault: (value: T) => boolean): fc.Arbitrary<T> =>
    leavesOutDefault ? values.filter((value) => !isDefault(value)) : values
  const whole = (low: bigint, high: bigint): fc.Arbitrary<unknown> =>
    kept(
      fc.bigInt(low, high).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)),
      (value) => value === 0,
    )
  if (field.resolvedType instanceof protobuf.Type) return anyMessage(field.resolvedType, depth - 1)
  if (field.resolvedType instanceof protobuf.Enum) {
    const { values } = field.resolvedType
    return kept(fc.constantFrom(...Object.keys(values)), (name) => values[name] === 0)
  }
  switch (field.type) {
    case 'string':
      return kept(fc.string({ unit: 'grapheme', maxLength: 5 }), (text) => text === '')
    case 'bytes':
      return kept(fc.uint8Array({ maxLength: 5 }), (bytes) => bytes.length === 0)
    case 'bool':
      return kept(fc.boolean(), (value) => !value)
    case 'double':
      return kept(fc.double(), (value) => Object.is(value, 0) || Object.is(value, -0))
    case 'float':
      return kept(fc.float(), (value) => Object.is(value, 0) || Object.is(value, -0))
    case 'int32':
      return whole(-(2n ** 31n), 2n ** 31n - 1n)
    case 'uint32':
      return whole(0n, 2n ** 32n - 1n)
    case 'int64':
      return whole(-(2n ** 63n), 2n ** 63n - 1n)
    default:
      // Counts, which we keep as numbers; the one uint64 of a schema has a test of its own.
      return whole(0n, 2n ** 53n - 1n)
  }
}

/** For every field of every message below a type one message that sets it, and for every value of an enum: nothing is left to chance. */
export function everyField(type: protobuf.Type): { readonly [field: string]: { readonly [key: string]: unknown } } {
  const found: { [field: string]: { readonly [key: string]: unknown } } = {}
  const visited = new Set([type])
  const queue: [protobuf.Type, (inner: object) => { readonly [key: string]: unknown }][] = [
    [type, (inner) => inner as { readonly [key: string]: unknown }],
  ]
  for (const [at, wrap] of queue) {
    for (const field of at.fieldsArray) {
      const put = (value: unknown): object => ({ [field.name]: field.repeated ? [value] : value })
      const inner = field.resolvedType
      for (const value of inner instanceof protobuf.Enum ? Object.keys(inner.values).slice(1) : [sampleOf(field)])
        found[`${at.name}.${field.name}${inner instanceof protobuf.Enum ? ` ${value}` : ''}`] = wrap(put(value))
      if (!(inner instanceof protobuf.Type) || visited.has(inner)) continue
      visited.add(inner)
      queue.push([inner, (message) => wrap(put(message))])
    }
  }
  return found
}

function sampleOf(field: protobuf.Field): unknown {
  if (field.resolvedType instanceof protobuf.Type) return {}
  if (field.type === 'string') return 'é'
  if (field.type === 'bytes') return Uint8Array.of(1, 255)
  if (field.type === 'bool') return true
  if (field.type === 'double' || field.type === 'float') return -2.5
  return field.type.startsWith('int') ? -7 : 300
}
