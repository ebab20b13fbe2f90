import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Histogram } from '../../src/formats/statistics-proto.ts'
import { histogramDivergence, lInfinity, valueDivergence } from '../../src/steps/histogram-distances.ts'

const counts = fc.dictionary(fc.string({ maxLength: 3 }), fc.integer({ min: 1, max: 1000 }), { minKeys: 1 })
const asMap = (record: { readonly [value: string]: number }): Map<string, number> => new Map(Object.entries(record))

function histogram(ends: readonly number[], samples: readonly number[], numNan = 0): Histogram {
  const buckets = samples.map((sampleCount, at) => ({ lowValue: ends[at]!, highValue: ends[at + 1]!, sampleCount }))
  return { buckets, ...(numNan === 0 ? {} : { numNan }) }
}

/** The definition as in textbooks: the entropy of the mixture without the mean of the entropies. */
function byEntropy(left: readonly number[], right: readonly number[]): number {
  const part = (values: readonly number[]): number[] => values.map((value) => value / values.reduce((a, b) => a + b, 0))
  const entropy = (values: readonly number[]): number =>
    values.reduce((sum, value) => (value === 0 ? sum : sum - value * Math.log2(value)), 0)
  const [p, q] = [part(left), part(right)]
  return entropy(p.map((value, at) => (value + q[at]!) / 2)) - (entropy(p) + entropy(q)) / 2
}

describe('the L-infinity distance', () => {
  it('is the largest difference of relative frequencies, with its value', () => {
    const left = asMap({ a: 30, b: 10 })
    expect(lInfinity(left, asMap({ a: 1, b: 1, c: 2 }))).toEqual({ value: 'c', distance: 0.5 })
    expect(lInfinity(left, asMap({ a: 3, b: 1 }))!.distance).toBe(0)
    expect(lInfinity(left, new Map())).toBeUndefined()
  })

  it('does not depend on the order of values or sides', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const [left, right] = [asMap(a), asMap(b)]
        const found = lInfinity(left, right)
        expect(lInfinity(new Map([...left].reverse()), new Map([...right].reverse()))).toEqual(found)
        expect(lInfinity(right, left)).toEqual(found)
        expect(found!.distance).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the Jensen-Shannon divergence', () => {
  it('of counted values is what its definition by entropies gives', () => {
    expect(valueDivergence(asMap({ a: 1 }), asMap({ b: 9 }))).toBe(1)
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
        const found = valueDivergence(asMap(a), asMap(b))!
        expect(found).toBeCloseTo(
          byEntropy(
            keys.map((key) => a[key] ?? 0),
            keys.map((key) => b[key] ?? 0),
          ),
          12,
        )
        expect(valueDivergence(asMap(a), asMap(a))).toBe(0)
        expect(valueDivergence(new Map(Object.entries(a).reverse()), asMap(b))).toBe(found)
      }),
    )
  })

  it('of histograms cuts both at the boundaries of either', () => {
    // [0, 4) with 8 values is 2 a unit; the other one has its values in [1, 2) and [2, 8).
    const found = histogramDivergence(histogram([0, 4], [8]), histogram([1, 2, 8], [4, 12]))
    expect(found).toBeCloseTo(byEntropy([2, 2, 4, 0], [0, 4, 4, 8]), 14)
    expect(histogramDivergence(histogram([0, 2], [4]), histogram([0, 1, 2], [1, 1]))).toBe(0)
  })

  it('compares buckets without width by their place, beside those with one', () => {
    const constant = histogram([5, 5, 5], [2, 2])
    expect(histogramDivergence(constant, histogram([5, 5], [9]))).toBe(0)
    expect(histogramDivergence(constant, histogram([6, 6], [9]))).toBe(1)
    expect(histogramDivergence(constant, histogram([0, 10], [9]))).toBe(1)
    expect(histogramDivergence(histogram([-0, -0], [1]), histogram([0, 0], [1]))).toBe(0)
  })

  it('lets NaN and infinite ends agree with nothing of the other side, as TensorFlow Data Validation does', () => {
    const clean = histogram([0, 1], [3])
    expect(histogramDivergence(clean, histogram([0, 1], [3], 3))).toBeCloseTo(byEntropy([3, 0], [3, 3]), 14)
    expect(histogramDivergence(histogram([0, 1], [3], 3), histogram([0, 1], [3], 3))).toBe(0.5)
    const tail = { buckets: [{ lowValue: 1, highValue: Number.POSITIVE_INFINITY, sampleCount: 1 }] }
    expect(histogramDivergence(tail, tail)).toBe(1)
  })

  it('is nothing without values', () => {
    expect(histogramDivergence(histogram([0, 1], [0]), histogram([0, 1], [3]))).toBeUndefined()
    expect(valueDivergence(new Map(), asMap({ a: 1 }))).toBeUndefined()
  })

  it('is symmetric and from 0 to 1 whatever the histograms', () => {
    const any = fc
      .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.nat(9)), { minLength: 2, maxLength: 8 })
      .map((parts) =>
        histogram(
          parts.map(([end]) => end).sort((a, b) => a - b),
          parts.slice(1).map(([, count]) => count),
        ),
      )
    fc.assert(
      fc.property(any, any, (left, right) => {
        const found = histogramDivergence(left, right)
        const back = histogramDivergence(right, left)
        if (found === undefined) expect(back).toBeUndefined()
        else {
          expect(back).toBeCloseTo(found, 12)
          expect(found).toBeGreaterThanOrEqual(0)
          expect(found).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})
