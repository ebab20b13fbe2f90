import type { Moments } from '../../base/moments.ts'
import { NumberBlocks } from '../../base/number-blocks.ts'
import { valueAtRank, type WeightedValues } from '../../base/quantiles.ts'
import { unfit } from './family.ts'

/** What is learned of a feature of numbers, in bounded memory: 128 KiB, and up to 1 MiB where ranks are asked for, as there may be thousands of them. */
export class FittedNumbers {
  private readonly numbers: NumberBlocks
  private sorted: WeightedValues | undefined
  private readonly name: string
  private readonly split: string

  /** `ranked`: `quantile` will be asked. */
  constructor(name: string, split: string, ranked: boolean) {
    this.name = name
    this.split = split
    this.numbers = new NumberBlocks(ranked)
  }

  /** Complete after `finish`. */
  get moments(): Moments {
    return this.numbers.moments
  }

  get hasValues(): boolean {
    return this.numbers.hasValues
  }

  /** Adds a value; throws for an infinite one. */
  add(value: number): void {
    if (!Number.isFinite(value))
      throw unfit(
        `The feature "${this.name}" has an infinite value in split "${this.split}".`,
        'Replace infinite values in a step before, or leave the feature out.',
      )
    this.numbers.add(value)
  }

  /** Completes the moments. */
  finish(): void {
    this.numbers.end()
  }

  /** After `finish`: the value below which a part of the values is, exact up to 131,072 values (see `Quantiles`). */
  quantile(part: number): number {
    this.sorted ??= this.numbers.finish()
    const { sorted } = this
    return valueAtRank(sorted, Math.min(sorted.total - 1, Math.floor(part * sorted.total)))
  }
}
