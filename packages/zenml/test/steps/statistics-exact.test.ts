import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { batchOf } from '../../src/formats/batch-of.ts'
import { encodeStatistics } from '../../src/formats/statistics-proto.ts'
import { SplitStatistics } from '../../src/steps/feature-statistics.ts'

type Row = { readonly [feature: string]: readonly (number | string)[] }

const kinds = { f: 'float', i: 'int', t: 'bytes' } as const

/** Statistics of rows that come in batches of the given sizes, over and over. */
function bytesOf(rows: readonly Row[], sizes: readonly number[]): Uint8Array {
  return encodeStatistics({ datasets: [gathered(rows, sizes).finish()] })
}

function gathered(rows: readonly Row[], sizes: readonly number[]): SplitStatistics {
  const statistics = new SplitStatistics(new Map(Object.entries(kinds)))
  for (let from = 0, turn = 0; from < rows.length; turn++) {
    const size = sizes[turn % sizes.length]!
    statistics.add(batchOf(rows.slice(from, from + size), kinds))
    from += size
  }
  return statistics
}

const float = fc.float({ noNaN: true, noDefaultInfinity: true })
const row: fc.Arbitrary<Row> = fc.record({
  f: fc.array(float, { maxLength: 3 }),
  i: fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 2 }),
  t: fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 2 }), { maxLength: 2 }),
})
const rows = fc.array(row, { minLength: 1, maxLength: 60 })
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 })

describe('statistics of any rows', () => {
  it('are the same bytes in batches of any sizes', () => {
    fc.assert(
      fc.property(rows, sizes, (items, cuts) => {
        expect(Buffer.from(bytesOf(items, cuts))).toEqual(Buffer.from(bytesOf(items, [items.length])))
      }),
    )
  })

  it('are the same bytes in batches of any sizes where ranks and distinct texts are estimated', () => {
    const random = seededRandom('estimated')
    const many = Array.from(
      { length: 300_000 },
      (_, index): Row => ({ f: [random.next()], i: [], t: [`${index}-${random.integer(9)}`] }),
    )
    const whole = gathered(many, [many.length])
    expect([...whole.estimated].sort()).toEqual(['f', 't'])
    const expected = Buffer.from(encodeStatistics({ datasets: [whole.finish()] }))
    for (const cuts of [[4096], [1000, 7, 65_536]]) expect(Buffer.from(bytesOf(many, cuts)).equals(expected)).toBe(true)
  }, 60_000)

  it('are those that plain counting gives: to the bit for counts, extremes, medians and frequencies', () => {
    fc.assert(
      fc.property(rows, sizes, (items, cuts) => {
        const { numExamples, features } = gathered(items, cuts).finish()
        expect(numExamples).toBe(items.length)
        for (const feature of features!) {
          const name = feature.path!.step![0]!
          const lists = items.map((item) => item[name]!).filter((list) => list.length > 0)
          const common = (feature.numStats ?? feature.stringStats)!.commonStats!
          expect(common.numNonMissing).toBe(lists.length)
          expect(common.numMissing ?? 0).toBe(items.length - lists.length)
          if (lists.length === 0) continue
          const lengths = lists.map(({ length }) => length)
          expect([common.minNumValues, common.maxNumValues]).toEqual([Math.min(...lengths), Math.max(...lengths)])
          expect(common.totNumValues).toBe(lists.flat().length)
          if (name === 't') {
            const counts = new Map<string, number>()
            for (const text of lists.flat() as string[]) counts.set(text, (counts.get(text) ?? 0) + 1)
            expect(feature.stringStats!.unique).toBe(counts.size)
            const found = feature.stringStats!.rankHistogram!.buckets!
            expect(new Map(found.map(({ label, sampleCount }) => [label, sampleCount]))).toEqual(counts)
            const frequencies = found.map(({ sampleCount }) => sampleCount!)
            expect(frequencies).toEqual([...frequencies].sort((a, b) => b - a))
            continue
          }
          const values = (lists.flat() as number[]).map((value) => value + 0).sort((a, b) => a - b)
          const { min, max, median, mean, stdDev, numZeros = 0 } = feature.numStats!
          const half = values.length >> 1
          const middle = values.length % 2 === 1 ? values[half]! : (values[half - 1]! + values[half]!) / 2
          expect([min! + 0, max! + 0, median! + 0]).toEqual([values[0], values.at(-1), middle + 0])
          expect(numZeros).toBe(values.filter((value) => value === 0).length)
          // Sums of floats are rounded: within 1e-12 of the largest value.
          const scale = Math.max(...values.map(Math.abs), 1e-300)
          const exactMean = values.reduce((sum, value) => sum + value / scale, 0) / values.length
          const variance = values.reduce((sum, value) => sum + (value / scale - exactMean) ** 2, 0) / values.length
          expect(Math.abs(mean! / scale - exactMean)).toBeLessThan(1e-12)
          expect(Math.abs((stdDev! / scale) ** 2 - variance)).toBeLessThan(1e-12)
        }
      }),
      { numRuns: 300 },
    )
  })
})
