import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from './batch.ts'
import { ColumnBuilder } from './column-builder.ts'
import { copyBytes } from './encode-examples.ts'
import type { RecordBlock } from './tfrecord.ts'

/** Decodes `tf.train.Example` records into batches. */
export interface ExampleDecoder {
  /** Rows decoded since the last batch was taken. */
  readonly rows: number
  /** Whether the batch is full: it is to be taken before more is decoded. */
  readonly full: boolean
  /**
   * Decodes records of a block from `from` on, until they are all decoded or the batch is full; returns the first that is not.
   * Throws `ZEN_EXAMPLE_CORRUPT` where a record is no Example, `ZEN_EXAMPLE_KIND` where a feature is of another kind than
   * before, `ZEN_EXAMPLE_UNKNOWN` for a feature that is not among the given ones; each with file and record.
   */
  decode(block: RecordBlock, from: number, file: string): number
  /** The rows since the last time as a batch with every feature known by now. */
  take(): ExampleBatch
  /** Names of all features seen so far, also of those that never had a value. */
  names(): Iterable<string>
}

/** What a decoder is to expect. */
export interface DecoderOptions {
  /** The features there are; without, they are learned from the records. */
  readonly features?: ReadonlyMap<string, FeatureKind> | undefined
  /** The features to decode; the others are stepped over. Default all. */
  readonly columns?: ReadonlySet<string> | undefined
  /** Rows of a full batch. */
  readonly batchSize: number
  /** Bytes of records with which a batch is full whatever its number of rows. Default no bound. */
  readonly batchBytes?: number | undefined
}

/** A feature as it stands in the records. */
interface Slot {
  readonly name: string
  /** `0a <key length> <key> 12` in 32-bit words; undefined where the name is too long for the short way. */
  readonly words: Int32Array
  /** Which bits of the last word count. */
  readonly mask: number
  /** Bytes of the above. */
  readonly length: number
  /** Undefined for a feature that is stepped over, and as long as its kind is not known. */
  builder: ColumnBuilder | undefined
  readonly skipped: boolean
}

/** How many features may be missing from a record between two that are there, before the long way is taken. */
const maxProbes = 16

/** Makes a decoder. */
export function exampleDecoder(options: DecoderOptions): ExampleDecoder {
  return new Decoder(options)
}

class Decoder implements ExampleDecoder {
  rows = 0
  private readonly options: DecoderOptions
  private readonly mostBytes: number
  private bytesLeft: number
  private readonly slots = new Map<string, Slot>()
  /** The slots in the order in which the features stood in the records: where the next one is looked for first. */
  private readonly order: Slot[] = []
  /** Place in the order behind the feature decoded last. */
  private place = 0
  private bytes: Uint8Array = new Uint8Array(0)
  private view: DataView = new DataView(new ArrayBuffer(0))
  private file = ''
  private record = 0
  /** Where the last varint ended. */
  private at = 0

  constructor(options: DecoderOptions) {
    this.options = options
    this.mostBytes = options.batchBytes ?? Number.POSITIVE_INFINITY
    this.bytesLeft = this.mostBytes
    for (const [name, kind] of options.features ?? []) this.addSlot(name, kind)
  }

  decode(block: RecordBlock, from: number, file: string): number {
    this.bytes = block.bytes
    this.view = block.view
    this.file = file
    const { starts, ends, count } = block
    const room = this.options.batchSize - this.rows
    const last = Math.min(count, from + room)
    let index = from
    while (index < last && this.bytesLeft > 0) {
      this.record = block.first + index
      const start = starts[index]!
      const end = ends[index]!
      this.decodeRecord(start, end)
      this.rows++
      this.bytesLeft -= end - start
      index++
    }
    return index
  }

  get full(): boolean {
    return this.rows === this.options.batchSize || this.bytesLeft <= 0
  }

  take(): ExampleBatch {
    const builders: ColumnBuilder[] = []
    for (const { builder } of this.slots.values()) if (builder !== undefined) builders.push(builder)
    builders.sort((left, right) => compareText(left.name, right.name))
    const rows = this.rows
    this.rows = 0
    this.bytesLeft = this.mostBytes
    return { length: rows, columns: new Map(builders.map((builder) => [builder.name, builder.take(rows)])) }
  }

  names(): Iterable<string> {
    return this.slots.keys()
  }

  private decodeRecord(start: number, end: number): void {
    let at = start
    while (at < end) {
      const tag = this.varint(at, end)
      at = this.at
      if (tag !== 0x0a) {
        // To step over them would lose all that is in them without a word.
        if (tag === 0x12) throw this.corrupt('it has feature lists, so it is a tf.train.SequenceExample')
        at = this.skipField(tag, at, end)
        continue
      }
      const length = this.varint(at, end)
      at = this.at
      if (length > end - at) throw this.corrupt('its features are longer than itself')
      this.decodeFeatures(at, at + length)
      at += length
    }
  }

  private decodeFeatures(start: number, end: number): void {
    const { order } = this
    let place = 0
    let at = start
    while (at < end) {
      // The short way: a feature that stood at or soon after this place in the records before. All else goes the long way.
      const limit = Math.min(order.length, place + maxProbes)
      let next = 0
      for (let probe = place; probe < limit; probe++) {
        next = this.decodeExpected(order[probe]!, at, end)
        if (next === 0) continue
        place = probe + 1
        break
      }
      if (next > 0) at = next
      else {
        at = this.decodeEntry(at, end, place)
        place = this.place
      }
    }
  }

  /** Decodes an entry if it is the expected feature with one value and all lengths take one byte; else returns 0. */
  private decodeExpected(slot: Slot, at: number, end: number): number {
    const { bytes, view } = this
    const { words, length, builder } = slot
    if (at + 2 > end || bytes[at] !== 0x0a) return 0
    const entryLength = bytes[at + 1]!
    const next = at + 2 + entryLength
    if (entryLength > 0x7f || next > end || entryLength < length + 1) return 0
    const lastWord = words.length - 1
    let from = at + 2
    if (from + words.length * 4 > bytes.length) return 0
    for (let word = 0; word < lastWord; word++, from += 4) if (view.getInt32(from, true) !== words[word]!) return 0
    if (((view.getInt32(from, true) ^ words[lastWord]!) & slot.mask) !== 0) return 0
    if (slot.skipped) return next
    if (builder === undefined) return 0
    const value = at + 2 + length
    // Feature length, kind, list length, packed or value tag, payload length: each must fit the one around it exactly.
    const payload = next - value - 5
    if (payload < 0) return payload === -4 && bytes[value] === 0 && builder.nextRow <= this.rows ? next : 0
    if (bytes[value] !== payload + 4 || bytes[value + 1] !== builder.tag || bytes[value + 2] !== payload + 2) return 0
    if (bytes[value + 3] !== 0x0a || bytes[value + 4] !== payload) return 0
    if (builder.nextRow !== this.rows) builder.openRow(this.rows)
    return this.addSingle(builder, value + 5, payload) ? next : 0
  }

  /** Adds the one value of a row; false, with nothing done, where it is not just one. */
  private addSingle(builder: ColumnBuilder, start: number, length: number): boolean {
    const { bytes } = this
    const tag = builder.tag
    if (tag === 0x12) {
      if (length !== 4) return false
      if (builder.count === builder.capacity) builder.grow()
      builder.bits[builder.count++] = this.view.getInt32(start, true)
    } else if (tag === 0x0a) {
      if (builder.count === builder.capacity || builder.dataLength + length > builder.data.length) {
        builder.addBytes(bytes, start, length)
      } else {
        copyBytes(bytes, start, length, builder.data, builder.dataLength)
        builder.dataLength += length
        builder.ends[builder.count++] = builder.dataLength
      }
    } else {
      let value = bytes[start]!
      if (length === 1) {
        if (value > 0x7f) return false
      } else if (length === 2) {
        const second = bytes[start + 1]!
        if (value < 0x80 || second > 0x7f) return false
        value = (value & 0x7f) | (second << 7)
      } else if (length === 3) {
        const second = bytes[start + 1]!
        const third = bytes[start + 2]!
        if ((value & second) < 0x80 || third > 0x7f) return false
        value = (value & 0x7f) | ((second & 0x7f) << 7) | (third << 14)
      } else {
        return this.addSingleLong(builder, start, length)
      }
      if (builder.big !== undefined) builder.addInt(0, value)
      else {
        if (builder.count === builder.capacity) builder.grow()
        builder.ints[builder.count++] = value
      }
    }
    if (builder.offsets !== undefined) builder.offsets[builder.nextRow + 1] = builder.count
    builder.nextRow++
    return true
  }

  private addSingleLong(builder: ColumnBuilder, start: number, length: number): boolean {
    const { bytes } = this
    if (length < 1 || length > 10) return false
    for (let index = 0; index < length - 1; index++) if (bytes[start + index]! < 0x80) return false
    if (bytes[start + length - 1]! > 0x7f) return false
    this.addVarint(builder, start, start + length)
    if (builder.offsets !== undefined) builder.offsets[builder.nextRow + 1] = builder.count
    builder.nextRow++
    return true
  }

  /** Decodes a field of Features the long way; returns the place after it. `place` is where it was looked for. */
  private decodeEntry(start: number, end: number, place: number): number {
    const tag = this.varint(start, end)
    this.place = place
    if (tag !== 0x0a) return this.skipField(tag, this.at, end)
    const length = this.varint(this.at, end)
    let at = this.at
    if (length > end - at) throw this.corrupt('a feature is longer than what holds it')
    const last = at + length
    let keyStart = at
    let keyEnd = at
    let valueStart = at
    let valueEnd = at
    while (at < last) {
      const field = this.varint(at, last)
      if (field !== 0x0a && field !== 0x12) {
        at = this.skipField(field, this.at, last)
        continue
      }
      const size = this.varint(this.at, last)
      at = this.at
      if (size > last - at) throw this.corrupt('a feature is longer than what holds it')
      if (field === 0x0a) {
        keyStart = at
        keyEnd = at + size
      } else {
        valueStart = at
        valueEnd = at + size
      }
      at += size
    }
    const name = this.text(keyStart, keyEnd)
    const slot = this.slots.get(name) ?? this.addSlot(name, undefined)
    const known = this.order.indexOf(slot)
    if (known < 0) this.order.splice(place, 0, slot)
    this.place = (known < 0 ? place : known) + 1
    if (!slot.skipped) this.decodeFeature(slot, valueStart, valueEnd)
    return last
  }

  /** Decodes a Feature message: of its lists, the last kind counts, and lists of one kind run on from one another. */
  private decodeFeature(slot: Slot, start: number, end: number): void {
    let tag = 0
    let from = end
    for (let at = start; at < end; ) {
      const begin = at
      const field = this.varint(at, end)
      at = this.skipField(field, this.at, end)
      if ((field === 0x0a || field === 0x12 || field === 0x1a) && field !== tag) {
        tag = field
        from = begin
      }
    }
    if (tag === 0) {
      // No list at all: no values, of no kind. It can still take back the values of an earlier entry of the same name.
      if (slot.builder !== undefined && slot.builder.nextRow > this.rows) {
        slot.builder.openRow(this.rows)
        slot.builder.closeRow(this.rows)
      }
      return
    }
    const kind: FeatureKind = tag === 0x0a ? 'bytes' : tag === 0x12 ? 'float' : 'int'
    if (slot.builder === undefined) slot.builder = new ColumnBuilder(slot.name, kind, this.options.batchSize)
    const { builder } = slot
    if (builder.kind !== kind) {
      throw new ZenmlError(
        'ZEN_EXAMPLE_KIND',
        `${this.file}: record ${this.record} has values of kind ${kind} for the feature ${JSON.stringify(slot.name)}, which is of kind ${builder.kind}.`,
        {
          facts: { file: this.file, record: this.record, feature: slot.name, expected: builder.kind, found: kind },
          next: 'Write the feature with one kind in all examples.',
          exitCode: 1,
        },
      )
    }
    builder.openRow(this.rows)
    for (let at = from; at < end; ) {
      const field = this.varint(at, end)
      if (field === tag) {
        const length = this.varint(this.at, end)
        at = this.at
        this.decodeList(builder, at, at + length)
        at += length
      } else at = this.skipField(field, this.at, end)
    }
    builder.closeRow(this.rows)
  }

  private decodeList(builder: ColumnBuilder, start: number, end: number): void {
    const single = builder.kind === 'float' ? 0x0d : builder.kind === 'int' ? 0x08 : -1
    for (let at = start; at < end; ) {
      const field = this.varint(at, end)
      at = this.at
      if (field === 0x0a) {
        const length = this.varint(at, end)
        at = this.at
        if (length > end - at) throw this.corrupt('a value is longer than what holds it')
        const last = at + length
        if (builder.kind === 'bytes') builder.addBytes(this.bytes, at, length)
        else if (builder.kind === 'float') {
          if (length % 4 !== 0) throw this.corrupt('a list of floats does not end on a float')
          builder.grow(length / 4)
          for (; at < last; at += 4) builder.addBits(this.view.getInt32(at, true))
        } else while (at < last) at = this.addVarint(builder, at, last)
        at = last
      } else if (field === single && builder.kind === 'int') at = this.addVarint(builder, at, end)
      else if (field === single) {
        if (end - at < 4) throw this.corrupt('a float is cut off')
        builder.addBits(this.view.getInt32(at, true))
        at += 4
      } else at = this.skipField(field, at, end)
    }
  }

  /** Adds a 64-bit varint; returns the place after it. */
  private addVarint(builder: ColumnBuilder, start: number, end: number): number {
    const { bytes } = this
    let low = 0
    let high = 0
    let shift = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      const part = byte & 0x7f
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high = part >>> 4
      } else high |= part << (shift - 32)
      if (byte < 0x80) {
        builder.addInt(high | 0, low >>> 0)
        return at + 1
      }
      shift += 7
      if (shift > 63) break
    }
    throw this.corrupt('a whole number is cut off or longer than ten bytes')
  }

  /** Steps over the contents of a field that is not ours; returns the place after it. */
  private skipField(tag: number, start: number, end: number): number {
    let at = start
    if (tag >>> 3 === 0) throw this.corrupt('a field has the number 0')
    switch (tag & 7) {
      case 0:
        for (let size = 1; at < end && size <= 10; size++) if (this.bytes[at++]! < 0x80) return at
        throw this.corrupt('a whole number is cut off or longer than ten bytes')
      case 1:
        at += 8
        break
      case 2:
        at = this.varint(at, end)
        at += this.at
        break
      case 5:
        at += 4
        break
      default:
        throw this.corrupt(`a field has the wire type ${tag & 7}`)
    }
    if (at > end) throw this.corrupt('a field is longer than what holds it')
    return at
  }

  /** Reads a varint of at most 32 bits (tags and lengths); `this.at` is the place after it. */
  private varint(start: number, end: number): number {
    const { bytes } = this
    let value = 0
    for (let at = start, shift = 0; at < end && shift < 35; at++, shift += 7) {
      const byte = bytes[at]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        this.at = at + 1
        if (value > 0xffffffff) break
        return value
      }
    }
    throw this.corrupt('a tag or length is cut off or too long')
  }

  private text(start: number, end: number): string {
    try {
      return utf8.decode(this.bytes.subarray(start, end))
    } catch (error) {
      throw this.corrupt('the name of a feature is not UTF-8', error)
    }
  }

  private addSlot(name: string, kind: FeatureKind | undefined): Slot {
    if (kind === undefined && this.options.features !== undefined) {
      throw new ZenmlError(
        'ZEN_EXAMPLE_UNKNOWN',
        `${this.file}: record ${this.record} has the feature ${JSON.stringify(name)}, which the list of features does not have.`,
        {
          facts: { file: this.file, record: this.record, feature: name },
          next: 'Make the artifact again: its files do not belong together.',
          exitCode: 1,
        },
      )
    }
    const key = new TextEncoder().encode(name)
    const length = key.length + 3
    const words = new Int32Array((length + 3) >> 2)
    const bytes = new Uint8Array(words.buffer)
    bytes[0] = 0x0a
    bytes[1] = key.length
    bytes.set(key, 2)
    bytes[length - 1] = 0x12
    const rest = length & 3
    const skipped = this.options.columns !== undefined && !this.options.columns.has(name)
    const slot: Slot = {
      name,
      words,
      mask: rest === 0 ? -1 : (1 << (rest * 8)) - 1,
      length,
      skipped,
      builder: skipped || kind === undefined ? undefined : new ColumnBuilder(name, kind, this.options.batchSize),
    }
    this.slots.set(name, slot)
    return slot
  }

  private corrupt(reason: string, cause?: unknown): ZenmlError {
    return new ZenmlError(
      'ZEN_EXAMPLE_CORRUPT',
      `${this.file}: record ${this.record} is no tf.train.Example: ${reason}.`,
      {
        facts: { file: this.file, record: this.record, reason },
        next: 'Read files of tf.train.Example records, or make the artifact again.',
        exitCode: 1,
        cause,
      },
    )
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
