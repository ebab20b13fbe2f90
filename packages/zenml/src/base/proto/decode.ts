import { ZenmlError } from '../errors.ts'
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
 * Decodes a message. What is not in the bytes is not in the object; fields that the type does not know, and numbers that an enum
 * of syntax 2 does not know, are kept in `unknownFields`. A message that stands twice where one is expected is merged. Throws
 * `ZEN_PROTO_CORRUPT` with the byte offset for bytes that are no such message.
 */
export function decodeMessage(spec: MessageSpec, bytes: Uint8Array): MessageValue {
  return new Reader(bytes).message(spec, [[0, bytes.length]], 0) as MessageValue
}

/** Where contents of a message lie. */
type Range = readonly [start: number, end: number]

/** A message that is being read. */
interface Open {
  readonly spec: MessageSpec
  readonly result: { [key: string]: unknown }
  /** Contents of messages that stand once, by field; merging is reading all of them into one. */
  readonly inner: Map<Field, Range[]>
  readonly unknown: UnknownField[]
  readonly depth: number
}

/** A number that the enum does not know. */
const unknownNumber = Symbol('unknown number')

class Reader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    // A Buffer's slice would share its memory instead of copying it.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Reads a message from all of its contents, and gives what it stands for. */
  message(spec: MessageSpec, ranges: readonly Range[], depth: number): unknown {
    if (depth > maxDepth) throw this.corrupt(spec, ranges[0]![0], `messages lie more than ${maxDepth} deep`)
    const open: Open = { spec, result: {}, inner: new Map(), unknown: [], depth }
    for (const [start, end] of ranges) {
      this.at = start
      while (this.at < end) this.field(open, end)
    }
    for (const [field, contents] of open.inner)
      open.result[field.key] = this.message(field.message!(), contents, depth + 1)
    if (open.unknown.length > 0) open.result['unknownFields'] = open.unknown
    return spec.plain === undefined ? open.result : spec.plain.read(open.result)
  }

  private field(open: Open, end: number): void {
    const { spec, result } = open
    const begin = this.at
    const key = this.varint(spec, end)
    const number = Math.floor(Number(key) / 8)
    const type = Number(BigInt.asUintN(3, BigInt(key)))
    if (number === 0) throw this.corrupt(spec, begin, 'a field has the number 0')
    const field = fieldsOf(spec).find((candidate) => candidate.number === number)
    if (field === undefined) {
      this.skip(spec, type, end)
      open.unknown.push({ bytes: this.bytes.slice(begin, this.at) })
      return
    }
    const contents = this.at
    const expected = wireType(field)
    if (type === 2 && expected !== 2 && field.repeated) {
      const last = this.length(spec, end)
      const items = listIn(result, field.key)
      while (this.at < last) {
        const at = this.at
        const item = this.scalar(spec, field, last)
        if (item === unknownNumber) open.unknown.push(this.asUnknown(field.number, at))
        else items.push(item)
      }
      return
    }
    if (type !== expected)
      throw this.corrupt(spec, contents, `${field.name} has the wire type ${type} instead of ${expected}`)
    if (field.entry !== undefined) this.entry(open, field, field.entry, begin, end)
    else if (field.message !== undefined) this.inner(open, field, field.message, end)
    else {
      const value = this.scalar(spec, field, end)
      if (value === unknownNumber) open.unknown.push({ bytes: this.bytes.slice(begin, this.at) })
      else if (field.repeated) listIn(result, field.key).push(value)
      else {
        this.exclude(open, field)
        result[field.key] = value
      }
    }
  }

  private inner(open: Open, field: Field, spec: () => MessageSpec, end: number): void {
    const last = this.length(open.spec, end)
    const contents: Range = [this.at, last]
    if (field.repeated) listIn(open.result, field.key).push(this.message(spec(), [contents], open.depth + 1))
    else {
      this.exclude(open, field)
      const before = open.inner.get(field)
      if (before === undefined) open.inner.set(field, [contents])
      else before.push(contents)
    }
    this.at = last
  }

  /** Reads an entry of a map. The last one of a key holds; what is missing in an entry is its default. */
  private entry(open: Open, field: Field, spec: MessageSpec, begin: number, end: number): void {
    const last = this.length(open.spec, end)
    const entry = this.message(spec, [[this.at, last]], open.depth + 1) as MessageValue
    this.at = last
    const [keyField, valueField] = fieldsOf(spec) as readonly [Field, Field]
    // An entry with an enum number that is not known stays as it is. Other unknown fields of an entry mean nothing.
    if (valueField.values !== undefined && entry['value'] === undefined && entry['unknownFields'] !== undefined) {
      open.unknown.push({ bytes: this.bytes.slice(begin, last) })
      return
    }
    const map = (open.result[field.key] as Map<string, unknown> | undefined) ?? new Map<string, unknown>()
    open.result[field.key] = map
    map.set(String(entry['key'] ?? defaultOf(keyField)), entry['value'] ?? defaultOf(valueField))
  }

  /** The other members of a oneof go when one is read. */
  private exclude({ spec, result, inner }: Open, field: Field): void {
    if (field.oneof === undefined) return
    for (const other of fieldsOf(spec)) {
      if (other.oneof !== field.oneof || other === field) continue
      delete result[other.key]
      inner.delete(other)
    }
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
        return Number(this.varint(spec, end)) !== 0
      default:
        break
    }
    const raw = this.varint(spec, end)
    if (field.values !== undefined) {
      const number = Number(BigInt.asIntN(32, BigInt(raw)))
      for (const [name, known] of Object.entries(field.values)) if (known === number) return name
      if (spec.syntax === 2) return unknownNumber
      throw this.corrupt(
        spec,
        begin,
        `${field.name} has the value ${raw}, which is none of ${Object.keys(field.values).join(', ')}`,
      )
    }
    // Small numbers fit every type.
    if (typeof raw === 'number' && raw <= 0x7fffffff) return raw
    const wide = BigInt(raw)
    const whole =
      field.scalar === 'int32' ? BigInt.asIntN(32, wide) : field.scalar === 'int64' ? BigInt.asIntN(64, wide) : wide
    const [low, high] = rangeOf(field)
    if (whole < low || whole > high)
      throw this.corrupt(spec, begin, `${field.name} is ${whole}, not from ${low} to ${high}`)
    const number = Number(whole)
    return Number.isSafeInteger(number) ? number : whole
  }

  /** An unsigned whole number of 64 bits: a number where up to 49 bits are used, which is faster. */
  private varint(spec: MessageSpec, end: number): number | bigint {
    const begin = this.at
    let value = 0
    for (let factor = 1; factor < 2 ** 49 && this.at < end; factor *= 128) {
      const byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    let wide = BigInt(value)
    for (let shift = 49n; shift < 70n && this.at < end; shift += 7n) {
      const byte = this.bytes[this.at++]!
      wide |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, wide)
    }
    throw this.corrupt(spec, begin, 'a whole number is cut off or longer than ten bytes')
  }

  /** Reads a length; returns where the contents end. */
  private length(spec: MessageSpec, end: number): number {
    const begin = this.at
    const length = this.varint(spec, end)
    if (length > end - this.at) throw this.corrupt(spec, begin, 'a field is longer than what holds it')
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

  /** An item of a packed list as a field of its own: its tag, and its bytes from `at` to here. */
  private asUnknown(number: number, at: number): UnknownField {
    const tag: number[] = []
    let rest = number * 8
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) tag.push((rest % 128) | 0x80)
    return { bytes: Uint8Array.from([...tag, rest, ...this.bytes.subarray(at, this.at)]) }
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

/** What a field of a map's entry is when it is missing. */
export function defaultOf(field: Field): unknown {
  if (field.message !== undefined) {
    const { plain } = field.message()
    return plain === undefined ? {} : plain.read({})
  }
  if (field.values !== undefined) return Object.keys(field.values)[0]
  switch (field.scalar) {
    case 'string':
      return ''
    case 'bytes':
      return new Uint8Array(0)
    case 'bool':
      return false
    default:
      return 0
  }
}

function listIn(message: { [key: string]: unknown }, key: string): unknown[] {
  const list = (message[key] as unknown[] | undefined) ?? []
  message[key] = list
  return list
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
