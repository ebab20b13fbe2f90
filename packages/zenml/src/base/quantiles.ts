/** Sorted values with how many values of the data each stands for. */
export interface WeightedValues {
  /** Ascending. */
  readonly values: Float64Array
  /** How many values of the data are up to and with this one. */
  readonly cumulative: Float64Array
  readonly total: number
}

/** Values in a buffer of the sketch. */
const bufferSize = 1 << 14
/** Up to so many values nothing is estimated. */
const exactLimit = 1 << 17

/**
 * Quantiles of numbers in bounded memory: exact up to 131,072 values, beyond that by merging sorted buffers of 16,384 values, where two of
 * one weight become one of twice the weight by taking every other value (Munro and Paterson, 1980). A rank is then wrong by at most
 * log2(n / 16384) / 32768 of n: 0.03 % at ten million values. Nothing is random; the same values in the same order give the same result.
 *
 * @example
 * const quantiles = new Quantiles()
 * quantiles.add(Float64Array.of(3, 1, 2))
 * valueAtRank(quantiles.finish(), 1) // 2
 */
export class Quantiles {
  private kept: Float64Array | undefined = new Float64Array(64)
  private count = 0
  /** Values that do not fill a buffer yet. */
  private rest = new Float64Array(0)
  private restCount = 0
  /** By level: a sorted buffer whose values stand for 2^level values each. */
  private readonly levels: (Float64Array | undefined)[] = []
  /** By level: whether the next merge takes the odd places. */
  private readonly odd: boolean[] = []

  /** Adds numbers; NaN is not allowed. */
  add(values: Float64Array): void {
    if (this.kept !== undefined) {
      if (this.count + values.length <= exactLimit) {
        this.keep(values)
        return
      }
      const { kept, count } = this
      this.kept = undefined
      this.rest = new Float64Array(bufferSize)
      this.sketch(kept.subarray(0, count))
    }
    this.count += values.length
    this.sketch(values)
  }

  private keep(values: Float64Array): void {
    const needed = this.count + values.length
    if (needed > this.kept!.length) {
      const larger = new Float64Array(Math.max(needed, this.kept!.length * 2))
      larger.set(this.kept!.subarray(0, this.count))
      this.kept = larger
    }
    this.kept!.set(values, this.count)
    this.count = needed
  }

  private sketch(values: Float64Array): void {
    for (let from = 0; from < values.length; ) {
      const end = Math.min(values.length, from + bufferSize - this.restCount)
      this.rest.set(values.subarray(from, end), this.restCount)
      this.restCount += end - from
      from = end
      if (this.restCount === bufferSize) {
        this.insert(this.rest.sort(), 0)
        this.rest = new Float64Array(bufferSize)
        this.restCount = 0
      }
    }
  }

  private insert(buffer: Float64Array, level: number): void {
    const there = this.levels[level]
    if (there === undefined) {
      this.levels[level] = buffer
      return
    }
    this.levels[level] = undefined
    const odd = this.odd[level] ?? false
    this.odd[level] = !odd
    this.insert(everyOther(there, buffer, odd), level + 1)
  }

  /** Whether the ranks are exact. */
  get isExact(): boolean {
    return this.kept !== undefined
  }

  /** All values so far with their weights. */
  finish(): WeightedValues {
    if (this.kept !== undefined) {
      const values = this.kept.slice(0, this.count).sort()
      return { values, cumulative: values.map((_, index) => index + 1), total: this.count }
    }
    let all = weighted(this.rest.slice(0, this.restCount).sort(), 1)
    for (const [level, buffer] of this.levels.entries())
      if (buffer !== undefined) all = merged(all, weighted(buffer, 2 ** level))
    let reached = 0
    const cumulative = all.weights.map((weight) => {
      reached += weight
      return reached
    })
    return { values: all.values, cumulative, total: reached }
  }
}

/** The value with a rank: 0 is the least. */
export function valueAtRank({ values, cumulative }: WeightedValues, rank: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle]! > rank) high = middle
    else low = middle + 1
  }
  return values[low]!
}

/** Values with counts, as a sketch has them. */
export function weightedValues(counts: ReadonlyMap<number, number>): WeightedValues {
  const sorted = [...counts].sort(([a], [b]) => a - b)
  let total = 0
  const cumulative = Float64Array.from(sorted, ([, count]) => {
    total += count
    return total
  })
  return { values: Float64Array.from(sorted, ([value]) => value), cumulative, total }
}

function everyOther(left: Float64Array, right: Float64Array, odd: boolean): Float64Array {
  const result = new Float64Array(bufferSize)
  let a = 0
  let b = 0
  for (let place = 0; place < bufferSize * 2; place++) {
    const value = b >= right.length || (a < left.length && left[a]! <= right[b]!) ? left[a++]! : right[b++]!
    if ((place & 1) === (odd ? 1 : 0)) result[place >> 1] = value
  }
  return result
}

interface Weighted {
  readonly values: Float64Array
  readonly weights: Float64Array
}

function weighted(values: Float64Array, weight: number): Weighted {
  return { values, weights: new Float64Array(values.length).fill(weight) }
}

function merged(left: Weighted, right: Weighted): Weighted {
  const length = left.values.length + right.values.length
  const values = new Float64Array(length)
  const weights = new Float64Array(length)
  let a = 0
  let b = 0
  for (let place = 0; place < length; place++) {
    const first = b >= right.values.length || (a < left.values.length && left.values[a]! <= right.values[b]!)
    values[place] = first ? left.values[a]! : right.values[b]!
    weights[place] = first ? left.weights[a++]! : right.weights[b++]!
  }
  return { values, weights }
}
