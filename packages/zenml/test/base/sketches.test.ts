import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteCounts } from '../../src/base/byte-counts.ts'
import { Moments } from '../../src/base/moments.ts'
import { Quantiles, valueAtRank, weightedValues } from '../../src/base/quantiles.ts'
import { seededRandom } from '../../src/base/random.ts'

function normal(count: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  return Float64Array.from({ length: count }, () => {
    let sum = 0
    for (let part = 0; part < 12; part++) sum += random.next()
    return sum - 6
  })
}

describe('Quantiles', () => {
  it('are the order statistics of any data up to their limit', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
        const quantiles = new Quantiles()
        quantiles.add(Float64Array.from(values))
        const sorted = Float64Array.from(values).sort()
        const found = quantiles.finish()
        expect(quantiles.isExact).toBe(true)
        for (let rank = 0; rank < sorted.length; rank++) expect(valueAtRank(found, rank)).toBe(sorted[rank])
      }),
    )
  })

  it.each([
    ['random', 7],
    ['ascending', 0],
    ['descending', -1],
  ])('of a million %s values are within the stated bound, however the data is cut', (_name, order) => {
    const values = normal(1_000_000, 7)
    if (order !== 7) values.sort()
    if (order === -1) values.reverse()
    const [whole, cut] = [new Quantiles(), new Quantiles()]
    whole.add(values)
    for (let from = 0; from < values.length; from += 4099) cut.add(values.subarray(from, from + 4099))
    const found = whole.finish()
    expect(found).toEqual(cut.finish())
    expect(whole.isExact).toBe(false)
    expect(found.total).toBe(values.length)
    const sorted = values.slice().sort()
    const bound = (Math.log2(values.length / 16384) / 32768) * values.length
    for (let part = 0; part <= 100; part++) {
      const rank = Math.min(values.length - 1, Math.floor((part * values.length) / 100))
      const real = lowerBound(sorted, valueAtRank(found, rank))
      expect(Math.abs(real - rank)).toBeLessThanOrEqual(bound)
    }
  })

  it('of values with counts are those of the values written out', () => {
    const found = weightedValues(
      new Map([
        [5, 2],
        [1, 3],
      ]),
    )
    expect([0, 1, 2, 3, 4].map((rank) => valueAtRank(found, rank))).toEqual([1, 1, 1, 5, 5])
  })
})

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

describe('Moments', () => {
  it('have an infinite mean where a value is infinite, whatever block it is in, and none where both infinities are', () => {
    const meanOf = (...blocks: number[][]): number => {
      const moments = new Moments()
      for (const block of blocks) moments.add(Float64Array.from(block))
      expect(moments.deviation).toBeNaN()
      return moments.mean
    }
    expect(meanOf([1, Infinity, 2], [3])).toBe(Infinity)
    expect(meanOf([1], [-Infinity, -Infinity], [2])).toBe(-Infinity)
    expect(meanOf([Infinity], [-Infinity])).toBeNaN()
    expect(meanOf([Infinity, -Infinity])).toBeNaN()
  })

  it('of blocks are those of the whole, far from zero too', () => {
    const values = normal(100_000, 3).map((value) => value + 1e9)
    const moments = new Moments()
    for (let from = 0; from < values.length; from += 1 << 14) moments.add(values.subarray(from, from + (1 << 14)))
    const shifted = normal(100_000, 3).map((value) => value + 1e9 - 1e9)
    const exact = new Moments()
    exact.add(shifted)
    expect(moments.mean - 1e9).toBeCloseTo(exact.mean, 6)
    expect(moments.deviation).toBeCloseTo(exact.deviation, 6)
    expect([moments.count, moments.min, moments.max]).toEqual([values.length, Math.min(...values), Math.max(...values)])
  })
})

describe('ByteCounts', () => {
  it('count any texts exactly below their limit', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', ''), maxLength: 4 })), (texts) => {
        const expected = new Map<string, number>()
        const counts = new ByteCounts()
        for (const text of texts) {
          expected.set(text, (expected.get(text) ?? 0) + 1)
          const bytes = Buffer.from(`<${text}>`)
          counts.add(bytes, 1, bytes.length - 1)
        }
        const ranked = [...expected].sort(([a, x], [b, y]) => y - x || Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(counts.top(1000).map(({ bytes, count }) => [Buffer.from(bytes).toString(), count])).toEqual(ranked)
        expect(counts.top(3)).toEqual(counts.top(1000).slice(0, 3))
        expect([counts.distinct, counts.isExact, counts.understated]).toEqual([expected.size, true, 0])
      }),
    )
  })

  it('beyond it keep the frequent values within the stated bound and estimate how many there are', () => {
    const counts = new ByteCounts()
    const rows = 1_500_000
    for (let row = 0; row < rows; row++) {
      const bytes = Buffer.from(row % 3 === 0 ? `often ${row % 30}` : `once ${row}`)
      counts.add(bytes, 0, bytes.length)
    }
    expect(counts.isExact).toBe(false)
    expect(counts.understated).toBeLessThanOrEqual((2 * rows) / (1 << 18))
    const top = counts.top(10)
    expect(top).toHaveLength(10)
    for (const { bytes, count } of top) {
      expect(Buffer.from(bytes).toString()).toMatch(/^often/)
      expect(count).toBeLessThanOrEqual(rows / 30)
      expect(count).toBeGreaterThanOrEqual(rows / 30 - counts.understated)
    }
    expect(Math.abs(counts.distinct / ((rows * 2) / 3 + 10) - 1)).toBeLessThan(0.024)
  })

  it('a value too long to keep is counted as one of many, not kept', () => {
    const counts = new ByteCounts()
    counts.add(Buffer.from('a'), 0, 1)
    const long = new Uint8Array((16 << 20) + 1)
    counts.add(long, 0, long.length)
    expect([counts.distinct, counts.isExact, counts.top(5).length]).toEqual([2, false, 1])
  })
})
