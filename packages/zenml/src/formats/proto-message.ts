/** Scalar types of protocol buffers. `count` is an uint64 that we keep as a number, refusing what lies beyond 2^53 - 1. */
export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'count'
  | 'bool'
  | 'string'
  | 'bytes'

/** The values of an enum by name. */
export interface EnumValues {
  readonly [name: string]: number
}

/**
 * A field: number, type, and how often it stands. `oneof:x` fields exclude one another. Without a mode the field stands once
 * or not at all.
 */
export type FieldSpec = readonly [
  number: number,
  type: ScalarType | EnumValues | (() => MessageSpec),
  mode?: 'repeated' | 'packed' | `oneof:${string}`,
]

/**
 * A message type as plain data, so that bundlers can drop the ones a step does not use. Keys are camel-cased names, as in the
 * JSON mapping of protocol buffers.
 */
export interface MessageSpec {
  readonly name: string
  /** 3: a scalar outside a oneof that has its default (0, false, empty) is not written. */
  readonly syntax: 2 | 3
  readonly fields: { readonly [key: string]: FieldSpec }
}

/** A message as plain data: what is absent is not set. */
export interface MessageValue {
  readonly [key: string]: unknown
}

/** A field with what follows from its spec. */
export interface Field {
  readonly key: string
  /** Name in .proto files and in text: `num_examples`. */
  readonly name: string
  readonly number: number
  readonly scalar: ScalarType | undefined
  readonly values: EnumValues | undefined
  readonly message: (() => MessageSpec) | undefined
  readonly repeated: boolean
  readonly packed: boolean
  readonly oneof: string | undefined
}

/** How deep messages may lie within one another, as in TensorFlow's own readers. */
export const maxDepth = 100

const known = /* @__PURE__ */ new WeakMap<MessageSpec, readonly Field[]>()

/** The fields of a message type in the order of their numbers. */
export function fieldsOf(spec: MessageSpec): readonly Field[] {
  let fields = known.get(spec)
  if (fields === undefined) {
    fields = Object.entries(spec.fields)
      .map(
        ([key, [number, type, mode]]): Field => ({
          key,
          name: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          number,
          scalar: typeof type === 'string' ? type : undefined,
          values: typeof type === 'object' ? type : undefined,
          message: typeof type === 'function' ? type : undefined,
          repeated: mode === 'repeated' || mode === 'packed',
          packed: mode === 'packed',
          oneof: mode?.startsWith('oneof:') ? mode.slice('oneof:'.length) : undefined,
        }),
      )
      .sort((left, right) => left.number - right.number)
    known.set(spec, fields)
  }
  return fields
}
