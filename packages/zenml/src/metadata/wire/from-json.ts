import { encodeMessage } from '../../base/proto/encode.ts'
import {
  type Field,
  fieldsOf,
  type MessageSpec,
  type MessageValue,
  maxDepth,
  rangeOf,
} from '../../base/proto/proto-message.ts'
import { anySpec } from '../../base/proto/well-known.ts'
import { jsonError, knownType } from './known-type.ts'

/**
 * Reads a message from JSON as `messageToJson` writes it. Names may be camel-cased, whole numbers may be numbers, and null is
 * as if the field were not there. Throws `ZEN_PROTO_JSON` with the place of what is wrong.
 */
export function messageFromJson(spec: MessageSpec, json: unknown): MessageValue {
  return readMessage(spec, json, '', 0)
}

function readMessage(spec: MessageSpec, json: unknown, place: string, depth: number): MessageValue {
  const result: { [key: string]: unknown } = {}
  if (depth > maxDepth) throw jsonError(place, `messages lie more than ${maxDepth} deep`)
  for (const [name, value] of entriesOf(json, place)) {
    const inner = place === '' ? name : `${place}.${name}`
    const field = fieldsOf(spec).find((candidate) => candidate.name === name || candidate.key === name)
    if (field === undefined) throw jsonError(inner, `${spec.name} has no such field`)
    if (value === null) continue
    const rival = fieldsOf(spec).find(
      (other) => (other === field || (other.oneof !== undefined && other.oneof === field.oneof)) && other.key in result,
    )
    if (rival !== undefined) throw jsonError(inner, `it cannot stand beside ${rival.name}`)
    result[field.key] = readField(field, value, inner, depth)
  }
  return result
}

function readField(field: Field, value: unknown, place: string, depth: number): unknown {
  if (field.entry !== undefined) {
    const [keyField, valueField] = fieldsOf(field.entry) as readonly [Field, Field]
    const map = new Map<string, unknown>()
    for (const [key, item] of entriesOf(value, place)) {
      const inner = `${place}[${JSON.stringify(key)}]`
      map.set(
        keyField.scalar === 'string' ? key : String(readWhole(keyField, key, inner)),
        readValue(valueField, item, inner, depth + 1),
      )
    }
    return map
  }
  if (!field.repeated) return readValue(field, value, place, depth)
  if (!Array.isArray(value)) throw jsonError(place, 'a list was expected')
  return value.map((item, index) => readValue(field, item, `${place}[${index}]`, depth))
}

function readValue(field: Field, value: unknown, place: string, depth: number): unknown {
  if (field.message !== undefined) {
    const spec = field.message()
    if (spec === anySpec) return readAny(value, place, depth + 1)
    if (spec.plain === undefined) return readMessage(spec, value, place, depth + 1)
    if (spec.plain.write(value) === undefined) throw jsonError(place, `a ${spec.name} was expected`)
    return value
  }
  if (field.values !== undefined) {
    if (typeof value === 'string' && Object.hasOwn(field.values, value)) return value
    const named = Object.entries(field.values).find(([, number]) => number === value)
    if (named === undefined) throw jsonError(place, `one of ${Object.keys(field.values).join(', ')} was expected`)
    return named[0]
  }
  switch (field.scalar) {
    case 'double':
    case 'float':
      if (typeof value === 'number') return value
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
      throw jsonError(place, 'a number was expected')
    case 'bool':
      if (typeof value !== 'boolean') throw jsonError(place, 'true or false was expected')
      return value
    case 'string':
      if (typeof value !== 'string') throw jsonError(place, 'a text was expected')
      return value
    case 'bytes':
      return readBytes(value, place)
    default:
      return readWhole(field, value, place)
  }
}

function readWhole(field: Field, value: unknown, place: string): number | bigint {
  const digits = typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)
  if (!digits && !Number.isSafeInteger(value)) throw jsonError(place, 'a whole number was expected')
  const whole = BigInt(value as string | number)
  const [low, high] = rangeOf(field)
  if (whole < low || whole > high) throw jsonError(place, `${whole} is not from ${low} to ${high}`)
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

function readBytes(value: unknown, place: string): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
    throw jsonError(place, 'base64 was expected')
  return new Uint8Array(Buffer.from(value, 'base64'))
}

function readAny(json: unknown, place: string, depth: number): MessageValue {
  const { '@type': typeUrl, ...rest } = Object.fromEntries(entriesOf(json, place))
  if (typeUrl !== undefined && typeof typeUrl !== 'string') throw jsonError(`${place}.@type`, 'a text was expected')
  const type = typeUrl === undefined ? {} : { typeUrl }
  const names = Object.keys(rest)
  // No message of ML Metadata has a field of this name, so that it always means bytes.
  if (names.length === 1 && names[0] === 'value') return { ...type, value: readBytes(rest['value'], `${place}.value`) }
  if (names.length === 0) return type
  const spec = knownType(typeUrl)
  if (spec === undefined) throw jsonError(place, `"${typeUrl ?? ''}" is no message type of ML Metadata`)
  return { ...type, value: encodeMessage(spec, readMessage(spec, rest, place, depth)) }
}

function entriesOf(json: unknown, place: string): [string, unknown][] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw jsonError(place, 'an object was expected')
  return Object.entries(json)
}
