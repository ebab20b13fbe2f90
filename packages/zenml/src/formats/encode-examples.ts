import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { type ByteSink, varintSize, writeVarint } from '../base/proto/byte-sink.ts'
import type { Column, ExampleBatch, FeatureKind } from './batch.ts'
import { maskedCrc32c } from './crc32c.ts'
import { type EntryLayout, entryBound, entryLayout, maxReadyPayload, writeEntry } from './example-layout.ts'
import { frameFooter, frameHeader } from './tfrecord.ts'

/** Encodes batches as framed `tf.train.Example` records; keeps what it learns of the features from batch to batch. */
export interface ExampleEncoder {
  /**
   * Appends the rows of a batch from `from` on, until they are all written, the sink holds `limit` bytes or more, or a row ends a
   * shard by `cut`, which is told there; returns the first row that is not written. Features stand in the order of their names' UTF-8 bytes, numbers are packed, a row without
   * values for a feature leaves it out: equal rows are equal bytes, however they are cut into batches.
   *
   * Throws `ZEN_BATCH_INVALID` for a batch that does not hold together: missing values, offsets that go back, ints that are not
   * whole or beyond 2^53 - 1 without `big`. Nothing of the failing row stays in the sink.
   */
  encode(batch: ExampleBatch, from: number, sink: ByteSink, limit: number, cut?: ShardCut): number
}

/** Where a shard ends by the content of its records; see `shard-cut.ts`. */
export interface ShardCut {
  /** How likely a byte ends the shard, times 2^32. */
  readonly chance: number
  /** Bytes of the sink before which nothing ends. */
  readonly from: number
  /** Set when a record has ended the shard. */
  found: boolean
}

/** One column of a batch, ready to be written. All plans have one shape, so that the loop over them stays fast. */
interface Plan {
  readonly name: string
  readonly kind: FeatureKind
  readonly layout: EntryLayout
  readonly offsets: Uint32Array | undefined
  readonly ints: Float64Array
  readonly big: BigInt64Array | undefined
  /** The bits of the floats: copied as they are, so that not even the payload of a NaN changes. */
  readonly bits: Int32Array
  readonly data: Uint8Array
  readonly ends: Uint32Array
  readonly values: number
}

/** Makes an encoder. */
export function exampleEncoder(): ExampleEncoder {
  const layouts = new Map<string, EntryLayout>()
  let planned: ExampleBatch | undefined
  let plans: readonly Plan[] = []
  /** Bytes of the length of the last row's features: the guess for the next one's. */
  let width = 2

  function encode(batch: ExampleBatch, from: number, sink: ByteSink, limit: number, cut?: ShardCut): number {
    if (planned !== batch) {
      plans = planBatch(batch, layouts)
      planned = batch
    }
    let row = from
    while (row < batch.length && sink.length < limit) {
      const start = sink.length
      sink.reserve(start, frameHeader + 16)
      const body = start + frameHeader + 1 + width
      let at = body
      for (let index = 0; index < plans.length; index++) at = writeFeature(sink, at, plans[index]!, row)
      sink.reserve(at, frameFooter + 8)
      const { bytes, view } = sink
      const length = at - body
      const needed = varintSize(length)
      if (needed !== width) {
        bytes.copyWithin(body + needed - width, body, at)
        at += needed - width
        width = needed
      }
      bytes[start + frameHeader] = 0x0a
      writeVarint(bytes, start + frameHeader + 1, length)
      view.setInt32(start, at - start - frameHeader, true)
      view.setInt32(start + 4, 0, true)
      view.setInt32(start + 8, maskedCrc32c(bytes, start, start + 8), true)
      const checksum = maskedCrc32c(bytes, start + frameHeader, at)
      view.setInt32(at, checksum, true)
      sink.length = at + frameFooter
      row++
      if (cut !== undefined && sink.length >= cut.from && endsShard(checksum, sink.length - start, cut.chance)) {
        cut.found = true
        break
      }
    }
    if (row === batch.length) planned = undefined
    return row
  }

  return { encode }
}

/** Whether a record ends its shard: a matter of its content alone, the likelier the longer it is. */
function endsShard(checksum: number, size: number, chance: number): boolean {
  return Math.imul(checksum, 0x9e3779b1) >>> 0 < size * chance
}

function planBatch(batch: ExampleBatch, layouts: Map<string, EntryLayout>): Plan[] {
  const names = [...batch.columns.keys()].sort(compareText)
  return names.map((name) => {
    const column = batch.columns.get(name)!
    checkColumn(name, column, batch.length)
    const layoutName = `${column.kind} ${name}`
    let layout = layouts.get(layoutName)
    if (layout === undefined) {
      layout = entryLayout(name, column.kind)
      layouts.set(layoutName, layout)
    }
    return {
      name,
      kind: column.kind,
      layout,
      offsets: column.offsets,
      ints: column.kind === 'int' ? column.values : noInts,
      big: column.kind === 'int' ? column.big : undefined,
      bits:
        column.kind === 'float'
          ? new Int32Array(column.values.buffer, column.values.byteOffset, column.values.length)
          : noBits,
      data: column.kind === 'bytes' ? column.data : noBytes,
      ends: column.kind === 'bytes' ? column.ends : noEnds,
      values: column.kind === 'bytes' ? column.ends.length : column.values.length,
    }
  })
}

const noInts = new Float64Array(0)
const noBits = new Int32Array(0)
const noBytes = new Uint8Array(0)
const noEnds = new Uint32Array(0)

function checkColumn(name: string, column: Column, rows: number): void {
  if (!name.isWellFormed()) throw invalid(name, 'its name holds a lone surrogate')
  const count = column.kind === 'bytes' ? column.ends.length : column.values.length
  if (column.offsets === undefined) {
    if (count < rows) throw invalid(name, `it has ${count} values for ${rows} rows`)
  } else if (column.offsets.length < rows + 1) {
    throw invalid(name, `it has ${column.offsets.length} offsets for ${rows} rows, not ${rows + 1}`)
  }
  if (column.kind === 'int' && column.big !== undefined && column.big.length < count) {
    throw invalid(name, `it has ${column.big.length} exact values beside ${count}`)
  }
}

function writeFeature(sink: ByteSink, start: number, plan: Plan, row: number): number {
  const { offsets, layout } = plan
  const first = offsets === undefined ? row : offsets[row]!
  const last = offsets === undefined ? row + 1 : offsets[row + 1]!
  if (last !== first + 1) {
    if (last === first) return start
    if (last < first || last > plan.values)
      throw invalid(plan.name, `the offsets of row ${row} are ${first} and ${last}`)
    return writeMany(sink, start, plan, first, last)
  }
  if (first >= plan.values) throw invalid(plan.name, `row ${row} has value ${first} of ${plan.values}`)
  let at = start
  switch (plan.kind) {
    case 'float': {
      sink.reserve(at, layout.key.length + 40)
      at = copyWords(sink.view, at, layout, 4)
      sink.view.setInt32(at, plan.bits[first]!, true)
      return at + 4
    }
    case 'int': {
      sink.reserve(at, layout.key.length + 48)
      if (plan.big === undefined) {
        const value = plan.ints[first]!
        if (value >= 0 && value < 0x80) {
          const small = value | 0
          if (small !== value) throw notWhole(plan.name, value)
          at = copyWords(sink.view, at, layout, 1)
          sink.bytes[at] = small
          return at + 1
        }
        const size = int64Size(value, plan.name)
        at = copyWords(sink.view, at, layout, size)
        return writeInt64(sink.bytes, at, value)
      }
      const value = BigInt.asUintN(64, plan.big[first]!)
      at = copyWords(sink.view, at, layout, bigSize(value))
      return writeBig(sink.bytes, at, value)
    }
    case 'bytes': {
      const begin = first === 0 ? 0 : plan.ends[first - 1]!
      const length = plan.ends[first]! - begin
      if (length < 0 || begin + length > plan.data.length) throw badEnds(plan.name, first)
      sink.reserve(at, layout.key.length + 48 + length)
      if (length > maxReadyPayload) {
        at = writeEntry(sink.bytes, at, layout.key, layout.tag, 1 + varintSize(length) + length)
        sink.bytes[at++] = 0x0a
        at = writeVarint(sink.bytes, at, length)
      } else {
        at = copyWords(sink.view, at, layout, length)
      }
      copyBytes(plan.data, begin, length, sink.bytes, at)
      return at + length
    }
  }
}

function copyWords(view: DataView, at: number, layout: EntryLayout, payload: number): number {
  const { words } = layout
  const length = layout.lengths[payload]!
  const from = payload * layout.stride
  const count = (length + 3) >> 2
  for (let index = 0; index < count; index++) view.setInt32(at + index * 4, words[from + index]!, true)
  return at + length
}

/** Copies bytes: short runs in a loop, which costs less than a call into the engine. */
export function copyBytes(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  if (length > 48) to.set(from.subarray(start, start + length), at)
  else for (let index = 0; index < length; index++) to[at + index] = from[start + index]!
}

function writeMany(sink: ByteSink, start: number, plan: Plan, first: number, last: number): number {
  const { key, tag } = plan.layout
  let at = start
  if (plan.kind === 'bytes') {
    let list = 0
    for (let value = first; value < last; value++) {
      const length = plan.ends[value]! - (value === 0 ? 0 : plan.ends[value - 1]!)
      if (length < 0 || plan.ends[value]! > plan.data.length) throw badEnds(plan.name, value)
      list += 1 + varintSize(length) + length
    }
    sink.reserve(at, entryBound(key) + list)
    at = writeEntry(sink.bytes, at, key, tag, list)
    for (let value = first; value < last; value++) {
      const begin = value === 0 ? 0 : plan.ends[value - 1]!
      const length = plan.ends[value]! - begin
      sink.bytes[at++] = 0x0a
      at = writeVarint(sink.bytes, at, length)
      copyBytes(plan.data, begin, length, sink.bytes, at)
      at += length
    }
    return at
  }
  let payload = (last - first) * 4
  if (plan.kind === 'int') {
    payload = 0
    for (let value = first; value < last; value++) {
      payload +=
        plan.big === undefined ? int64Size(plan.ints[value]!, plan.name) : bigSize(BigInt.asUintN(64, plan.big[value]!))
    }
  }
  sink.reserve(at, entryBound(key) + 8 + payload)
  const { bytes, view } = sink
  at = writeEntry(bytes, at, key, tag, 1 + varintSize(payload) + payload)
  bytes[at++] = 0x0a
  at = writeVarint(bytes, at, payload)
  for (let value = first; value < last; value++) {
    if (plan.kind === 'float') {
      view.setInt32(at, plan.bits[value]!, true)
      at += 4
    } else if (plan.big === undefined) {
      at = writeInt64(bytes, at, plan.ints[value]!)
    } else {
      at = writeBig(bytes, at, BigInt.asUintN(64, plan.big[value]!))
    }
  }
  return at
}

/** Bytes of a whole double as the varint of its 64-bit two's complement. */
function int64Size(value: number, name: string): number {
  if (value < 0) {
    if (!Number.isSafeInteger(value)) throw notWhole(name, value)
    return 10
  }
  if (value < 0x10000000) {
    if (value >>> 0 !== value) throw notWhole(name, value)
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4
  }
  if (!Number.isSafeInteger(value)) throw notWhole(name, value)
  return value < 2 ** 35 ? 5 : value < 2 ** 42 ? 6 : value < 2 ** 49 ? 7 : 8
}

function writeInt64(bytes: Uint8Array, start: number, value: number): number {
  let low = value >>> 0 // modulo 2^32, for negative numbers too
  let at = start
  if (value < 0 || value >= 0x10000000) {
    let high = Math.floor(value / 0x100000000) >>> 0
    while (high > 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
  } else {
    while (low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
  }
  bytes[at++] = low
  return at
}

function bigSize(value: bigint): number {
  let size = 1
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size++
  return size
}

function writeBig(bytes: Uint8Array, start: number, value: bigint): number {
  let at = start
  let rest = value
  while (rest > 0x7fn) {
    bytes[at++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  bytes[at++] = Number(rest)
  return at
}

function notWhole(name: string, value: number): ZenmlError {
  return invalid(name, `${value} is no whole number within 2^53 - 1; larger ones go beside, in "big"`)
}

function badEnds(name: string, value: number): ZenmlError {
  return invalid(name, `the ends of value ${value} go back or beyond its data`)
}

function invalid(name: string, reason: string): ZenmlError {
  return new ZenmlError('ZEN_BATCH_INVALID', `The column ${JSON.stringify(name)} of a batch is not valid: ${reason}.`, {
    facts: { feature: name, reason },
    next: 'Mend the code that made the batch.',
    exitCode: 1,
  })
}
