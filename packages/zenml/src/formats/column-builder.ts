import type { Column, FeatureKind } from './batch.ts'
import { copyBytes } from './encode-examples.ts'
import { kindTags } from './example-layout.ts'

/**
 * Gathers one feature's values row by row into typed arrays. Rows are told by their number, rising; rows that are skipped have
 * no values. All builders have one shape whatever their kind, so that loops over them stay fast.
 */
export class ColumnBuilder {
  readonly name: string
  readonly kind: FeatureKind
  /** Tag of the kind's list in `tf.train.Feature`. */
  readonly tag: number
  /** Number of values so far. */
  count = 0
  /** Rows before this one are settled: they have their values. */
  nextRow = 0
  ints: Float64Array = noInts
  big: BigInt64Array | undefined = undefined
  /** Bits of floats. */
  bits: Int32Array = noBits
  data: Uint8Array = noBytes
  dataLength = 0
  ends: Uint32Array = noEnds
  /** Undefined as long as every settled row has exactly one value. */
  offsets: Uint32Array | undefined = undefined
  /** Values there is room for. */
  capacity = 0
  private rows: number
  /** How much room a batch begins with: what the last one needed. A table may have ten thousand columns and few rows. */
  private countGuess: number
  private dataGuess: number

  constructor(name: string, kind: FeatureKind, rows: number) {
    this.name = name
    this.kind = kind
    this.tag = kindTags[kind]
    this.rows = rows
    this.countGuess = Math.min(rows, 64)
    this.dataGuess = this.countGuess * 8
    this.start()
  }

  private start(): void {
    this.count = 0
    this.nextRow = 0
    this.dataLength = 0
    this.offsets = undefined
    this.big = undefined
    this.capacity = this.countGuess
    if (this.kind === 'int') this.ints = new Float64Array(this.capacity)
    else if (this.kind === 'float') this.bits = new Int32Array(this.capacity)
    else {
      this.ends = new Uint32Array(this.capacity)
      this.data = new Uint8Array(this.dataGuess)
    }
  }

  /** Opens a row: settles the rows that were skipped. To be called where `nextRow` is not the row, and for several values. */
  openRow(row: number): void {
    if (this.nextRow > row) this.reopenRow(row)
    if (this.nextRow < row) {
      const offsets = this.withOffsets()
      for (let skipped = this.nextRow; skipped < row; skipped++) offsets[skipped + 1] = this.count
      this.nextRow = row
    }
  }

  /** A feature that stands twice in an example: the last one counts. */
  private reopenRow(row: number): void {
    this.count = this.offsets === undefined ? row : this.offsets[row]!
    this.dataLength = this.count === 0 || this.kind !== 'bytes' ? 0 : this.ends[this.count - 1]!
    this.nextRow = row
  }

  /** Closes the open row after its values were added. */
  closeRow(row: number): void {
    if (this.offsets === undefined && this.count !== row + 1) this.withOffsets()
    if (this.offsets !== undefined) this.offsets[row + 1] = this.count
    this.nextRow = row + 1
  }

  private withOffsets(): Uint32Array {
    if (this.offsets === undefined) {
      this.offsets = new Uint32Array(this.rows + 1)
      for (let row = 0; row <= this.nextRow; row++) this.offsets[row] = row
    }
    return this.offsets
  }

  /** Makes room for more values. */
  grow(more: number = 1): void {
    const needed = this.count + more
    if (needed <= this.capacity) return
    this.capacity = Math.max(needed, this.capacity * 2, 16)
    if (this.kind === 'int') {
      this.ints = copied(this.ints, new Float64Array(this.capacity), this.count)
      if (this.big !== undefined) this.big = copied(this.big, new BigInt64Array(this.capacity), this.count)
    } else if (this.kind === 'float') this.bits = copied(this.bits, new Int32Array(this.capacity), this.count)
    else this.ends = copied(this.ends, new Uint32Array(this.capacity), this.count)
  }

  /** Adds an int given as two halves of its two's complement (the upper signed, the lower unsigned). */
  addInt(high: number, low: number): void {
    if (this.count === this.capacity) this.grow()
    const value = high * 0x100000000 + low
    this.ints[this.count] = value
    if (this.big !== undefined || !Number.isSafeInteger(value)) {
      this.addBig((BigInt(high) << 32n) | BigInt(low))
    }
    this.count++
  }

  /** Adds an int within 2^53 - 1. */
  addWhole(value: number): void {
    if (this.count === this.capacity) this.grow()
    this.ints[this.count] = value
    if (this.big !== undefined) this.big[this.count] = BigInt(value)
    this.count++
  }

  /** Adds the 32-bit float nearest to a number. */
  addFloat(value: number): void {
    floats[0] = value
    this.addBits(floatBits[0]!)
  }

  private addBig(value: bigint): void {
    if (this.big === undefined) {
      this.big = new BigInt64Array(this.capacity)
      for (let index = 0; index < this.count; index++) this.big[index] = BigInt(this.ints[index]!)
    }
    this.big[this.count] = value
  }

  addBits(bits: number): void {
    if (this.count === this.capacity) this.grow()
    this.bits[this.count++] = bits
  }

  addBytes(from: Uint8Array, start: number, length: number): void {
    if (this.count === this.capacity) this.grow()
    const at = this.dataLength
    const end = at + length
    if (end > this.data.length) this.data = copied(this.data, new Uint8Array(Math.max(end, this.data.length * 2)), at)
    copyBytes(from, start, length, this.data, at)
    this.dataLength = end
    this.ends[this.count++] = end
  }

  /** Adds a text as UTF-8. */
  addText(text: string): void {
    if (this.count === this.capacity) this.grow()
    const at = this.dataLength
    const { length } = text
    // The most that one unit of UTF-16 takes.
    const most = at + length * 3
    if (most > this.data.length) this.data = copied(this.data, new Uint8Array(Math.max(most, this.data.length * 2)), at)
    const { data } = this
    let end = at
    // Short texts are copied by hand: a call of the encoder takes longer than they do.
    if (length <= 32) {
      for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code >= 128) break
        data[end++] = code
      }
    }
    if (end - at < length) end = at + textEncoder.encodeInto(text, data.subarray(at)).written
    this.dataLength = end
    this.ends[this.count++] = end
  }

  /** The column of the first `rows` rows; the builder starts anew. */
  take(rows: number): Column {
    this.openRow(rows)
    const { count } = this
    const offsets = this.offsets === undefined ? undefined : this.offsets.subarray(0, rows + 1)
    const shared = offsets === undefined ? {} : { offsets }
    let column: Column
    if (this.kind === 'int') {
      const values = this.ints.subarray(0, count)
      // A value beyond 2^53 - 1 may have been taken back with its row.
      const big =
        this.big !== undefined && !values.every(Number.isSafeInteger) ? this.big.subarray(0, count) : undefined
      column = big === undefined ? { kind: 'int', values, ...shared } : { kind: 'int', values, big, ...shared }
    } else if (this.kind === 'float') {
      column = { kind: 'float', values: new Float32Array(this.bits.buffer, 0, count), ...shared }
    } else {
      column = {
        kind: 'bytes',
        data: this.data.subarray(0, this.dataLength),
        ends: this.ends.subarray(0, count),
        ...shared,
      }
      this.dataGuess = Math.max(64, this.dataLength + (this.dataLength >> 3))
    }
    this.countGuess = Math.max(16, count)
    this.start()
    return column
  }
}

const textEncoder = new TextEncoder()
const floats = new Float32Array(1)
const floatBits = new Int32Array(floats.buffer)

const noInts = new Float64Array(0)
const noBits = new Int32Array(0)
const noBytes = new Uint8Array(0)
const noEnds = new Uint32Array(0)

function copied<T extends { set(from: T): void; subarray(start: number, end: number): T }>(
  from: T,
  to: T,
  count: number,
): T {
  to.set(from.subarray(0, count))
  return to
}
