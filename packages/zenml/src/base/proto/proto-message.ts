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
 * A field: number, type, and how often it stands. `oneof:x` fields exclude one another. `map` is a map with texts as keys and
 * `map:int64` one with whole numbers, whose type is that of the values. Without a mode the field stands once or not at all.
 */
export type FieldSpec = readonly [
  number: number,
  type: ScalarType | EnumValues | (() => MessageSpec),
  mode?: 'repeated' | 'packed' | 'map' | 'map:int64' | `oneof:${string}`,
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
  /** Set for a message that stands for something else in a program, such as a `google.protobuf.Struct` for plain data. */
  readonly plain?: PlainForm
}

/** How a message becomes what it stands for, and back. */
export interface PlainForm {
  readonly read: (message: MessageValue) => unknown
  /** Undefined for what the message cannot hold. */
  readonly write: (value: unknown) => MessageValue | undefined
}

/**
 * A message as plain data: what is absent is not set. Maps are `Map`s by text, those with whole numbers as keys too: by their
 * decimal digits.
 */
export interface MessageValue {
  readonly [key: string]: unknown
}

/** A field that the message type does not know, kept as it was found and written behind the known ones. */
export interface UnknownField {
  /** Tag, and length where there is one, and contents. */
  readonly bytes: Uint8Array
}

/** A field with what follows from its spec. */
export interface Field {
  readonly key: string
  /** Name in .proto files and in text: `num_examples`. */
  readonly name: string
  readonly number: number
  /** All of these are undefined for a map but `entry`. */
  readonly scalar: ScalarType | undefined
  readonly values: EnumValues | undefined
  readonly message: (() => MessageSpec) | undefined
  /** The message that an entry of a map is, with fields `key` and `value`. */
  readonly entry: MessageSpec | undefined
  readonly repeated: boolean
  readonly packed: boolean
  readonly oneof: string | undefined
}

/** How deep messages may lie within one another, entries of maps counted, as in Google's own readers. */
export const maxDepth = 100

const known = /* @__PURE__ */ new WeakMap<MessageSpec, readonly Field[]>()

/** The fields of a message type in the order of their numbers. */
export function fieldsOf(spec: MessageSpec): readonly Field[] {
  let fields = known.get(spec)
  if (fields === undefined) {
    fields = Object.entries(spec.fields)
      .map(([key, [number, type, mode]]): Field => {
        const map = mode === 'map' || mode === 'map:int64'
        return {
          key,
          name: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          number,
          scalar: !map && typeof type === 'string' ? type : undefined,
          values: !map && typeof type === 'object' ? type : undefined,
          message: !map && typeof type === 'function' ? type : undefined,
          entry: map ? entrySpec(spec, key, mode, type) : undefined,
          repeated: mode === 'repeated' || mode === 'packed',
          packed: mode === 'packed',
          oneof: mode?.startsWith('oneof:') ? mode.slice('oneof:'.length) : undefined,
        }
      })
      .sort((left, right) => left.number - right.number)
    known.set(spec, fields)
  }
  return fields
}

/** An entry is written with its key and value whatever they are, hence the syntax 2. */
function entrySpec(spec: MessageSpec, key: string, mode: 'map' | 'map:int64', type: FieldSpec[1]): MessageSpec {
  return {
    name: `${spec.name}.${key}`,
    syntax: 2,
    fields: { key: [1, mode === 'map' ? 'string' : 'int64'], value: [2, type] },
  }
}

/** The wire type of a field's values. */
export function wireType(field: Field): 0 | 1 | 2 | 5 {
  switch (field.scalar) {
    case 'double':
      return 1
    case 'float':
      return 5
    case 'string':
    case 'bytes':
      return 2
    default:
      return field.message === undefined && field.entry === undefined ? 0 : 2
  }
}

/** The range of a whole-number field. */
export function rangeOf(field: Field): readonly [low: bigint, high: bigint] {
  switch (field.scalar) {
    case 'int32':
      return [-(2n ** 31n), 2n ** 31n - 1n]
    case 'uint32':
      return [0n, 2n ** 32n - 1n]
    case 'int64':
      return [-(2n ** 63n), 2n ** 63n - 1n]
    case 'uint64':
      return [0n, 2n ** 64n - 1n]
    default:
      return [0n, 2n ** 53n - 1n]
  }
}
