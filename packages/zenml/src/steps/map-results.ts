import { join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { concatenateExamples, type SplitPart } from '../formats/concatenate-examples.ts'
import {
  batchOf,
  createExamplesWriter,
  type ExamplesReader,
  type ExamplesWriter,
  openExamples,
} from '../formats/examples.ts'
import type { ItemIndexData, ItemList } from '../formats/item-index.ts'
import { RowsInOrder } from './rows-in-order.ts'

/** What an earlier execution gave. */
export interface PreviousResults {
  readonly examples: ExamplesReader
  readonly items: ItemIndexData
}

/** Where the rows of an item are. */
interface Place {
  /** Split of the earlier execution; null: made now. */
  readonly split: string | null
  readonly start: number
  readonly rows: number
}

/** Name of the only split of what is made now. */
const madeSplit = 'made'

/** The results of a map: those of an earlier execution, and those made now, which wait in scratch files until all are there. */
export class MapResults {
  private readonly directory: string
  private readonly writer: ExamplesWriter
  private readonly previous: PreviousResults | undefined
  /** By the digest of the item; undefined while it is being made. */
  private readonly places = new Map<string, Place | undefined>()
  private readonly splits = new Map<string, string[]>()
  private current: string[] = []
  private madeRows = 0
  /** What is on its way into the scratch files. */
  private readonly writing = new Set<Promise<void>>()
  private closed: Promise<void> | undefined
  /** In the order of their rows in the scratch files. */
  private readonly made: { readonly key: string; readonly rows: number }[] = []
  private kept = 0

  private constructor(directory: string, writer: ExamplesWriter, previous: PreviousResults | undefined) {
    this.directory = directory
    this.writer = writer
    this.previous = previous
    for (const [split, { digests, rows }] of Object.entries(previous?.items.splits ?? {})) {
      const names = Buffer.from(digests.buffer, digests.byteOffset, digests.length)
      let start = 0
      for (let item = 0; item < rows.length; item++) {
        const key = names.toString('latin1', item * 32, (item + 1) * 32)
        if (!this.places.has(key)) this.places.set(key, { split, start, rows: rows[item]! })
        start += rows[item]!
      }
      if (start !== previous!.examples.rows(split))
        throw new ZenmlError(
          'ZEN_MAP_PREVIOUS',
          `The index says ${start} rows of split "${split}", which has others.`,
          {
            next: 'Run it with --no-cache.',
            exitCode: 1,
          },
        )
    }
  }

  /** Starts with what an earlier execution gave, and nothing made. */
  static async open(scratch: string, previous: PreviousResults | undefined): Promise<MapResults> {
    const directory = join(scratch, 'made')
    return new MapResults(directory, await createExamplesWriter(directory), previous)
  }

  startSplit(split: string): void {
    this.current = []
    this.splits.set(split, this.current)
  }

  /** Adds an item to the split; false where its rows have to be made, and are then to be given. */
  take(digest: Buffer): boolean {
    const key = digest.toString('latin1')
    this.current.push(key)
    if (this.places.has(key)) {
      this.kept++
      return true
    }
    this.places.set(key, undefined)
    return false
  }

  /** Takes the rows of an item that was made; too late when the results are already being put together. */
  async give(digest: Buffer, rows: ExampleBatch): Promise<void> {
    if (this.closed !== undefined) return
    const key = digest.toString('latin1')
    const place = { split: null, start: this.madeRows, rows: rows.length }
    this.madeRows += rows.length
    const written = (rows.length > 0 ? this.writer.write(madeSplit, rows) : Promise.resolve()).then(() => {
      this.places.set(key, place)
      this.made.push({ key, rows: rows.length })
    })
    this.writing.add(written)
    try {
      await written
    } finally {
      this.writing.delete(written)
    }
  }

  /** Gives up: closes the scratch files. */
  async abort(): Promise<void> {
    await this.writer.abort()
  }

  /** Completes the scratch files. */
  private close(): Promise<void> {
    this.closed ??= (async () => {
      await Promise.allSettled(this.writing) // whoever gave the item has the error
      await this.writer.declare(madeSplit)
      await this.writer.finish()
    })()
    return this.closed
  }

  /** How many items were made. */
  get itemsMade(): number {
    return this.made.length
  }

  /**
   * Puts together all that is there, whatever became of the rest: every item of the earlier execution, so that the next one loses none of them,
   * and those that were made, in one split. Takes as long as copying the files: a process that is to stop has little time.
   */
  async writePartial(directory: string, features: { readonly [feature: string]: FeatureKind }): Promise<ItemIndexData> {
    await this.close()
    const { examples, items } = this.previous ?? {}
    const earlier = Object.entries(items?.splits ?? {})
    const parts: SplitPart[] = earlier.map(([split]) => ({ examples: examples!, split }))
    parts.push({ examples: await openExamples(this.directory), split: madeSplit, move: true })
    await concatenateExamples(directory, madeSplit, parts, features)
    const digests = Buffer.concat([
      ...earlier.map(([, list]) => list.digests),
      ...this.made.map(({ key }) => Buffer.from(key, 'latin1')),
    ])
    const rows = [...earlier.flatMap(([, list]) => [...list.rows]), ...this.made.map((item) => item.rows)]
    return { splits: { [madeSplit]: { digests, rows: Uint32Array.from(rows) } } }
  }

  /** How many different items `writePartial` writes. */
  get itemsThere(): number {
    return [...this.places.values()].filter((place) => place !== undefined).length
  }

  /** Puts the rows of all items together, in their order. */
  async write(
    directory: string,
    features: { readonly [feature: string]: FeatureKind },
    signal: AbortSignal,
  ): Promise<{ readonly items: ItemIndexData; readonly made: number; readonly kept: number }> {
    await this.close()
    const examples = this.previous?.examples
    const made = new RowsInOrder(await openExamples(this.directory), madeSplit)
    const earlier = new Map((examples?.splits ?? []).map((split) => [split, new RowsInOrder(examples!, split)]))
    const writer = await createExamplesWriter(directory)
    const lists: { [split: string]: ItemList } = {}
    try {
      for (const [split, keys] of this.splits) {
        // Features are told even where no item gives a row.
        await writer.write(split, batchOf([], features))
        const digests = Buffer.alloc(keys.length * 32)
        const rows = new Uint32Array(keys.length)
        let run: Place | undefined
        const end = async (): Promise<void> => {
          if (run === undefined || run.rows === 0) return
          const from = run.split === null ? made : earlier.get(run.split)!
          for await (const batch of from.read(run.start, run.start + run.rows)) await writer.write(split, batch)
        }
        for (const [item, key] of keys.entries()) {
          const place = this.places.get(key)!
          digests.write(key, item * 32, 'latin1')
          rows[item] = place.rows
          if (run !== undefined && run.split === place.split && run.start + run.rows === place.start) {
            run = { ...run, rows: run.rows + place.rows }
            continue
          }
          await end()
          signal.throwIfAborted()
          run = place
        }
        await end()
        lists[split] = { digests, rows }
      }
      await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    } finally {
      await Promise.all([made, ...earlier.values()].map((rows) => rows.close()))
    }
    return { items: { splits: lists }, made: this.itemsMade, kept: this.kept }
  }
}
