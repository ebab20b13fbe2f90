import type { ExampleBatch } from '../formats/batch.ts'
import type { ExamplesReader } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'

const batchSize = 1024

/**
 * Rows of a split by their index, made for ranges that mostly follow one another: a range that lies before the last ones starts the reading anew
 * unless it is among the `kept` last batches (default 64, of 1024 rows each).
 */
export class RowsInOrder {
  private readonly examples: ExamplesReader
  private readonly split: string
  private readonly kept: number
  private readonly batches = new Map<number, ExampleBatch>()
  private stream: AsyncIterator<ExampleBatch> | undefined
  /** Index of the batch that the stream gives next. */
  private next = 0

  constructor(examples: ExamplesReader, split: string, kept = 64) {
    this.examples = examples
    this.split = split
    this.kept = kept
  }

  /** The rows from `start` to before `end`, in one or several batches. */
  async *read(start: number, end: number): AsyncGenerator<ExampleBatch> {
    let row = start
    while (row < end) {
      const index = Math.floor(row / batchSize)
      const first = index * batchSize
      const batch = await this.batch(index)
      const last = Math.min(end, first + batch.length)
      yield row === first && last === first + batch.length
        ? batch
        : selectRows(
            batch,
            Uint32Array.from({ length: last - row }, (_, at) => row - first + at),
          )
      row = last
    }
  }

  /** Closes the file that is being read. */
  async close(): Promise<void> {
    await this.stream?.return?.()
    this.stream = undefined
    this.next = 0
  }

  private async batch(index: number): Promise<ExampleBatch> {
    const known = this.batches.get(index)
    if (known !== undefined) return known
    if (this.stream === undefined || index < this.next) {
      await this.close()
      this.stream = this.examples.read(this.split, { batchSize })[Symbol.asyncIterator]()
    }
    for (;;) {
      const { value, done } = await this.stream.next()
      if (done === true) throw new RangeError(`split "${this.split}" ends before batch ${index}`)
      this.batches.set(this.next, value)
      if (this.batches.size > this.kept) this.batches.delete(this.batches.keys().next().value!)
      if (this.next++ === index) return value
    }
  }
}
