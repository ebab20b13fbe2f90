import type { MessageSpec } from '../base/proto/proto-message.ts'

// tensorflow_metadata.proto.v0: path.proto and derived_feature.proto, shared by statistics and schemas.

/** A feature inside structures: the names from the outside in. */
export interface Path {
  readonly step?: readonly string[]
}

/** Where a derived feature comes from. */
export interface DerivedFeatureSource {
  readonly deriverName?: string
  readonly description?: string
  readonly sourcePath?: readonly Path[]
  readonly declarativelyConfigured?: boolean
  readonly config?: DerivedFeatureConfig
}

/** One of the ready-made ways to derive a feature. */
export interface DerivedFeatureConfig {
  readonly allowlist?: { readonly allowedBytesValue?: readonly Uint8Array[]; readonly placeholderValue?: Uint8Array }
  readonly argmaxTopK?: { readonly k?: number }
  readonly reduceOp?: { readonly opName?: string }
  readonly sliceSql?: {
    readonly expression?: string
    readonly featureValueType?:
      | 'VALUE_TYPE_DEFAULT'
      | 'VALUE_TYPE_INTEGER'
      | 'VALUE_TYPE_FLOAT'
      | 'VALUE_TYPE_UNSUPPORTED'
    readonly dropStructName?: boolean
  }
}

/** path.proto */
export const pathSpec: MessageSpec = { name: 'Path', syntax: 2, fields: { step: [1, 'string', 'repeated'] } }

const allowlistSpec: MessageSpec = {
  name: 'AllowlistDeriver',
  syntax: 3,
  fields: { allowedBytesValue: [1, 'bytes', 'repeated'], placeholderValue: [2, 'bytes'] },
}
const argmaxSpec: MessageSpec = { name: 'ArgmaxTopK', syntax: 3, fields: { k: [1, 'uint32'] } }
const reduceSpec: MessageSpec = { name: 'ReduceOp', syntax: 3, fields: { opName: [1, 'string'] } }
const sliceSpec: MessageSpec = {
  name: 'SliceSql',
  syntax: 3,
  fields: {
    expression: [1, 'string'],
    featureValueType: [
      2,
      { VALUE_TYPE_DEFAULT: 0, VALUE_TYPE_INTEGER: 1, VALUE_TYPE_FLOAT: 2, VALUE_TYPE_UNSUPPORTED: 3 },
    ],
    dropStructName: [3, 'bool'],
  },
}
const configSpec: MessageSpec = {
  name: 'DerivedFeatureConfig',
  syntax: 3,
  fields: {
    allowlist: [1, () => allowlistSpec, 'oneof:type'],
    argmaxTopK: [2, () => argmaxSpec, 'oneof:type'],
    reduceOp: [3, () => reduceSpec, 'oneof:type'],
    sliceSql: [4, () => sliceSpec, 'oneof:type'],
  },
}

/** derived_feature.proto */
export const derivedFeatureSourceSpec: MessageSpec = {
  name: 'DerivedFeatureSource',
  syntax: 3,
  fields: {
    deriverName: [1, 'string'],
    description: [2, 'string'],
    sourcePath: [3, () => pathSpec, 'repeated'],
    declarativelyConfigured: [4, 'bool'],
    config: [5, () => configSpec],
  },
}
