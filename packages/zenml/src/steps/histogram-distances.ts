import { compareText } from '../base/canonical.ts'
import type { Histogram } from '../formats/statistics-proto.ts'

// Distances of two distributions as `metrics.cc` of TensorFlow Data Validation has them. Sums are taken in the order of values or
// buckets, so that nothing depends on the order in which statistics were gathered.

/** Values with how often they stand. */
export type ValueCounts = ReadonlyMap<string, number>

/**
 * L-infinity distance: the largest difference of the relative frequencies of a value, from 0 to 1, and the value (of several the last in
 * the order of UTF-8). Undefined where one side has no counts.
 *
 * @example
 * lInfinity(new Map([['a', 1], ['b', 1]]), new Map([['a', 1]])) // { value: 'b', distance: 0.5 }
 */
export function lInfinity(
  left: ValueCounts,
  right: ValueCounts,
): { readonly value: string; readonly distance: number } | undefined {
  const [leftSum, rightSum] = [sum(left.values()), sum(right.values())]
  if (leftSum === 0 || rightSum === 0) return undefined
  let value = ''
  let distance = 0
  for (const key of keysOf(left, right)) {
    const difference = Math.abs((left.get(key) ?? 0) / leftSum - (right.get(key) ?? 0) / rightSum)
    if (difference >= distance) {
      value = key
      distance = difference
    }
  }
  return { value, distance }
}

/** Jensen-Shannon divergence of counted values, to base 2: from 0 to 1. Undefined where one side has no counts. */
export function valueDivergence(left: ValueCounts, right: ValueCounts): number | undefined {
  const keys = keysOf(left, right)
  return divergence(
    keys.map((key) => left.get(key) ?? 0),
    keys.map((key) => right.get(key) ?? 0),
  )
}

/**
 * Jensen-Shannon divergence of two histograms of one type, to base 2: from 0 to 1. Both are cut at the boundaries of either, a bucket's
 * count spread evenly over its width. Buckets without width are compared by their place, as values. What lies in buckets without a finite
 * end and what is NaN agrees with nothing of the other side. Undefined where one side has no counts.
 *
 * @example
 * histogramDivergence(
 *   { buckets: [{ lowValue: 0, highValue: 2, sampleCount: 4 }] },
 *   { buckets: [{ lowValue: 0, highValue: 1, sampleCount: 1 }, { lowValue: 1, highValue: 2, sampleCount: 1 }] },
 * ) // 0
 */
export function histogramDivergence(left: Histogram, right: Histogram): number | undefined {
  const [a, b] = [parted(left), parted(right)]
  const ends = new Set([...a.wide, ...b.wide].flatMap(({ low, high }) => [low, high]))
  const boundaries = [...ends].sort((x, y) => x - y)
  const points = [...new Set([...a.points.keys(), ...b.points.keys()])].sort((x, y) => x - y)
  const tails = (own: number, other: number): readonly number[] => (own + other === 0 ? [] : [own, 0])
  return divergence(
    [
      ...rebucketed(a.wide, boundaries),
      ...points.map((point) => a.points.get(point) ?? 0),
      ...tails(a.infinite, b.infinite),
      ...tails(left.numNan ?? 0, right.numNan ?? 0),
    ],
    [
      ...rebucketed(b.wide, boundaries),
      ...points.map((point) => b.points.get(point) ?? 0),
      ...tails(b.infinite, a.infinite).toReversed(),
      ...tails(right.numNan ?? 0, left.numNan ?? 0).toReversed(),
    ],
  )
}

interface Bucket {
  readonly low: number
  readonly high: number
  readonly count: number
}

/** Buckets with a width, the mass of those without one by place, and that of those without a finite end. */
function parted({ buckets = [] }: Histogram): {
  readonly wide: readonly Bucket[]
  readonly points: ReadonlyMap<number, number>
  readonly infinite: number
} {
  const wide: Bucket[] = []
  const points = new Map<number, number>()
  let infinite = 0
  for (const { lowValue: low = 0, highValue: high = 0, sampleCount: count = 0 } of buckets) {
    if (!Number.isFinite(low) || !Number.isFinite(high)) infinite += count
    // A sum with 0 makes one of both zeros.
    else if (low === high) points.set(low + 0, (points.get(low + 0) ?? 0) + count)
    else wide.push({ low, high, count })
  }
  return { wide, points, infinite }
}

/** Counts between neighbouring boundaries, of which every end of a bucket is one. */
function rebucketed(buckets: readonly Bucket[], boundaries: readonly number[]): number[] {
  const counts = new Array<number>(Math.max(0, boundaries.length - 1)).fill(0)
  const places = new Map(boundaries.map((boundary, place) => [boundary, place]))
  for (const { low, high, count } of buckets) {
    const last = places.get(high)!
    for (let place = places.get(low)!; place < last; place++)
      counts[place]! += ((boundaries[place + 1]! - boundaries[place]!) / (high - low)) * count
  }
  return counts
}

/** (D(P‖M) + D(Q‖M)) / 2 with M = (P + Q) / 2, where 0 log 0 is 0. */
function divergence(left: readonly number[], right: readonly number[]): number | undefined {
  const [leftSum, rightSum] = [sum(left), sum(right)]
  if (leftSum === 0 || rightSum === 0) return undefined
  let total = 0
  for (const [place, count] of left.entries()) {
    const p = count / leftSum
    const q = right[place]! / rightSum
    const middle = (p + q) / 2
    if (p > 0) total += p * Math.log2(p / middle)
    if (q > 0) total += q * Math.log2(q / middle)
  }
  // Rounding may lead a little out of the range.
  return Math.max(0, Math.min(total / 2, 1))
}

function keysOf(left: ValueCounts, right: ValueCounts): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort(compareText)
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
