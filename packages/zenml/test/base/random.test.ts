import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deriveSeed, seededRandom } from '../../src/base/random.ts'

it('gives a pinned sequence for a seed, on every machine and Node version', () => {
  const random = seededRandom(7)
  expect([random.next(), random.next(), random.integer(1000), random.integer(1000)]).toMatchInlineSnapshot(`
    [
      0.588959963372377,
      0.779340981497713,
      799,
      966,
    ]
  `)
  expect(seededRandom(7).shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toMatchInlineSnapshot(`
    [
      2,
      6,
      5,
      7,
      1,
      3,
      0,
      4,
    ]
  `)
  expect([deriveSeed(0, 'train'), deriveSeed(0, 'split'), deriveSeed(1, 'train')]).toMatchInlineSnapshot(`
    [
      712830500,
      1461290721,
      1482999854,
    ]
  `)
})

it('gives doubles in [0, 1) that are evenly spread', () => {
  const random = seededRandom('spread')
  const counts = new Array<number>(10).fill(0)
  for (let index = 0; index < 100_000; index++) {
    const value = random.next()
    expect(value >= 0 && value < 1).toBe(true)
    counts[Math.floor(value * 10)]!++
  }
  // Chi-square with 9 degrees of freedom stays below 33.7 with probability 0.9999.
  expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(33.7)
})

it('keeps whole numbers below their limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.integer(), (limit, seed) => {
      const value = seededRandom(seed).integer(limit)
      expect(Number.isSafeInteger(value) && value >= 0 && value < limit).toBe(true)
    }),
  )
})

it('shuffles without losing anything', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
      expect(
        seededRandom(seed)
          .shuffle([...items])
          .sort(),
      ).toEqual([...items].sort())
    }),
  )
})

it.each([[0], [-1], [1.5], [2 ** 53]])('refuses a limit of %s', (limit) => {
  expect(() => seededRandom(0).integer(limit)).toThrow(RangeError)
})

it('derives seeds that fit 31 bits', () => {
  fc.assert(
    fc.property(fc.nat(), fc.string(), (seed, step) => {
      const derived = deriveSeed(seed, step)
      expect(Number.isInteger(derived) && derived >= 0 && derived < 2 ** 31).toBe(true)
    }),
  )
})
