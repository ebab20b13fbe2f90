import type { Json, JsonObject } from '../../base/json.ts'
import { decodeMessage } from '../../base/proto/decode.ts'
import { encodeMessage } from '../../base/proto/encode.ts'
import { type Field, fieldsOf, type MessageSpec, type MessageValue } from '../../base/proto/proto-message.ts'
import { anySpec } from '../../base/proto/well-known.ts'
import { jsonError, knownType } from './known-type.ts'

/**
 * A message as JSON (https://protobuf.dev/programming-guides/json) with the names of .proto files, or camel-cased: int64 as text, enums by name,
 * a Struct as the data it is, a field mask as `{"paths": […]}`. An Any of a type of ML Metadata is told in full beside its
 * "@type"; other ones, and bytes that would not come back as they are, as base64 under "value". Throws `ZEN_PROTO_JSON` for a
 * number in a Struct that JSON lacks.
 */
export function messageToJson(
  spec: MessageSpec,
  message: MessageValue,
  names: 'proto' | 'camel' = 'proto',
): JsonObject {
  return writeMessage(spec, message, { names, anys: 0 })
}

interface Within {
  readonly names: 'proto' | 'camel'
  /** How many Any messages lie around; each is decoded anew, so there must not be many. */
  readonly anys: number
}

function writeMessage(spec: MessageSpec, message: MessageValue, within: Within): JsonObject {
  const result: [string, Json][] = []
  for (const field of fieldsOf(spec)) {
    const value = message[field.key]
    if (value === undefined) continue
    const name = within.names === 'proto' ? field.name : field.key
    if (field.entry !== undefined) {
      const map = value as ReadonlyMap<string, unknown>
      const [, of] = fieldsOf(field.entry) as readonly [Field, Field]
      if (map.size > 0)
        result.push([name, Object.fromEntries([...map].map(([key, item]) => [key, valueToJson(of, item, within)]))])
    } else if (field.repeated) {
      const list = value as readonly unknown[]
      if (list.length > 0) result.push([name, list.map((item) => valueToJson(field, item, within))])
    } else result.push([name, valueToJson(field, value, within)])
  }
  return Object.fromEntries(result)
}

function valueToJson(field: Field, value: unknown, within: Within): Json {
  if (field.message !== undefined) {
    const spec = field.message()
    if (spec === anySpec) return anyToJson(value as MessageValue, within)
    return spec.plain === undefined
      ? writeMessage(spec, value as MessageValue, within)
      : plainToJson(value as Json, field)
  }
  switch (field.scalar) {
    case 'int64':
    case 'uint64':
    case 'count':
      return String(value)
    case 'double':
    case 'float':
      return Number.isFinite(value) ? (value as number) : String(value)
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64')
    default:
      return value as Json
  }
}

function anyToJson({ typeUrl, value }: MessageValue, within: Within): JsonObject {
  const bytes = (value as Uint8Array | undefined) ?? new Uint8Array(0)
  const type = typeUrl === undefined ? {} : { '@type': typeUrl as string }
  const told = within.anys < deepestAny ? anyInFull(typeUrl, bytes, within) : undefined
  if (told !== undefined) return { ...type, ...told }
  return bytes.length === 0 ? type : { ...type, value: Buffer.from(bytes).toString('base64') }
}

/** The message in an Any, unless its type is not known or its bytes would not come back as they are. */
function anyInFull(typeUrl: unknown, bytes: Uint8Array, within: Within): JsonObject | undefined {
  const spec = knownType(typeUrl)
  if (spec === undefined) return undefined
  let message: MessageValue
  try {
    message = decodeMessage(spec, bytes)
    if (message['unknownFields'] !== undefined || Buffer.compare(encodeMessage(spec, message), bytes) !== 0)
      return undefined
  } catch {
    // Nobody promised that these bytes are what the type says; as bytes they are told without loss.
    return undefined
  }
  return writeMessage(spec, message, { ...within, anys: within.anys + 1 })
}

const deepestAny = 8

/** Holds that plain data is JSON; it came out of a message, so nothing but numbers can be wrong. */
function plainToJson(value: Json, field: Field): Json {
  if (typeof value === 'number' && !Number.isFinite(value)) throw jsonError(field.name, `JSON has no number ${value}`)
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) plainToJson(item as Json, field)
  return value
}
