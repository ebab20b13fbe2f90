import { hash } from 'node:crypto'
import { ByteSink } from '../base/proto/byte-sink.ts'
import { batchBytes, type ExampleBatch, type FeatureKind } from './batch.ts'
import { type ExampleDecoder, exampleDecoder } from './decode-examples.ts'
import type { RowDifference } from './diff-rows.ts'
import { exampleEncoder } from './encode-examples.ts'
import type { ExamplesReader } from './examples-reader.ts'
import type { RecordRun, UnpairedRecords } from './pair-records.ts'
import { checkRecord, frameFooter, frameHeader } from './tfrecord.ts'

/** What of a row is compared. */
export interface RowPlan {
  readonly columns: ReadonlyMap<string, FeatureKind>
  /** Whether the bytes of a record are its row. */
  readonly whole: boolean
  /** Whether equal bytes are equal rows to both sides. */
  readonly paired: boolean
  readonly key: ReadonlySet<string> | undefined
}

/** Rows whose records have no equal one beside them: decoded as far as needed, hashed, and set off against each other. */
export class UnpairedRows implements UnpairedRecords {
  private readonly hashers: readonly [RowHasher, RowHasher]
  private readonly counted: RowDifference

  constructor(examples: readonly [ExamplesReader, ExamplesReader], plan: RowPlan, counted: RowDifference) {
    this.hashers = [new RowHasher(examples[0].features, plan), new RowHasher(examples[1].features, plan)]
    this.counted = counted
  }

  take(side: 0 | 1, run: RecordRun): void {
    for (let from = run.from; from < run.to; from += heldRows) {
      const to = Math.min(run.to, from + heldRows)
      const hasher = this.hashers[side]
      const size = run.block.ends[to - 1]! - run.block.starts[from]!
      if (hasher.rows + to - from > heldRows || hasher.bytes + size > batchBytes) this.settleSide(side)
      hasher.add({ ...run, from, to })
    }
  }

  *takeEach(side: 0 | 1, run: RecordRun): Generator<boolean, void, undefined> {
    this.settleSide(side)
    this.hashers[side].add(run)
    const { rows, keys } = this.hashers[side].take()
    for (const [index, row] of rows.entries()) yield this.counted.add(side, row, keys?.[index])
  }

  /** Sets off what is held back. */
  settle(): void {
    this.settleSide(0)
    this.settleSide(1)
  }

  private settleSide(side: 0 | 1): void {
    const { rows, keys } = this.hashers[side].take()
    for (const [index, row] of rows.entries()) this.counted.add(side, row, keys?.[index])
  }
}

/** Rows of one side that are held back, so that a few at a time cost no more each than many. */
const heldRows = 1024

/** SHA-256 of each row, and of its key, as texts of 32 characters. */
interface HashedRows {
  readonly rows: readonly string[]
  readonly keys: readonly string[] | undefined
}

class RowHasher {
  private readonly plan: RowPlan
  /** What has to be decoded: nothing where records are whole and rows have no key. */
  private readonly decoder: ExampleDecoder | undefined
  private readonly hashRows = batchHasher()
  private readonly hashKeys = batchHasher()
  private hashes: string[] = []
  /** Rows since the last time, and the bytes of their records. */
  rows = 0
  bytes = 0

  constructor(features: ReadonlyMap<string, FeatureKind>, plan: RowPlan) {
    this.plan = plan
    const columns = plan.whole ? plan.key : new Set(plan.columns.keys())
    this.decoder = columns && exampleDecoder({ features, columns, batchSize: heldRows })
  }

  add({ block, file, from, to }: RecordRun): void {
    for (let record = from; record < to; record++) {
      checkRecord(block, record, file)
      if (this.plan.whole) this.hashes.push(hashOf(block.bytes.subarray(block.starts[record]!, block.ends[record]!)))
    }
    this.decoder?.decode({ ...block, count: to }, from, file)
    this.rows += to - from
    this.bytes += to === from ? 0 : block.ends[to - 1]! - block.starts[from]!
  }

  take(): HashedRows {
    const hashes = this.hashes
    this.hashes = []
    if (this.rows === 0) return { rows: [], keys: undefined }
    this.rows = 0
    this.bytes = 0
    const { whole, key } = this.plan
    const batch = this.decoder?.take()
    return {
      rows: whole ? hashes : this.hashRows(batch!),
      keys: key === undefined ? undefined : this.hashKeys(only(batch!, key)),
    }
  }
}

function only(batch: ExampleBatch, names: ReadonlySet<string>): ExampleBatch {
  return { length: batch.length, columns: new Map([...batch.columns].filter(([name]) => names.has(name))) }
}

/** Hashes rows by their one encoding. */
function batchHasher(): (batch: ExampleBatch) => string[] {
  const encoder = exampleEncoder()
  return (batch) => {
    const sink = new ByteSink()
    encoder.encode(batch, 0, sink, Number.POSITIVE_INFINITY)
    const hashes: string[] = []
    for (let at = 0; at < sink.length; ) {
      const end = at + frameHeader + sink.view.getUint32(at, true)
      hashes.push(hashOf(sink.bytes.subarray(at + frameHeader, end)))
      at = end + frameFooter
    }
    return hashes
  }
}

function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary')
}
