import { seededRandom } from '../base/random.ts'
import { exampleDecoder } from './decode-examples.ts'
import { cellAt, type ExampleObject, type ExamplesReader } from './examples-reader.ts'
import { selectRows } from './select-rows.ts'

/** Options of `sampleExamples`. */
export interface SampleOptions {
  /** Rows to take at the most. Default 10. */
  readonly rows?: number | undefined
  /** Default 0. */
  readonly seed?: number | undefined
  /** Only rows of this split. Default of all, each row as likely as any other. */
  readonly split?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A row and where it stands. */
export interface SampledRow {
  readonly split: string
  /** Number of the row in its split, from 0. */
  readonly row: number
  readonly values: ExampleObject
}

/**
 * Takes rows at random without replacement (Floyd's algorithm: Bentley and Floyd, 1987), in the order in which they stand. The same
 * seed and the same numbers of rows give the same places. Only the shards that hold a row of the sample are read; memory is
 * bounded by the sample and one block of records (1 MiB, or the longest record).
 *
 * Throws `ZEN_EXAMPLES_SPLIT` for a split that is not there, a `RangeError` for `rows` that is no whole number from 1, and what
 * reading throws.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'sample-'))
 * const writer = await createExamplesWriter(directory)
 * await writer.write('all', batchOf([{ x: 1 }, { x: 2 }, { x: 3 }]))
 * await writer.finish()
 * const rows = await sampleExamples(await openExamples(directory), { rows: 5 })
 * rows.length // 3
 * await rm(directory, { recursive: true })
 */
export async function sampleExamples(
  examples: ExamplesReader,
  { rows = 10, seed = 0, split, signal }: SampleOptions = {},
): Promise<SampledRow[]> {
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`rows must be a whole number from 1, not ${rows}`)
  const splits = split === undefined ? examples.splits : [split]
  const total = splits.reduce((sum, name) => sum + examples.rows(name), 0)
  const places = choose(Math.min(rows, total), total, seed)
  const sample: SampledRow[] = []
  let first = 0
  for (const name of splits) {
    const end = first + examples.rows(name)
    const start = first
    const wanted = places.filter((place) => place >= start && place < end).map((place) => place - start)
    for (const [index, values] of (await rowsAt(examples, name, wanted, signal)).entries())
      sample.push({ split: name, row: wanted[index]!, values })
    first = end
  }
  return sample
}

/** Some of the numbers 0 to total - 1, in order: every set of them is as likely as any other. */
function choose(count: number, total: number, seed: number): number[] {
  const random = seededRandom(`sample ${seed}`)
  const chosen = new Set<number>()
  for (let last = total - count; last < total; last++) {
    const place = random.integer(last + 1)
    chosen.add(chosen.has(place) ? last : place)
  }
  return [...chosen].sort((left, right) => left - right)
}

/** The rows at places in order. */
async function rowsAt(
  examples: ExamplesReader,
  split: string,
  places: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ExampleObject[]> {
  const rows: ExampleObject[] = []
  let next = 0
  let first = 0
  for (const [shard, count] of examples.shardRows(split).entries()) {
    if (next === places.length) break
    if (places[next]! < first + count) {
      for await (const block of examples.records(split, shard, { signal })) {
        const from = first + block.first
        const wanted: number[] = []
        for (; next < places.length && places[next]! < from + block.count; next++) wanted.push(places[next]! - from)
        if (wanted.length === 0) continue
        const decoder = exampleDecoder({ features: examples.features, batchSize: block.count })
        decoder.decode(block, 0, examples.shards(split)[shard]!)
        const { columns, length } = selectRows(decoder.take(), wanted)
        for (let row = 0; row < length; row++)
          rows.push(Object.fromEntries([...columns].map(([feature, column]) => [feature, cellAt(column, row)])))
      }
    }
    first += count
  }
  return rows
}
