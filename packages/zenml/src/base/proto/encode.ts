import { ZenmlError } from '../errors.ts'
import { ByteSink, varintSize, writeVarint } from './byte-sink.ts'
import {
  type Field,
  fieldsOf,
  type MessageSpec,
  type MessageValue,
  maxDepth,
  rangeOf,
  type UnknownField,
  wireType,
} from './proto-message.ts'

/**
 * Encodes a message (https://protobuf.dev/programming-guides/encoding): fields in the order of their numbers and maps in the
 * order of their keys, so that equal messages are equal bytes. Throws `ZEN_PROTO_VALUE` for a value that its field cannot hold
 * and for two members of a oneof.
 */
export function encodeMessage(spec: MessageSpec, message: MessageValue): Uint8Array {
  const sink = new ByteSink(256)
  writeMessage(sink, spec, spec.plain?.write(message) ?? message, 0)
  return sink.bytes.slice(0, sink.length)
}

function writeMessage(sink: ByteSink, spec: MessageSpec, message: MessageValue, depth: number): void {
  const taken = new Map<string, string>()
  for (const field of fieldsOf(spec)) {
    const value = message[field.key]
    if (value === undefined) continue
    if (depth > maxDepth) throw wrong(spec, field, `messages lie more than ${maxDepth} deep`)
    if (field.oneof !== undefined) {
      const other = taken.get(field.oneof)
      if (other !== undefined) throw wrong(spec, field, `"${other}" is set, which excludes it`)
      taken.set(field.oneof, field.key)
    }
    if (field.entry !== undefined) writeMap(sink, spec, field, field.entry, value, depth)
    else if (!field.repeated) writeField(sink, spec, field, value, depth)
    else if (!Array.isArray(value)) throw wrong(spec, field, 'a list was expected')
    else if (field.packed || (spec.syntax === 3 && isPackable(field))) writePacked(sink, spec, field, value)
    else for (const item of value) writeField(sink, spec, field, item, depth)
  }
  for (const { bytes } of (message['unknownFields'] as readonly UnknownField[] | undefined) ?? []) append(sink, bytes)
}

function writeMap(
  sink: ByteSink,
  spec: MessageSpec,
  field: Field,
  entry: MessageSpec,
  map: unknown,
  depth: number,
): void {
  if (!(map instanceof Map)) throw wrong(spec, field, 'a Map was expected')
  const entries = [...(map as ReadonlyMap<unknown, unknown>)].map(
    ([key, value]) => [keyOf(spec, field, entry, key), value] as const,
  )
  entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
  for (const [key, value] of entries) {
    if (value === undefined) throw wrong(spec, field, `"${key}" has no value`)
    writeInner(sink, field, entry, { key, value }, depth)
  }
}

/** The key of an entry as its field has it: whole numbers may come as digits. */
function keyOf(spec: MessageSpec, field: Field, entry: MessageSpec, key: unknown): string | bigint {
  if (entry.fields['key']?.[1] === 'string') {
    if (typeof key === 'string') return key
  } else if (isWhole(key) || (typeof key === 'string' && /^-?[0-9]{1,19}$/.test(key))) return BigInt(key)
  throw wrong(spec, field, `${String(key)} is no key of it`)
}

function writeInner(sink: ByteSink, field: Field, spec: MessageSpec, message: MessageValue, depth: number): void {
  const inner = new ByteSink(64)
  writeMessage(inner, spec, message, depth + 1)
  tag(sink, field.number, 2)
  varint(sink, inner.length)
  append(sink, inner.bytes.subarray(0, inner.length))
}

function isPackable(field: Field): boolean {
  return field.message === undefined && field.scalar !== 'string' && field.scalar !== 'bytes'
}

function writePacked(sink: ByteSink, spec: MessageSpec, field: Field, items: readonly unknown[]): void {
  if (items.length === 0) return
  const inner = new ByteSink(16)
  for (const item of items) writeScalar(inner, spec, field, item)
  tag(sink, field.number, 2)
  varint(sink, inner.length)
  append(sink, inner.bytes.subarray(0, inner.length))
}

function writeField(sink: ByteSink, spec: MessageSpec, field: Field, value: unknown, depth: number): void {
  if (field.message !== undefined) {
    const inner = field.message()
    const message = inner.plain === undefined ? value : inner.plain.write(value)
    if (typeof message !== 'object' || message === null) throw wrong(spec, field, `a ${inner.name} was expected`)
    writeInner(sink, field, inner, message as MessageValue, depth)
    return
  }
  const start = sink.length
  tag(sink, field.number, wireType(field))
  const contents = sink.length
  writeScalar(sink, spec, field, value)
  const implicit = spec.syntax === 3 && !field.repeated && field.oneof === undefined
  if (implicit && sink.bytes.subarray(contents, sink.length).every((byte) => byte === 0)) sink.length = start
}

function writeScalar(sink: ByteSink, spec: MessageSpec, field: Field, value: unknown): void {
  if (field.values !== undefined) {
    const number = typeof value === 'string' && Object.hasOwn(field.values, value) ? field.values[value] : undefined
    if (number === undefined)
      throw wrong(spec, field, `${String(value)} is none of ${Object.keys(field.values).join(', ')}`)
    varint(sink, number)
    return
  }
  switch (field.scalar) {
    case 'double':
      if (typeof value !== 'number') throw wrong(spec, field, 'a number was expected')
      sink.reserve(sink.length, 8)
      sink.view.setFloat64(sink.length, value, true)
      sink.length += 8
      return
    case 'float':
      if (typeof value !== 'number') throw wrong(spec, field, 'a number was expected')
      sink.reserve(sink.length, 4)
      sink.view.setFloat32(sink.length, value, true)
      sink.length += 4
      return
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(spec, field, 'true or false was expected')
      varint(sink, value ? 1 : 0)
      return
    case 'string': {
      if (typeof value !== 'string' || !value.isWellFormed()) throw wrong(spec, field, 'a text was expected')
      const bytes = new TextEncoder().encode(value)
      varint(sink, bytes.length)
      append(sink, bytes)
      return
    }
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw wrong(spec, field, 'bytes were expected')
      varint(sink, value.length)
      append(sink, value)
      return
    default: {
      if (!isWhole(value)) throw wrong(spec, field, `${String(value)} is no whole number within 2^53 - 1`)
      if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
        // What fits every type needs no big numbers, which are slow.
        varint(sink, value)
        return
      }
      const whole = BigInt(value)
      const [low, high] = rangeOf(field)
      if (whole < low || whole > high) throw wrong(spec, field, `${whole} is not from ${low} to ${high}`)
      let rest = BigInt.asUintN(64, whole)
      while (rest > 0x7fn) {
        varint(sink, 0x80 | Number(rest & 0x7fn), true)
        rest >>= 7n
      }
      varint(sink, Number(rest))
    }
  }
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function tag(sink: ByteSink, number: number, type: number): void {
  varint(sink, ((number << 3) | type) >>> 0)
}

function varint(sink: ByteSink, value: number, raw: boolean = false): void {
  sink.reserve(sink.length, 5)
  if (raw) sink.bytes[sink.length++] = value
  else {
    writeVarint(sink.bytes, sink.length, value)
    sink.length += varintSize(value)
  }
}

function append(sink: ByteSink, bytes: Uint8Array): void {
  sink.reserve(sink.length, bytes.length)
  sink.bytes.set(bytes, sink.length)
  sink.length += bytes.length
}

function wrong(spec: MessageSpec, field: Field, reason: string): ZenmlError {
  return new ZenmlError('ZEN_PROTO_VALUE', `${spec.name}.${field.name} cannot be written: ${reason}.`, {
    facts: { message: spec.name, field: field.name, reason },
    next: 'Mend the code that made the message.',
    exitCode: 1,
  })
}
