import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { type ExampleBatch, valueCount } from '../formats/batch.ts'
import { concatBatches } from '../formats/concat-batches.ts'
import { createExamplesWriter, openExamples } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'

/** Where each row of a batch belongs: by group (in the order of its UTF-8 bytes), then by place. */
export interface RowKeys {
  /** Left out: all rows are of one group. */
  readonly groups?: readonly string[]
  /** One number a row, never NaN. */
  readonly places: ArrayLike<number>
}

/** A row in its turn. */
export interface SortedRow {
  readonly batch: ExampleBatch
  readonly row: number
  readonly group: string
  readonly place: number
}

/** What a sort is given beside the rows. */
export interface SortOptions {
  /** A folder for what does not fit into memory. */
  readonly scratch: string
  /** Bytes of rows that are sorted at once. Default 32 MiB. */
  readonly runBytes?: number
  readonly signal?: AbortSignal
}

/** Runs that are merged at once. */
const fanIn = 32
/** Rows that are handed over at once. */
const handful = 4096

/**
 * Rows ordered by group, then place, then arrival; in bounded memory: runs of `runBytes` are sorted in memory and written to scratch
 * files, which are merged 32 at a time. At most about four times `runBytes` is held, or a read buffer for each of 32 files.
 */
export async function* sortedRows(
  batches: AsyncIterable<ExampleBatch>,
  keysOf: (batch: ExampleBatch) => RowKeys,
  options: SortOptions,
): AsyncGenerator<readonly SortedRow[], void, undefined> {
  const { scratch, runBytes = 32 * 1024 * 1024, signal } = options
  let made = 0
  async function spill(rows: AsyncIterable<readonly SortedRow[]> | Iterable<readonly SortedRow[]>): Promise<string> {
    const directory = join(scratch, `run-${made++}`)
    const writer = await createExamplesWriter(directory)
    for await (const some of rows) await writer.write('run', gathered(some))
    await writer.finish()
    return directory
  }
  let runs: string[] = []
  let open: ExampleBatch[] = []
  let bytes = 0
  for await (const batch of batches) {
    if (batch.length === 0) continue
    open.push(batch)
    bytes += sizeOf(batch)
    if (bytes < runBytes) continue
    runs.push(await spill(inMemory(open, keysOf)))
    open = []
    bytes = 0
    signal?.throwIfAborted()
  }
  if (runs.length === 0) {
    yield* inMemory(open, keysOf)
    return
  }
  if (open.length > 0) runs.push(await spill(inMemory(open, keysOf)))
  open = []
  while (runs.length > fanIn) {
    const merged: string[] = []
    // Neighbours are merged, so that rows of equal keys stay in the order in which they came.
    for (let from = 0; from < runs.length; from += fanIn) {
      const some = runs.slice(from, from + fanIn)
      merged.push(await spill(mergedRuns(some, keysOf, signal)))
      for (const run of some) await rm(run, { recursive: true })
    }
    runs = merged
  }
  yield* mergedRuns(runs, keysOf, signal)
  for (const run of runs) await rm(run, { recursive: true })
}

function* inMemory(
  batches: readonly ExampleBatch[],
  keysOf: (batch: ExampleBatch) => RowKeys,
): Generator<readonly SortedRow[], void, undefined> {
  if (batches.length === 0) return
  const batch = concatBatches(batches)
  const { groups, places } = keysOf(batch)
  const ranks = groups === undefined ? undefined : ranksOf(groups)
  const order = Uint32Array.from({ length: batch.length }, (_, row) => row)
  order.sort((a, b) => (ranks === undefined ? 0 : ranks[a]! - ranks[b]!) || places[a]! - places[b]! || a - b)
  for (let from = 0; from < order.length; from += handful) {
    yield Array.from(order.subarray(from, from + handful), (row) => ({
      batch,
      row,
      group: groups?.[row] ?? '',
      place: places[row]!,
    }))
  }
}

function ranksOf(groups: readonly string[]): Float64Array {
  const ranks = new Map([...new Set(groups)].sort(compareText).map((group, rank) => [group, rank]))
  return Float64Array.from(groups, (group) => ranks.get(group)!)
}

async function* mergedRuns(
  runs: readonly string[],
  keysOf: (batch: ExampleBatch) => RowKeys,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly SortedRow[], void, undefined> {
  const heads: RunHead[] = []
  for (const [index, run] of runs.entries()) {
    const examples = await openExamples(run)
    const head = new RunHead(index, examples.read('run', { batchSize: 512, signal }), keysOf)
    if (await head.next()) insert(heads, head)
  }
  let rows: SortedRow[] = []
  while (heads.length > 0) {
    const head = heads.shift()!
    rows.push(head.current)
    if (rows.length === handful) {
      yield rows
      rows = []
    }
    if (head.step() || (await head.next())) insert(heads, head)
  }
  if (rows.length > 0) yield rows
}

/** Puts a head where it belongs: heads are few, and mostly the same one comes again. */
function insert(heads: RunHead[], head: RunHead): void {
  let low = 0
  let high = heads.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (heads[middle]!.isBefore(head)) low = middle + 1
    else high = middle
  }
  heads.splice(low, 0, head)
}

class RunHead {
  current!: SortedRow
  private readonly index: number
  private readonly batches: AsyncIterator<ExampleBatch>
  private readonly keysOf: (batch: ExampleBatch) => RowKeys
  private batch: ExampleBatch | undefined
  private keys: RowKeys | undefined
  private row = 0

  constructor(index: number, batches: AsyncIterable<ExampleBatch>, keysOf: (batch: ExampleBatch) => RowKeys) {
    this.index = index
    this.batches = batches[Symbol.asyncIterator]()
    this.keysOf = keysOf
  }

  /** Goes on to the next batch. */
  async next(): Promise<boolean> {
    const { value, done } = await this.batches.next()
    if (done === true) return false
    this.batch = value as ExampleBatch
    this.keys = this.keysOf(this.batch)
    this.row = -1
    return this.step()
  }

  /** Goes on to the next row of the batch. */
  step(): boolean {
    const { batch, keys } = this
    if (batch === undefined || keys === undefined || ++this.row >= batch.length) return false
    const { row } = this
    this.current = { batch, row, group: keys.groups?.[row] ?? '', place: keys.places[row]! }
    return true
  }

  isBefore(other: RunHead): boolean {
    const { current, index } = this
    const order = compareText(current.group, other.current.group) || current.place - other.current.place
    return (order || index - other.index) < 0
  }
}

/** A batch of rows of several batches. */
function gathered(rows: readonly SortedRow[]): ExampleBatch {
  const parts = new Map<ExampleBatch, { readonly picked: number[]; start: number }>()
  for (const { batch, row } of rows) {
    const part = parts.get(batch)
    if (part === undefined) parts.set(batch, { picked: [row], start: 0 })
    else part.picked.push(row)
  }
  let start = 0
  for (const part of parts.values()) {
    part.start = start
    start += part.picked.length
  }
  const all = concatBatches([...parts].map(([batch, { picked }]) => selectRows(batch, picked)))
  return selectRows(
    all,
    rows.map(({ batch }) => parts.get(batch)!.start++),
  )
}

function sizeOf(batch: ExampleBatch): number {
  let bytes = batch.length * 16
  for (const column of batch.columns.values()) {
    bytes +=
      valueCount(column) * (column.kind === 'int' ? 8 : 4) + (column.offsets === undefined ? 0 : batch.length * 4)
    if (column.kind === 'bytes') bytes += column.ends.at(-1) ?? 0
  }
  return bytes
}
