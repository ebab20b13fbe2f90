import { Moments } from '../../base/moments.ts'
import { Quantiles, valueAtRank } from '../../base/quantiles.ts'
import { unfit } from './family.ts'

/** What is learned of a feature of numbers, in bounded memory. */
export class FittedNumbers {
  readonly moments: Moments = new Moments()
  private readonly quantiles = new Quantiles()
  private readonly name: string
  private readonly split: string
  /** Worked on in blocks of this size, wherever the batches end. */
  private readonly block = new Float64Array(1 << 14)
  private filled = 0

  constructor(name: string, split: string) {
    this.name = name
    this.split = split
  }

  /** Adds a value; throws for an infinite one. */
  add(value: number): void {
    if (!Number.isFinite(value))
      throw unfit(
        `The feature "${this.name}" has an infinite value in split "${this.split}".`,
        'Replace infinite values in a step before, or leave the feature out.',
      )
    this.block[this.filled++] = value
    if (this.filled === this.block.length) this.endBlock()
  }

  get hasValues(): boolean {
    return this.filled > 0 || this.moments.count > 0
  }

  private endBlock(): void {
    const values = this.block.subarray(0, this.filled)
    this.filled = 0
    this.moments.add(values)
    this.quantiles.add(values)
  }

  /** Completes the moments, and gives the value below which a part of the values is: exact up to 131,072 values (see `Quantiles`). */
  finish(): (part: number) => number {
    if (this.filled > 0) this.endBlock()
    const sorted = this.quantiles.finish()
    return (part) => valueAtRank(sorted, Math.min(sorted.total - 1, Math.floor(part * sorted.total)))
  }
}
