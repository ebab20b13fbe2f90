import { Sum } from '../../base/sum.ts'

/** How the values of one interval become one. */
export type Resample = 'mean' | 'median' | 'mode' | ThresholdResample

/** `set` where any value of the interval is beyond the threshold, else `otherwise`. */
export interface ThresholdResample {
  threshold: number
  /** Default greater. */
  condition: 'greater' | 'less'
  /** Default 1. */
  set: number
  /** Default 0. */
  otherwise: number
}

/** Gathers the values of one interval after the other. */
export interface Resampler {
  add(value: number): void
  /** The value of the interval, NaN where it has none; begins the next. */
  take(): number
}

/**
 * Makes a resampler. `order` decides between values that are equally frequent: the least is the mode.
 */
export function resampler(method: Resample, order: (a: number, b: number) => number): Resampler {
  if (method === 'mean') return new Mean()
  if (method === 'median') return new Median()
  if (method === 'mode') return new Mode(order)
  return new Threshold(method)
}

class Mean implements Resampler {
  private sum = new Sum()
  private count = 0

  add(value: number): void {
    this.sum.add(value)
    this.count++
  }

  take(): number {
    const mean = this.count === 0 ? Number.NaN : this.sum.value() / this.count
    this.sum = new Sum()
    this.count = 0
    return mean
  }
}

class Median implements Resampler {
  private values: number[] = []

  add(value: number): void {
    this.values.push(value)
  }

  take(): number {
    const sorted = Float64Array.from(this.values).sort()
    this.values = []
    if (sorted.length === 0) return Number.NaN
    const middle = sorted.length >> 1
    return sorted.length % 2 === 1 ? sorted[middle]! : sorted[middle - 1]! / 2 + sorted[middle]! / 2
  }
}

class Mode implements Resampler {
  private readonly order: (a: number, b: number) => number
  private readonly counts = new Map<number, number>()

  constructor(order: (a: number, b: number) => number) {
    this.order = order
  }

  add(value: number): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + 1)
  }

  take(): number {
    let best = Number.NaN
    let most = 0
    for (const [value, count] of this.counts) {
      if (count < most || (count === most && this.order(best, value) <= 0)) continue
      best = value
      most = count
    }
    this.counts.clear()
    return best
  }
}

class Threshold implements Resampler {
  private readonly method: ThresholdResample
  private seen = false
  private isBeyond = false

  constructor(method: ThresholdResample) {
    this.method = method
  }

  add(value: number): void {
    this.seen = true
    const { threshold, condition } = this.method
    if (condition === 'greater' ? value > threshold : value < threshold) this.isBeyond = true
  }

  take(): number {
    const { set, otherwise } = this.method
    const value = !this.seen ? Number.NaN : this.isBeyond ? set : otherwise
    this.seen = false
    this.isBeyond = false
    return value
  }
}
