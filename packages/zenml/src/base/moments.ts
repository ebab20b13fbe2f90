import { Sum } from './sum.ts'

/**
 * Count, mean, deviation, least and greatest of numbers in one pass: each block by two passes of its own, blocks put together as
 * by Chan, Golub and LeVeque (1979). The blocks decide the last bits; equal blocks give equal bits.
 *
 * @example
 * const moments = new Moments()
 * moments.add(Float64Array.of(1, 2, 3))
 * moments.mean // 2
 */
export class Moments {
  count = 0
  mean = 0
  min: number = Number.POSITIVE_INFINITY
  max: number = Number.NEGATIVE_INFINITY
  private squares = 0

  /** Adds a block. NaN makes mean and deviation NaN; an infinite value the deviation, and the mean infinite, or NaN where both infinities are there. */
  add(values: Float64Array): void {
    if (values.length === 0) return
    const sum = new Sum()
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      sum.add(value)
      if (value < this.min) this.min = value
      if (value > this.max) this.max = value
    }
    const mean = sum.value() / values.length
    const squares = new Sum()
    for (let index = 0; index < values.length; index++) squares.add((values[index]! - mean) ** 2)
    const count = this.count + values.length
    const delta = mean - this.mean
    this.squares += squares.value() + (delta * delta * this.count * values.length) / count
    if (this.count === 0) this.mean = mean
    else this.mean = Number.isFinite(delta) ? this.mean + (delta * values.length) / count : this.mean + mean
    this.count = count
  }

  /** Of the whole population; 0 without values. */
  get deviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.squares / this.count)
  }
}
