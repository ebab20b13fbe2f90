import { ZenmlError } from '../base/errors.ts'
import { ByteSink, varintSize, writeVarint } from './byte-sink.ts'
import { type Field, fieldsOf, type MessageSpec, type MessageValue, maxDepth } from './proto-message.ts'

/** A field that the message type does not know, kept as it was found and written behind the known ones. */
export interface UnknownField {
  /** Tag, and length where there is one, and contents. */
  readonly bytes: Uint8Array
}

/**
 * Encodes a message (https://protobuf.dev/programming-guides/encoding): fields in the order of their numbers, so that equal
 * messages are equal bytes. Throws `ZEN_PROTO_VALUE` for a value that its field cannot hold and for two members of a oneof.
 */
export function encodeMessage(spec: MessageSpec, message: MessageValue): Uint8Array {
  const sink = new ByteSink(256)
  const taken = new Map<string, string>()
  for (const field of fieldsOf(spec)) {
    const value = message[field.key]
    if (value === undefined) continue
    if (field.oneof !== undefined) {
      const other = taken.get(field.oneof)
      if (other !== undefined) throw wrong(spec, field, `"${other}" is set, which excludes it`)
      taken.set(field.oneof, field.key)
    }
    if (!field.repeated) writeField(sink, spec, field, value)
    else if (!Array.isArray(value)) throw wrong(spec, field, 'a list was expected')
    else if (field.packed || (spec.syntax === 3 && isPackable(field))) writePacked(sink, spec, field, value)
    else for (const item of value) writeField(sink, spec, field, item)
  }
  for (const { bytes } of (message['unknownFields'] as readonly UnknownField[] | undefined) ?? []) append(sink, bytes)
  return sink.bytes.slice(0, sink.length)
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

function writeField(sink: ByteSink, spec: MessageSpec, field: Field, value: unknown): void {
  if (field.message !== undefined) {
    if (typeof value !== 'object' || value === null) throw wrong(spec, field, 'a message was expected')
    const inner = encodeMessage(field.message(), value as MessageValue)
    tag(sink, field.number, 2)
    varint(sink, inner.length)
    append(sink, inner)
    return
  }
  const start = sink.length
  tag(sink, field.number, wireType(field))
  const contents = sink.length
  writeScalar(sink, spec, field, value)
  const implicit = spec.syntax === 3 && !field.repeated && field.oneof === undefined
  if (implicit && sink.bytes.subarray(contents, sink.length).every((byte) => byte === 0)) sink.length = start
}

function wireType(field: Field): 0 | 1 | 2 | 5 {
  switch (field.scalar) {
    case 'double':
      return 1
    case 'float':
      return 5
    case 'string':
    case 'bytes':
      return 2
    default:
      return field.message === undefined ? 0 : 2
  }
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

/**
 * Decodes a message. What is not in the bytes is not in the object; fields that the type does not know are kept in
 * `unknownFields`. Throws `ZEN_PROTO_CORRUPT` with the byte offset for bytes that are no such message.
 */
export function decodeMessage(spec: MessageSpec, bytes: Uint8Array): MessageValue {
  return new Reader(bytes).message(spec, 0, bytes.length, 0)
}

class Reader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  message(spec: MessageSpec, start: number, end: number, depth: number): MessageValue {
    if (depth > maxDepth) throw this.corrupt(spec, start, `messages lie more than ${maxDepth} deep`)
    const fields = fieldsOf(spec)
    const result: { [key: string]: unknown } = {}
    const unknown: UnknownField[] = []
    this.at = start
    while (this.at < end) {
      const begin = this.at
      const key = this.varint(spec, end)
      const number = Number(key >> 3n)
      const type = Number(key & 7n)
      if (number === 0) throw this.corrupt(spec, begin, 'a field has the number 0')
      const field = fields.find((candidate) => candidate.number === number)
      if (field === undefined) {
        this.skip(spec, type, end)
        unknown.push({ bytes: this.bytes.slice(begin, this.at) })
        continue
      }
      this.field(spec, field, type, end, depth, result)
    }
    if (unknown.length > 0) result['unknownFields'] = unknown
    return result
  }

  private field(
    spec: MessageSpec,
    field: Field,
    type: number,
    end: number,
    depth: number,
    to: { [key: string]: unknown },
  ): void {
    const begin = this.at
    const expected = wireType(field)
    if (type === 2 && expected !== 2 && field.repeated) {
      const last = this.length(spec, end)
      const items = listIn(to, field.key)
      while (this.at < last) items.push(this.scalar(spec, field, last))
      return
    }
    if (type !== expected)
      throw this.corrupt(spec, begin, `${field.name} has the wire type ${type} instead of ${expected}`)
    let value: unknown
    if (field.message === undefined) value = this.scalar(spec, field, end)
    else {
      const last = this.length(spec, end)
      value = this.message(field.message(), this.at, last, depth + 1)
      this.at = last
    }
    if (field.repeated) {
      listIn(to, field.key).push(value)
      return
    }
    if (field.oneof !== undefined) {
      for (const other of fieldsOf(spec)) if (other.oneof === field.oneof && other !== field) delete to[other.key]
    }
    if (field.message !== undefined && to[field.key] !== undefined) {
      throw this.corrupt(spec, begin, `${field.name} stands twice`)
    }
    to[field.key] = value
  }

  private scalar(spec: MessageSpec, field: Field, end: number): unknown {
    const begin = this.at
    switch (field.scalar) {
      case 'double':
        this.forward(spec, 8, end)
        return this.view.getFloat64(begin, true)
      case 'float':
        this.forward(spec, 4, end)
        return this.view.getFloat32(begin, true)
      case 'bytes':
      case 'string': {
        const last = this.length(spec, end)
        const contents = this.bytes.slice(this.at, last)
        this.at = last
        if (field.scalar === 'bytes') return contents
        try {
          return strict.decode(contents)
        } catch (error) {
          throw this.corrupt(spec, begin, `${field.name} is not UTF-8`, error)
        }
      }
      case 'bool':
        return this.varint(spec, end) !== 0n
      default:
        break
    }
    const raw = this.varint(spec, end)
    if (field.values !== undefined) {
      for (const [name, number] of Object.entries(field.values)) if (BigInt(number) === raw) return name
      throw this.corrupt(
        spec,
        begin,
        `${field.name} has the value ${raw}, which is none of ${Object.keys(field.values).join(', ')}`,
      )
    }
    const whole =
      field.scalar === 'int32' ? BigInt.asIntN(32, raw) : field.scalar === 'int64' ? BigInt.asIntN(64, raw) : raw
    const [low, high] = rangeOf(field)
    if (whole < low || whole > high)
      throw this.corrupt(spec, begin, `${field.name} is ${whole}, not from ${low} to ${high}`)
    const number = Number(whole)
    return Number.isSafeInteger(number) ? number : whole
  }

  private varint(spec: MessageSpec, end: number): bigint {
    const begin = this.at
    let value = 0n
    for (let shift = 0n; shift < 70n && this.at < end; shift += 7n) {
      const byte = this.bytes[this.at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw this.corrupt(spec, begin, 'a whole number is cut off or longer than ten bytes')
  }

  /** Reads a length; returns where the contents end. */
  private length(spec: MessageSpec, end: number): number {
    const begin = this.at
    const length = this.varint(spec, end)
    if (length > BigInt(end - this.at)) throw this.corrupt(spec, begin, 'a field is longer than what holds it')
    return this.at + Number(length)
  }

  private forward(spec: MessageSpec, count: number, end: number): void {
    if (count > end - this.at) throw this.corrupt(spec, this.at, 'a field is cut off')
    this.at += count
  }

  private skip(spec: MessageSpec, type: number, end: number): void {
    if (type === 0) this.varint(spec, end)
    else if (type === 1) this.forward(spec, 8, end)
    else if (type === 2) this.at = this.length(spec, end)
    else if (type === 5) this.forward(spec, 4, end)
    else throw this.corrupt(spec, this.at, `a field has the wire type ${type}`)
  }

  private corrupt(spec: MessageSpec, offset: number, reason: string, cause?: unknown): ZenmlError {
    return new ZenmlError('ZEN_PROTO_CORRUPT', `These bytes are no ${spec.name}: at byte ${offset}, ${reason}.`, {
      facts: { message: spec.name, offset, reason },
      next: 'Restore the file, or make the artifact again.',
      exitCode: 1,
      cause,
    })
  }
}

function listIn(message: { [key: string]: unknown }, key: string): unknown[] {
  const list = (message[key] as unknown[] | undefined) ?? []
  message[key] = list
  return list
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
