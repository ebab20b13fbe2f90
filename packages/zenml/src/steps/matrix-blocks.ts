import { ZenmlError } from '../base/errors.ts'
import type { ExamplesReader } from '../formats/examples.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import { applyTransform, rowsAtOnce, transformInputs } from './transform.ts'

/** Transformed rows, row after row. */
export interface Matrix {
  readonly rows: number
  readonly width: number
  readonly features: Float32Array
  readonly labels: Float32Array
}

/** Bytes of a block's features where the number of its rows is left open. */
const defaultBlockBytes = 64 << 20

/**
 * A split through the fitted transform, in blocks of bounded size: a split of one block is read once and kept, a larger one is read anew
 * each time. Rows keep their order; those without a label are left out.
 *
 * Throws `ZEN_TRAIN_SPLIT` where the split is not there or has no row with a label.
 *
 * @example
 * const rows = async (examples: ExamplesReader, transform: TransformGraphData): Promise<number> => {
 *   let count = 0
 *   const blocks = new MatrixBlocks(examples, transform, 'train', null)
 *   for await (const block of blocks.read(new AbortController().signal)) count += block.rows
 *   return count
 * }
 */
export class MatrixBlocks {
  private readonly examples: ExamplesReader
  private readonly transform: TransformGraphData
  private readonly split: string
  private readonly asked: number | null
  private kept: Matrix | undefined

  /** `blockRows` null: as many as fit in 64 MiB. */
  constructor(examples: ExamplesReader, transform: TransformGraphData, split: string, blockRows: number | null) {
    if (!examples.splits.includes(split))
      throw new ZenmlError(
        'ZEN_TRAIN_SPLIT',
        `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
        { next: 'Name the splits with "trainSplit" and "validationSplit".', exitCode: 1 },
      )
    this.examples = examples
    this.transform = transform
    this.split = split
    this.asked = blockRows
  }

  /** The blocks in order. A block is good until the next one is asked for. */
  async *read(signal: AbortSignal): AsyncGenerator<Matrix> {
    if (this.kept !== undefined) {
      yield this.kept
      return
    }
    const { examples, transform, split } = this
    const columns = [...new Set([transform.label.name, ...transformInputs(transform)])].filter((name) =>
      examples.features.has(name),
    )
    let block: Block | undefined
    let blocks = 0
    for await (const batch of examples.read(split, { columns, batchSize: rowsAtOnce(transform), signal })) {
      const part = applyTransform(transform, batch)
      block ??= new Block(Math.min(examples.rows(split), this.blockRows(part.width)), part.width)
      for (let from = 0; from < part.rows.length; ) {
        if (block.isFull) {
          blocks++
          yield block.take()
        }
        from = block.add(part.features, part.labels, from)
      }
    }
    if (block === undefined || (block.rows === 0 && blocks === 0))
      throw new ZenmlError('ZEN_TRAIN_SPLIT', `No row of split "${split}" has the label "${transform.label.name}".`, {
        exitCode: 1,
      })
    const last = block.take()
    if (blocks === 0) this.kept = last
    yield last
  }

  private blockRows(width: number): number {
    return this.asked ?? Math.max(1, Math.floor(defaultBlockBytes / (4 * Math.max(1, width))))
  }
}

/** Gathers rows up to a number. */
class Block {
  rows = 0
  private readonly width: number
  private readonly features: Float32Array
  private readonly labels: Float32Array

  constructor(capacity: number, width: number) {
    this.width = width
    this.features = new Float32Array(capacity * width)
    this.labels = new Float32Array(capacity)
  }

  get isFull(): boolean {
    return this.rows === this.labels.length
  }

  /** Adds rows from `from` on, as many as there is room for; returns the first that is not added. */
  add(features: Float32Array, labels: Float32Array, from: number): number {
    const end = Math.min(labels.length, from + this.labels.length - this.rows)
    this.features.set(features.subarray(from * this.width, end * this.width), this.rows * this.width)
    this.labels.set(labels.subarray(from, end), this.rows)
    this.rows += end - from
    return end
  }

  take(): Matrix {
    const { rows, width } = this
    this.rows = 0
    return { rows, width, features: this.features.subarray(0, rows * width), labels: this.labels.subarray(0, rows) }
  }
}
