import { ZenmlError } from '../base/errors.ts'
import { decodeMessage } from '../base/proto/decode.ts'
import { encodeMessage } from '../base/proto/encode.ts'
import type { MessageValue, UnknownField } from '../base/proto/proto-message.ts'
import type { Result } from '../base/result.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { DerivedFeatureSource, Path } from './derived-feature-proto.ts'
import { noArtifact, readPart } from './file-tree.ts'
import { schemaSpec } from './schema-specs.ts'
import { strictText } from './text.ts'
import { printText } from './text-print.ts'
import { parseText } from './text-proto.ts'

// tensorflow_metadata.proto.v0, schema.proto. Whole numbers beyond 2^53 - 1 are bigints.

interface Message {
  /** Comments of the text form: before the field `name`, before item 2 of `feature[2]`, and at the end under ''. */
  readonly comments?: { readonly [place: string]: readonly string[] }
  /** Fields of the binary form that this version does not know, kept for writing. */
  readonly unknownFields?: readonly UnknownField[]
}

/** A 64-bit whole number. */
export type Int64 = number | bigint

/** What examples must look like. */
export interface Schema extends Message {
  readonly feature?: readonly SchemaFeature[]
  readonly stringDomain?: readonly StringDomain[]
  readonly defaultEnvironment?: readonly string[]
  readonly sparseFeature?: readonly SparseFeature[]
  readonly generateLegacyFeatureSpec?: boolean
  readonly annotation?: Annotation
  readonly floatDomain?: readonly FloatDomain[]
  readonly intDomain?: readonly IntDomain[]
  readonly datasetConstraints?: DatasetConstraints
  readonly weightedFeature?: readonly WeightedFeature[]
  readonly tensorRepresentationGroup?: readonly {
    readonly key?: string
    readonly value?: {
      readonly tensorRepresentation?: readonly { readonly key?: string; readonly value?: TensorRepresentation }[]
    }
  }[]
  readonly representVariableLengthAsRagged?: boolean
}

/** The physical type of a feature's values. */
export type SchemaFeatureType = 'TYPE_UNKNOWN' | 'BYTES' | 'INT' | 'FLOAT' | 'STRUCT'

/** How far a feature is in its life; all but UNKNOWN_STAGE, BETA, PRODUCTION and VALIDATION_DERIVED are not validated. */
export type LifecycleStage =
  | 'UNKNOWN_STAGE'
  | 'PLANNED'
  | 'ALPHA'
  | 'BETA'
  | 'PRODUCTION'
  | 'DEPRECATED'
  | 'DEBUG_ONLY'
  | 'DISABLED'
  | 'DERIVED'
  | 'VALIDATION_DERIVED'

/** One feature. At most one of the domains, one of `presence` and `groupPresence`, one of the shapes and value counts. */
export interface SchemaFeature extends Message {
  readonly name?: string
  readonly deprecated?: boolean
  readonly type?: SchemaFeatureType
  readonly presence?: FeaturePresence
  readonly groupPresence?: { readonly required?: boolean }
  readonly shape?: FixedShape
  readonly valueCount?: ValueCount
  readonly valueCounts?: { readonly valueCount?: readonly ValueCount[] }
  /** Name of a domain of the schema. */
  readonly domain?: string
  readonly intDomain?: IntDomain
  readonly floatDomain?: FloatDomain
  readonly stringDomain?: StringDomain
  readonly boolDomain?: BoolDomain
  readonly structDomain?: StructDomain
  readonly naturalLanguageDomain?: NaturalLanguageDomain
  readonly imageDomain?: { readonly minimumSupportedImageFraction?: number; readonly maxImageByteSize?: Int64 }
  readonly midDomain?: Message
  readonly urlDomain?: Message
  readonly timeDomain?: TimeDomain
  readonly timeOfDayDomain?: TimeOfDayDomain
  readonly distributionConstraints?: { readonly minDomainMass?: number }
  readonly annotation?: Annotation
  readonly skewComparator?: FeatureComparator
  readonly driftComparator?: FeatureComparator
  readonly inEnvironment?: readonly string[]
  readonly notInEnvironment?: readonly string[]
  readonly lifecycleStage?: LifecycleStage
  readonly uniqueConstraints?: { readonly min?: Int64; readonly max?: Int64 }
  readonly derivedSource?: DerivedFeatureSource
  readonly validationDerivedSource?: DerivedFeatureSource
  readonly sequenceMetadata?: {
    readonly sequentialStatus?: 'SEQUENTIAL_UNSPECIFIED' | 'SEQUENTIAL_YES' | 'SEQUENTIAL_NO'
    readonly jointGroup?: string
    readonly sequenceTruncationLimit?: Int64
  }
}

/** In how many examples a feature has values, at least. */
export interface FeaturePresence extends Message {
  readonly minFraction?: number
  readonly minCount?: Int64
}

/** Limits of the number of values in an example that has the feature. */
export interface ValueCount extends Message {
  readonly min?: Int64
  readonly max?: Int64
}

/** A fixed number of values, laid out along axes. */
export interface FixedShape extends Message {
  readonly dim?: readonly { readonly size?: Int64; readonly name?: string }[]
}

/** Whole numbers that a feature may have. */
export interface IntDomain extends Message {
  readonly name?: string
  readonly min?: Int64
  readonly max?: Int64
  readonly isCategorical?: boolean
}

/** Numbers that a feature may have; the limits are float32. */
export interface FloatDomain extends Message {
  readonly name?: string
  readonly min?: number
  readonly max?: number
  readonly disallowNan?: boolean
  readonly disallowInf?: boolean
  readonly isEmbedding?: boolean
  readonly isCategorical?: boolean
  readonly embeddingDim?: Int64
}

/** Texts that a feature may have. */
export interface StringDomain extends Message {
  readonly name?: string
  readonly value?: readonly string[]
  readonly isCategorical?: 'CATEGORICAL_UNSPECIFIED' | 'CATEGORICAL_YES' | 'CATEGORICAL_NO'
}

/** True and false as texts, or 0 and 1. */
export interface BoolDomain extends Message {
  readonly name?: string
  readonly trueValue?: string
  readonly falseValue?: string
}

/** Features inside a feature. */
export interface StructDomain extends Message {
  readonly feature?: readonly SchemaFeature[]
  readonly sparseFeature?: readonly SparseFeature[]
}

/** A sparse tensor made of index features and a value feature. */
export interface SparseFeature extends Message {
  readonly name?: string
  readonly deprecated?: boolean
  readonly presence?: FeaturePresence
  readonly denseShape?: FixedShape
  readonly indexFeature?: readonly { readonly name?: string }[]
  readonly lifecycleStage?: LifecycleStage
  readonly isSorted?: boolean
  readonly valueFeature?: { readonly name?: string }
  readonly type?: SchemaFeatureType
}

/** A feature with another one as its weights. */
export interface WeightedFeature extends Message {
  readonly name?: string
  readonly feature?: Path
  readonly weightFeature?: Path
  readonly lifecycleStage?: LifecycleStage
}

/** Tags and notes. */
export interface Annotation extends Message {
  readonly tag?: readonly string[]
  readonly comment?: readonly string[]
  readonly extraMetadata?: readonly { readonly typeUrl?: string; readonly value?: Uint8Array }[]
}

/** Limits of the number of examples. */
export interface DatasetConstraints extends Message {
  readonly numExamplesDriftComparator?: NumericValueComparator
  readonly numExamplesVersionComparator?: NumericValueComparator
  readonly minExamplesCount?: Int64
  readonly maxExamplesCount?: Int64
}

/** Limits of a number as a fraction of what it was before. */
export interface NumericValueComparator extends Message {
  readonly minFractionThreshold?: number
  readonly maxFractionThreshold?: number
}

/** How far two distributions of a feature may lie apart. */
export interface FeatureComparator extends Message {
  readonly infinityNorm?: { readonly threshold?: number }
  readonly jensenShannonDivergence?: {
    readonly threshold?: number
    readonly source?: { readonly type?: 'DEFAULT' | 'QUANTILES' | 'STANDARD' }
  }
  readonly normalizedAbsDifference?: { readonly threshold?: number }
}

/** Text in a natural language. */
export interface NaturalLanguageDomain extends Message {
  readonly vocabulary?: string
  readonly coverage?: {
    readonly minCoverage?: number
    readonly minAvgTokenLength?: number
    readonly excludedStringTokens?: readonly string[]
    readonly excludedIntTokens?: readonly Int64[]
    readonly oovStringTokens?: readonly string[]
  }
  readonly tokenConstraints?: readonly {
    readonly intValue?: Int64
    readonly stringValue?: string
    readonly minPerSequence?: Int64
    readonly maxPerSequence?: Int64
    readonly minFractionOfSequences?: number
    readonly maxFractionOfSequences?: number
  }[]
  readonly locationConstraintRegex?: string
  readonly sequenceLengthConstraints?: {
    readonly excludedIntValue?: readonly Int64[]
    readonly excludedStringValue?: readonly string[]
    readonly minSequenceLength?: Int64
    readonly maxSequenceLength?: Int64
  }
}

/** Points in time. */
export interface TimeDomain extends Message {
  readonly stringFormat?: string
  readonly integerFormat?:
    | 'FORMAT_UNKNOWN'
    | 'UNIX_DAYS'
    | 'UNIX_SECONDS'
    | 'UNIX_MILLISECONDS'
    | 'UNIX_MICROSECONDS'
    | 'UNIX_NANOSECONDS'
}

/** Times of day. */
export interface TimeOfDayDomain extends Message {
  readonly stringFormat?: string
  readonly integerFormat?: 'FORMAT_UNKNOWN' | 'PACKED_64_NANOS'
}

/** How a feature becomes a tensor: one of the four. */
export interface TensorRepresentation extends Message {
  readonly denseTensor?: {
    readonly columnName?: string
    readonly shape?: FixedShape
    readonly defaultValue?: {
      readonly floatValue?: number
      readonly intValue?: Int64
      readonly bytesValue?: Uint8Array
      readonly uintValue?: Int64
    }
  }
  readonly varlenSparseTensor?: { readonly columnName?: string }
  readonly sparseTensor?: {
    readonly denseShape?: FixedShape
    readonly indexColumnNames?: readonly string[]
    readonly valueColumnName?: string
    readonly alreadySorted?: boolean
  }
  readonly raggedTensor?: {
    readonly featurePath?: Path
    readonly rowPartitionDtype?: 'UNSPECIFIED' | 'INT64' | 'INT32'
    readonly partition?: readonly { readonly uniformRowLength?: Int64; readonly rowLength?: string }[]
  }
}

/**
 * Reads a schema's text form (pbtxt); every unknown field, wrong value and repeated field is told with line and column.
 *
 * @example
 * parseSchema('feature { name: "x" type: INT }') // { ok: true, value: { feature: [{ name: 'x', type: 'INT' }] } }
 */
export function parseSchema(text: string, file?: string): Result<Schema, readonly Diagnostic[]> {
  return parseText(schemaSpec, text, file) as Result<Schema, readonly Diagnostic[]>
}

/**
 * Writes a schema as text, laid out as TensorFlow Data Validation does.
 *
 * @example
 * printSchema({ feature: [{ name: 'x', type: 'INT' }] }) // 'feature {\n  name: "x"\n  type: INT\n}\n'
 */
export function printSchema(schema: Schema): string {
  return printText(schemaSpec, schema as MessageValue)
}

/** Reads a pbtxt file that messages call `name`; throws `ZEN_SCHEMA_TEXT` with all that is wrong with it. */
export async function readSchema(path: string, name: string = path): Promise<Schema> {
  const text = strictText(await readPart(path, 'Schema'))
  if (text === undefined) throw noArtifact(name, 'Schema', 'it is not UTF-8')
  const parsed = parseSchema(text, name)
  if (parsed.ok) return parsed.value
  const lines = parsed.error.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`)
  throw new ZenmlError('ZEN_SCHEMA_TEXT', `This is no schema:\n${lines.join('\n')}`, {
    facts: { file: name, diagnostics: parsed.error.map((diagnostic) => ({ ...diagnostic })) },
    next: 'Mend the file at the places given.',
    exitCode: 1,
  })
}

/** Encodes a schema in the binary form; its comments have no place there. Throws `ZEN_PROTO_VALUE`. */
export function encodeSchema(schema: Schema): Uint8Array {
  return encodeMessage(schemaSpec, schema as MessageValue)
}

/** Decodes a schema in the binary form; throws `ZEN_PROTO_CORRUPT`. */
export function decodeSchema(bytes: Uint8Array): Schema {
  return decodeMessage(schemaSpec, bytes) as Schema
}
