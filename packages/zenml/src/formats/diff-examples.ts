import { hash } from 'node:crypto'
import { relative, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { ByteSink } from '../base/proto/byte-sink.ts'
import type { ExampleBatch, FeatureKind } from './batch.ts'
import { type ExampleDecoder, exampleDecoder } from './decode-examples.ts'
import { differenceByContent, differenceByKey, type RowCounts, type RowDifference } from './diff-rows.ts'
import { exampleEncoder } from './encode-examples.ts'
import type { ExamplesReader } from './examples-reader.ts'
import { type FileBlock, pairRecords, type RecordRun, type UnpairedRecords } from './pair-records.ts'
import { checkRecord, frameFooter, frameHeader } from './tfrecord.ts'

/** One side of a comparison. */
export interface DiffSide {
  readonly examples: ExamplesReader
  /** Digest of each file by its path in the directory (`Split-all/…`), as an artifact's manifest has them. Without, every shard is read. */
  readonly digests?: ReadonlyMap<string, string> | undefined
}

/** Options of `diffExamples`. */
export interface DiffOptions {
  /** Features that tell a row from the others. Without, a changed row is one removed and one added. */
  readonly key?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** A feature that only one side has, or that has another kind there. */
export interface FeatureChange {
  readonly feature: string
  readonly change: 'added' | 'removed' | 'kind'
  readonly before: FeatureKind | null
  readonly after: FeatureKind | null
}

/** How the rows of a split differ. */
export interface SplitDiff {
  /** Rows on each side. */
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
  /** Rows with the same key and other content; null where no key was given. */
  readonly changed: number | null
  readonly same: number
  /** Shards of both sides that were read; the others are the same on both. */
  readonly shardsRead: number
  readonly shardsSkipped: number
}

/** How two sets of examples differ. */
export interface ExamplesDiff {
  /** By name. */
  readonly features: readonly FeatureChange[]
  readonly splits: { readonly [split: string]: SplitDiff }
}

/**
 * Compares examples row by row, as multisets: order does not count, a row that is there three times and then twice is one removed.
 * Splits are compared each with that of the same name; rows by the features that both sides have with the same kind, values bit by
 * bit. Shards with the same digest on both sides are not read. Memory: about 100 bytes (150 with a key) for each row of a differing
 * shard that has found no equal one yet; both sides are read abreast so that equal rows meet early.
 *
 * Throws `ZEN_DIFF_KEY` for a key that is not a feature of both sides with the same kind, and what reading throws.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'diff-'))
 * for (const [name, x] of [['before', 2], ['after', 3]] as const) {
 *   const writer = await createExamplesWriter(join(directory, name))
 *   await writer.write('all', batchOf([{ id: 1, x: 1 }, { id: 2, x }]))
 *   await writer.finish()
 * }
 * const before = { examples: await openExamples(join(directory, 'before')) }
 * const after = { examples: await openExamples(join(directory, 'after')) }
 * const { splits } = await diffExamples(before, after, { key: ['id'] })
 * splits['all']?.changed // 1
 * await rm(directory, { recursive: true })
 */
export async function diffExamples(
  before: DiffSide,
  after: DiffSide,
  { key, signal }: DiffOptions = {},
): Promise<ExamplesDiff> {
  const features = featureChanges(before.examples.features, after.examples.features)
  const common = new Map(
    [...before.examples.features].filter(([name, kind]) => after.examples.features.get(name) === kind),
  )
  checkKey(key, before.examples, after.examples)
  const rows: RowPlan = {
    columns: common,
    // Bytes of whole records tell as much as their values only where both were written one way and nothing is to be left out.
    whole: features.length === 0 && before.examples.canonical && after.examples.canonical,
    paired: features.length === 0,
    key: key === undefined ? undefined : new Set(key),
  }
  const names = [...new Set([...before.examples.splits, ...after.examples.splits])].sort(compareText)
  const splits: [string, SplitDiff][] = []
  for (const name of names) splits.push([name, await diffSplit(name, before, after, rows, signal)])
  return { features, splits: Object.fromEntries(splits) }
}

/** What of a row is compared. */
interface RowPlan {
  readonly columns: ReadonlyMap<string, FeatureKind>
  /** Whether the bytes of a record are its row. */
  readonly whole: boolean
  /** Whether equal bytes are equal rows to both sides. */
  readonly paired: boolean
  readonly key: ReadonlySet<string> | undefined
}

function featureChanges(
  before: ReadonlyMap<string, FeatureKind>,
  after: ReadonlyMap<string, FeatureKind>,
): FeatureChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(compareText)
  return names.flatMap((feature): FeatureChange[] => {
    const [left, right] = [before.get(feature) ?? null, after.get(feature) ?? null]
    if (left === right) return []
    return [
      { feature, change: left === null ? 'added' : right === null ? 'removed' : 'kind', before: left, after: right },
    ]
  })
}

function checkKey(key: readonly string[] | undefined, before: ExamplesReader, after: ExamplesReader): void {
  if (key === undefined) return
  const refuse = (message: string, next: string): ZenmlError =>
    new ZenmlError('ZEN_DIFF_KEY', message, { facts: { key: [...key] }, next })
  if (key.length === 0) throw refuse('The key has no features.', 'Name at least one, or leave the key out.')
  for (const feature of key) {
    for (const [side, { features }] of [
      ['first', before],
      ['second', after],
    ] as const) {
      if (features.has(feature)) continue
      throw refuse(
        `The ${side} of the two has no feature "${feature}".${didYouMean(feature, features.keys())}`,
        `Take some of ${[...features.keys()].join(', ')}.`,
      )
    }
    const [left, right] = [before.features.get(feature), after.features.get(feature)]
    if (left === right) continue
    throw refuse(
      `"${feature}" is ${left} in the first and ${right} in the second: no key of one is a key of the other.`,
      'Name another feature, or leave the key out.',
    )
  }
}

async function diffSplit(
  name: string,
  before: DiffSide,
  after: DiffSide,
  plan: RowPlan,
  signal: AbortSignal | undefined,
): Promise<SplitDiff> {
  const [left, right] = [splitOf(name, before), splitOf(name, after)]
  const [leftShards, rightShards] = differingShards(left.digests, right.digests)
  const counted = plan.key === undefined ? differenceByContent() : differenceByKey()
  if (left.rows === 0 || right.rows === 0) {
    return summary(
      left.rows,
      right.rows,
      {
        added: right.rows,
        removed: left.rows,
        changed: plan.key === undefined ? null : 0,
      },
      0,
      0,
    )
  }
  const streams = [
    blocksOf(before.examples, name, leftShards, signal),
    blocksOf(after.examples, name, rightShards, signal),
  ] as const
  const unpaired = new UnpairedRows([before.examples, after.examples], plan, counted)
  try {
    await pairRecords(streams, unpaired, { paired: plan.paired })
    unpaired.settle()
  } finally {
    await Promise.all(streams.map((blocks) => blocks.return()))
  }
  const shardsRead = leftShards.length + rightShards.length
  return summary(left.rows, right.rows, counted.counts(), shardsRead, left.shards + right.shards - shardsRead)
}

function summary(
  before: number,
  after: number,
  { added, removed, changed }: RowCounts,
  shardsRead: number,
  shardsSkipped: number,
): SplitDiff {
  const same = before - removed - (changed ?? 0)
  return { before, after, added, removed, changed, same, shardsRead, shardsSkipped }
}

interface SplitFiles {
  readonly rows: number
  readonly shards: number
  /** Of each shard; one that is not known is like no other. */
  readonly digests: readonly (string | undefined)[]
}

function splitOf(name: string, { examples, digests }: DiffSide): SplitFiles {
  if (!examples.splits.includes(name)) return { rows: 0, shards: 0, digests: [] }
  const shards = examples.shards(name)
  return {
    rows: examples.rows(name),
    shards: shards.length,
    digests: shards.map((path) => digests?.get(relative(examples.directory, path).split(sep).join('/'))),
  }
}

/** Indices of the shards whose digest the other side does not have; one that is there twice needs two. */
function differingShards(
  left: readonly (string | undefined)[],
  right: readonly (string | undefined)[],
): [number[], number[]] {
  const without = (own: readonly (string | undefined)[], other: readonly (string | undefined)[]): number[] => {
    const there = new Map<string, number>()
    for (const digest of other) if (digest !== undefined) there.set(digest, (there.get(digest) ?? 0) + 1)
    return own.flatMap((digest, index) => {
      const count = digest === undefined ? 0 : (there.get(digest) ?? 0)
      if (count === 0) return [index]
      there.set(digest!, count - 1)
      return []
    })
  }
  return [without(left, right), without(right, left)]
}

async function* blocksOf(
  examples: ExamplesReader,
  split: string,
  shards: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FileBlock, void, undefined> {
  for (const shard of shards) {
    const file = examples.shards(split)[shard]!
    for await (const block of examples.records(split, shard, { checksums: 'lengths', signal })) yield { block, file }
  }
}

/** Rows whose records have no equal one beside them: decoded as far as needed, hashed, and set off against each other. */
class UnpairedRows implements UnpairedRecords {
  private readonly hashers: readonly [RowHasher, RowHasher]
  private readonly counted: RowDifference

  constructor(examples: readonly [ExamplesReader, ExamplesReader], plan: RowPlan, counted: RowDifference) {
    this.hashers = [new RowHasher(examples[0].features, plan), new RowHasher(examples[1].features, plan)]
    this.counted = counted
  }

  take(side: 0 | 1, run: RecordRun): void {
    for (let from = run.from; from < run.to; from += heldRows) {
      const to = Math.min(run.to, from + heldRows)
      if (this.hashers[side].rows + to - from > heldRows) this.settleSide(side)
      this.hashers[side].add({ ...run, from, to })
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
  /** Rows since the last time. */
  rows = 0

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
  }

  take(): HashedRows {
    const hashes = this.hashes
    this.hashes = []
    if (this.rows === 0) return { rows: [], keys: undefined }
    this.rows = 0
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
