import protobuf from 'protobufjs'
import { ByteSink } from '../../src/base/proto/byte-sink.ts'
import { bytesAt, type Column, type ExampleBatch, rowEnd, rowStart } from '../../src/formats/batch.ts'
import { exampleDecoder } from '../../src/formats/decode-examples.ts'
import { exampleEncoder } from '../../src/formats/encode-examples.ts'
import type { RecordBlock } from '../../src/formats/tfrecord.ts'

/** `tf.train.Example` in protobufjs: the independent implementation that ours is held against. */
export const oracle: protobuf.Type = protobuf
  .parse(
    `syntax = "proto3"; package tensorflow;
     message BytesList { repeated bytes value = 1; } message FloatList { repeated float value = 1; }
     message Int64List { repeated int64 value = 1; }
     message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
     message Features { map<string, Feature> feature = 1; } message Example { Features features = 1; }`,
    { keepCase: true },
  )
  .root.lookupType('tensorflow.Example')

/** The values of a row that has a feature, as texts that two implementations can be compared by. */
export interface PlainRow {
  readonly [feature: string]: { readonly kind: string; readonly values: readonly string[] }
}

/** What protobufjs finds in a record. */
export function plainByOracle(record: Uint8Array): PlainRow {
  const example = oracle.decode(record) as unknown as {
    features: { feature: { [name: string]: { [list: string]: { value: unknown[] } } } } | null
  }
  const row: { [feature: string]: { kind: string; values: string[] } } = {}
  for (const [name, feature] of Object.entries(example.features?.feature ?? {})) {
    for (const [list, kind] of [
      ['bytes_list', 'bytes'],
      ['float_list', 'float'],
      ['int64_list', 'int'],
    ] as const) {
      const found = feature[list]
      if (found === undefined || found === null || found.value.length === 0) continue
      row[name] = { kind, values: found.value.map(plainValue) }
    }
  }
  return sorted(row)
}

function plainValue(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

/** What a batch says of a row. */
export function plainByBatch(batch: ExampleBatch, row: number): PlainRow {
  const found: { [feature: string]: { kind: string; values: string[] } } = {}
  for (const [name, column] of batch.columns) {
    const values: string[] = []
    for (let value = rowStart(column, row); value < rowEnd(column, row); value++) values.push(textOf(column, value))
    if (values.length > 0) found[name] = { kind: column.kind, values }
  }
  return sorted(found)
}

function textOf(column: Column, value: number): string {
  if (column.kind === 'bytes') return Buffer.from(bytesAt(column, value)).toString('hex')
  return column.kind === 'int' && column.big !== undefined ? String(column.big[value]) : String(column.values[value])
}

function sorted(row: { [feature: string]: { kind: string; values: string[] } }): PlainRow {
  return Object.fromEntries(Object.entries(row).sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** The framed records of batches. */
export function encodeAll(...batches: readonly ExampleBatch[]): Uint8Array {
  const sink = new ByteSink(16)
  const encoder = exampleEncoder()
  for (const batch of batches) encoder.encode(batch, 0, sink, Number.POSITIVE_INFINITY)
  return sink.bytes.slice(0, sink.length)
}

/** The records in framed bytes. */
export function recordsOf(framed: Uint8Array): Uint8Array[] {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.length)
  const records: Uint8Array[] = []
  for (let at = 0; at < framed.length; ) {
    const end = at + 12 + view.getUint32(at, true)
    records.push(framed.slice(at + 12, end))
    at = end + 4
  }
  return records
}

/** A block of records as the file reader gives it. */
export function blockOf(records: readonly Uint8Array[]): RecordBlock {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0))
  const starts = new Uint32Array(records.length)
  const ends = new Uint32Array(records.length)
  let at = 0
  for (const [index, record] of records.entries()) {
    bytes.set(record, at)
    starts[index] = at
    at += record.length
    ends[index] = at
  }
  return { bytes, view: new DataView(bytes.buffer), count: records.length, starts, ends, first: 0, offset: 0 }
}

/** Decodes records into one batch. */
export function decodeAll(records: readonly Uint8Array[], columns?: readonly string[]): ExampleBatch {
  const decoder = exampleDecoder({ batchSize: Math.max(1, records.length), columns: columns && new Set(columns) })
  decoder.decode(blockOf(records), 0, 'memory')
  return decoder.take()
}
