import { Moments } from './moments.ts'
import { Quantiles, type WeightedValues } from './quantiles.ts'

/** Values of a whole block: 128 KiB. */
const blockSize = 1 << 14

/**
 * Moments and quantiles of numbers, worked on in blocks of 16,384 wherever batches end, so that these do not decide the
 * last bits. Memory: that of `Quantiles`, and a block that grows as it is filled; of ten thousand features with few rows, whole ones would be more than a gigabyte.
 *
 * @example
 * const numbers = new NumberBlocks()
 * numbers.addAll(Float64Array.of(3, 1, NaN, 2)) // 1
 * valueAtRank(numbers.finish(), 1) // 2
 * numbers.moments.mean // 2
 */
export class NumberBlocks {
  /** Complete after `finish`. */
  readonly moments: Moments = new Moments()
  private readonly quantiles: Quantiles | undefined
  private block = new Float64Array(64)
  private filled = 0

  /** `ranked`: false where no ranks will be asked for, which then take no memory. Default true. */
  constructor(ranked: boolean = true) {
    this.quantiles = ranked ? new Quantiles() : undefined
  }

  /** Adds a number that is not NaN. */
  add(value: number): void {
    if (this.filled === this.block.length) this.makeRoom()
    this.block[this.filled++] = value
  }

  get hasValues(): boolean {
    return this.filled > 0 || this.moments.count > 0
  }

  /** Adds numbers and steps over NaN; returns how many of it there were. */
  addAll(values: Float64Array | Float32Array): number {
    let { block, filled } = this
    let nan = 0
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (Number.isNaN(value)) {
        nan++
        continue
      }
      if (filled === block.length) {
        this.filled = filled
        this.makeRoom()
        block = this.block
        filled = this.filled
      }
      block[filled++] = value
    }
    this.filled = filled
    return nan
  }

  private makeRoom(): void {
    if (this.block.length === blockSize) {
      this.endBlock()
      return
    }
    const larger = new Float64Array(this.block.length * 4)
    larger.set(this.block)
    this.block = larger
  }

  private endBlock(): void {
    const values = this.block.subarray(0, this.filled)
    this.filled = 0
    this.moments.add(values)
    this.quantiles?.add(values)
  }

  /** Completes the moments. */
  end(): void {
    if (this.filled > 0) this.endBlock()
  }

  /** Completes the moments; all values with their weights. */
  finish(): WeightedValues {
    this.end()
    return this.ranks().finish()
  }

  /** Whether the ranks are exact; known after `finish`. */
  get isExact(): boolean {
    return this.ranks().isExact
  }

  private ranks(): Quantiles {
    if (this.quantiles === undefined) throw new Error('these numbers are not ranked')
    return this.quantiles
  }
}
