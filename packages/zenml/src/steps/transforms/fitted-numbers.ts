import { Moments } from '../../base/moments.ts'
import { Quantiles, valueAtRank, type WeightedValues } from '../../base/quantiles.ts'
import { unfit } from './family.ts'

/** Values are worked on in blocks of this size, wherever the batches end. */
const blockValues = 1 << 14

/** What is learned of a feature of numbers, in bounded memory: 128 KiB, and up to 1 MiB where ranks are asked for, as there may be thousands of them. */
export class FittedNumbers {
  readonly moments: Moments = new Moments()
  private readonly quantiles: Quantiles | undefined
  private sorted: WeightedValues | undefined
  private readonly name: string
  private readonly split: string
  private block = new Float64Array(64)
  private filled = 0

  /** `ranked`: `quantile` will be asked. */
  constructor(name: string, split: string, ranked: boolean) {
    this.name = name
    this.split = split
    this.quantiles = ranked ? new Quantiles() : undefined
  }

  /** Adds a value; throws for an infinite one. */
  add(value: number): void {
    if (!Number.isFinite(value))
      throw unfit(
        `The feature "${this.name}" has an infinite value in split "${this.split}".`,
        'Replace infinite values in a step before, or leave the feature out.',
      )
    if (this.filled === this.block.length) {
      const larger = new Float64Array(this.filled * 2)
      larger.set(this.block)
      this.block = larger
    }
    this.block[this.filled++] = value
    if (this.filled === blockValues) this.endBlock()
  }

  get hasValues(): boolean {
    return this.filled > 0 || this.moments.count > 0
  }

  private endBlock(): void {
    const values = this.block.subarray(0, this.filled)
    this.filled = 0
    this.moments.add(values)
    this.quantiles?.add(values)
  }

  /** Completes the moments. */
  finish(): void {
    if (this.filled > 0) this.endBlock()
  }

  /** After `finish`: the value below which a part of the values is, exact up to 131,072 values (see `Quantiles`). */
  quantile(part: number): number {
    this.sorted ??= this.quantiles!.finish()
    const { sorted } = this
    return valueAtRank(sorted, Math.min(sorted.total - 1, Math.floor(part * sorted.total)))
  }
}
