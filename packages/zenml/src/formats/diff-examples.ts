import { relative, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { FeatureKind } from './batch.ts'
import { differenceByContent, differenceByKey, type RowCounts } from './diff-rows.ts'
import type { ExamplesReader } from './examples-reader.ts'
import { type FileBlock, pairRecords } from './pair-records.ts'
import { type RecordBlock, RecordBuffers } from './tfrecord.ts'
import { type RowPlan, UnpairedRows } from './unpaired-rows.ts'

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
 * bit; where there is no such feature, no rows are the same. Shards with the same digest on both sides are not read; of the others, records with equal bytes are set off without being decoded.
 * Memory: about 100 bytes (150 with a key) for each row that has found no equal one yet, and some MiB for each side; both sides are read
 * abreast so that equal rows meet early.
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
  // Without a feature that both have, rows have nothing to be the same in.
  const incomparable = plan.columns.size === 0 && !plan.paired
  if (left.rows === 0 || right.rows === 0 || incomparable) {
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

/** The blocks of shards one after the other; the next shard is opened and read while the last is worked on. */
async function* blocksOf(
  examples: ExamplesReader,
  split: string,
  shards: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FileBlock, void, undefined> {
  const buffers = [new RecordBuffers(), new RecordBuffers()] as const
  const begun = (index: number): BegunShard | undefined => {
    const shard = shards[index]
    if (shard === undefined) return undefined
    const options = { checksums: 'lengths', buffers: buffers[index % 2]!, signal } as const
    const blocks = examples.records(split, shard, options)[Symbol.asyncIterator]()
    const first = blocks.next()
    first.catch(() => undefined) // thrown when its turn has come
    return { file: examples.shards(split)[shard]!, blocks, first }
  }
  let current = begun(0)
  let following: BegunShard | undefined
  try {
    for (let index = 1; current !== undefined; index++) {
      following = begun(index)
      const { file, blocks } = current
      for (let next = await current.first; next.done !== true; next = await blocks.next()) {
        yield { block: next.value, file }
      }
      current = following
    }
  } finally {
    await Promise.allSettled([current, following].map((shard) => shard?.blocks.return?.()))
  }
}

/** A shard whose first block is on its way. */
interface BegunShard {
  readonly file: string
  readonly blocks: AsyncIterator<RecordBlock>
  readonly first: Promise<IteratorResult<RecordBlock>>
}
