import { bytesOfBatch, type ExampleBatch } from '../formats/batch.ts'
import type { ExamplesReader } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'

/** A range further ahead than so many rows is jumped to, in the file that it begins in. */
const shortWay = 4096

interface Held {
  readonly first: number
  readonly batch: ExampleBatch
  readonly bytes: number
}

/**
 * Rows of a split by their index, made for ranges that mostly follow one another: one that lies before the last ones starts the reading anew unless
 * it is among the batches that are still held, which are `heldBytes` at the most (default 64 MiB), and the last one in any case.
 */
export class RowsInOrder {
  private readonly examples: ExamplesReader
  private readonly split: string
  private readonly heldBytes: number
  private held: Held[] = []
  private stream: AsyncIterator<ExampleBatch> | undefined
  /** The row that the stream gives next. */
  private next = 0

  constructor(examples: ExamplesReader, split: string, heldBytes: number = 64 << 20) {
    this.examples = examples
    this.split = split
    this.heldBytes = heldBytes
  }

  /** The rows from `start` to before `end`, in one or several batches. */
  async *read(start: number, end: number): AsyncGenerator<ExampleBatch> {
    let row = start
    while (row < end) {
      const { first, batch } = await this.holding(row)
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
  }

  /** A batch with a row. */
  private async holding(row: number): Promise<Held> {
    const known = this.held.find(({ first, batch }) => first <= row && row < first + batch.length)
    if (known !== undefined) return known
    if (this.stream === undefined || row < this.next || row > this.next + shortWay) {
      await this.close()
      this.stream = this.examples.read(this.split, { start: row })[Symbol.asyncIterator]()
      this.next = row
    }
    for (;;) {
      const { value, done } = await this.stream.next()
      if (done === true) throw new RangeError(`split "${this.split}" ends before row ${row}`)
      const held = { first: this.next, batch: value, bytes: bytesOfBatch(value) }
      this.next += value.length
      this.held.push(held)
      let bytes = this.held.reduce((sum, other) => sum + other.bytes, 0)
      while (bytes > this.heldBytes && this.held.length > 1) bytes -= this.held.shift()!.bytes
      if (row < this.next) return held
    }
  }
}
