import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { ByteSink } from '../packages/zenml/src/base/proto/byte-sink.ts'
import { seededRandom } from '../packages/zenml/src/base/random.ts'
import { bytesAt, type ExampleBatch } from '../packages/zenml/src/formats/batch.ts'
import { maskedCrc32c } from '../packages/zenml/src/formats/crc32c.ts'
import { exampleDecoder } from '../packages/zenml/src/formats/decode-examples.ts'
import { exampleEncoder } from '../packages/zenml/src/formats/encode-examples.ts'
import { batchOf, createExamplesWriter, openExamples } from '../packages/zenml/src/formats/examples.ts'
import type { RecordBlock } from '../packages/zenml/src/formats/tfrecord.ts'
import { type BenchRow, round } from './support/measure.ts'

/** One line of the table. */
interface Line {
  readonly what: string
  /** Examples a second, in thousands; the best of the rounds. */
  readonly thousands: number
  /** Times as fast as protobufjs in the same run; null where it has no counterpart. */
  readonly ratio: number | null
}

const batchRows = 4096
const words = ['Adelie', 'Gentoo', 'Chinstrap', 'Torgersen', 'Biscoe', 'Dream', 'cash', 'credit card', 'no charge']

/** Examples of 12 features: five floats, four ints of all sizes, three short texts. Deterministic. */
function makeBatch(seed: number): ExampleBatch {
  const random = seededRandom(seed)
  return batchOf(
    Array.from({ length: batchRows }, (_, row) => ({
      bill_length: random.next() * 60,
      bill_depth: random.next() * 20,
      latitude: 41 + random.next(),
      longitude: -87 - random.next(),
      fare: Math.round(random.next() * 4000) / 100,
      day: random.integer(7),
      year: 2000 + random.integer(20),
      trip_seconds: random.integer(5000),
      timestamp: 1_400_000_000 + seed * batchRows + row,
      species: words[random.integer(3)],
      island: words[3 + random.integer(3)],
      payment_type: words[6 + random.integer(3)],
    })),
    { bill_length: 'float', bill_depth: 'float', latitude: 'float', longitude: 'float', fare: 'float' },
  )
}

const exampleType = protobuf
  .parse(
    `syntax = "proto3"; package tensorflow;
     message BytesList { repeated bytes value = 1; } message FloatList { repeated float value = 1; }
     message Int64List { repeated int64 value = 1; }
     message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
     message Features { map<string, Feature> feature = 1; } message Example { Features features = 1; }`,
    { keepCase: true },
  )
  .root.lookupType('tensorflow.Example')

function rowObject(batch: ExampleBatch, row: number): object {
  const feature: { [name: string]: object } = {}
  for (const [name, column] of batch.columns) {
    if (column.kind === 'bytes') feature[name] = { bytes_list: { value: [bytesAt(column, row)] } }
    else if (column.kind === 'float') feature[name] = { float_list: { value: [column.values[row]] } }
    else feature[name] = { int64_list: { value: [column.values[row]] } }
  }
  return { features: { feature } }
}

async function best(rounds: number, rows: number, work: () => void | Promise<void>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < rounds; turn++) {
    const start = process.hrtime.bigint()
    await work()
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - start))
  }
  return (rows / fastest) * 1e6
}

/** Measures encoding and decoding of tf.train.Example records, protobufjs beside ours; the first argument is the number of rows. */
export async function run(args: readonly string[] = []): Promise<BenchRow[]> {
  const rows = Number(args[0] ?? 1_000_000)
  const batches = Array.from({ length: 8 }, (_, seed) => makeBatch(seed))
  const total = Math.ceil(rows / batchRows)
  const sink = new ByteSink(1 << 22)
  const encoder = exampleEncoder()
  const encode = await best(3, total * batchRows, () => {
    for (let index = 0; index < total; index++) {
      sink.length = 0
      encoder.encode(batches[index % 8]!, 0, sink, Number.POSITIVE_INFINITY)
    }
  })

  const few = Math.max(1, Math.ceil(total / 20))
  const objects = Array.from({ length: batchRows }, (_, row) => rowObject(batches[0]!, row))
  const peerEncode = await best(3, few * batchRows, () => {
    for (let index = 0; index < few; index++) for (const object of objects) exampleType.encode(object).finish()
  })

  const blocks = batches.map((batch) => blockOf(batch))
  const decode = async (columns?: readonly string[]): Promise<number> => {
    const decoder = exampleDecoder({ batchSize: batchRows, columns: columns && new Set(columns) })
    return await best(3, total * batchRows, () => {
      for (let index = 0; index < total; index++) {
        const block = blocks[index % 8]!
        // As the file reader does it: the checksum of every record, then its values.
        for (let record = 0; record < block.count; record++) {
          const end = block.ends[record]!
          if (block.view.getInt32(end, true) !== maskedCrc32c(block.bytes, block.starts[record]!, end))
            throw new Error('crc')
        }
        decoder.decode(block, 0, 'memory')
        decoder.take()
      }
    })
  }
  const decodeAll = await decode()
  const decodeTwo = await decode(['fare', 'species'])
  const block = blocks[0]!
  const records = Array.from({ length: block.count }, (_, i) => block.bytes.slice(block.starts[i], block.ends[i]))
  const peerDecode = await best(3, few * batchRows, () => {
    for (let index = 0; index < few; index++) for (const record of records) exampleType.decode(record)
  })

  const directory = await mkdtemp(join(tmpdir(), 'zenml-bench-'))
  let write = 0
  let read = 0
  try {
    let turn = 0
    write = await best(2, total * batchRows, async () => {
      const writer = await createExamplesWriter(join(directory, String(turn++)))
      for (let index = 0; index < total; index++) await writer.write('all', batches[index % 8]!)
      await writer.finish()
    })
    const reader = await openExamples(join(directory, '0'))
    read = await best(3, total * batchRows, async () => {
      let seen = 0
      for await (const batch of reader.read('all')) seen += batch.length
      if (seen !== total * batchRows) throw new Error(`read ${seen} rows`)
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  const table: Line[] = [
    { what: 'encode 12 features', thousands: encode, ratio: encode / peerEncode },
    { what: '  protobufjs', thousands: peerEncode, ratio: 1 },
    { what: 'decode 12 features, CRC checked', thousands: decodeAll, ratio: decodeAll / peerDecode },
    { what: 'decode 2 of 12 features, CRC checked', thousands: decodeTwo, ratio: decodeTwo / peerDecode },
    { what: '  protobufjs, no CRC', thousands: peerDecode, ratio: 1 },
    { what: 'write files', thousands: write, ratio: null },
    { what: 'read files', thousands: read, ratio: null },
  ]
  for (const { what, thousands, ratio } of table) {
    const times = ratio === null ? '' : `${ratio.toFixed(1)}x protobufjs`
    console.log(`${what.padEnd(38)} ${thousands.toFixed(0).padStart(6)} thousand/s  ${times}`)
  }
  return [
    { bar: 'encode tf.train.Example / protobufjs', value: round(peerEncode / encode) },
    { bar: 'decode tf.train.Example with CRC / protobufjs without', value: round(peerDecode / decodeAll) },
  ]
}

function blockOf(batch: ExampleBatch): RecordBlock {
  const sink = new ByteSink(1 << 20)
  exampleEncoder().encode(batch, 0, sink, Number.POSITIVE_INFINITY)
  const bytes = sink.bytes.slice(0, sink.length)
  const view = new DataView(bytes.buffer)
  const starts = new Uint32Array(batch.length)
  const ends = new Uint32Array(batch.length)
  for (let at = 0, count = 0; at < bytes.length; count++) {
    starts[count] = at + 12
    ends[count] = at + 12 + view.getUint32(at, true)
    at = ends[count]! + 4
  }
  return { bytes, view, count: batch.length, starts, ends, first: 0, offset: 0 }
}
