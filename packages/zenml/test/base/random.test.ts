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

it('gives bytes and UUIDs that are pinned too, and move with the seed', () => {
  const random = seededRandom(7)
  expect([Buffer.from(random.bytes(5)).toString('hex'), random.uuid(), random.uuid()]).toMatchInlineSnapshot(`
    [
      "9114c6963c",
      "e2e382c7-b8c4-48df-a589-7e83dad7a908",
      "5bb1eda6-8651-4b3c-822f-b515549e13e5",
    ]
  `)
  expect(seededRandom(8).uuid()).not.toBe(seededRandom(7).uuid())
})

it('gives as many bytes as asked, and UUIDs of version 4, for any seed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(100), (seed, length) => {
      const random = seededRandom(seed)
      expect(random.bytes(length)).toHaveLength(length)
      expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }),
  )
})

it.each([[-1], [0.5], [Number.NaN]])('refuses %s bytes', (length) => {
  expect(() => seededRandom(0).bytes(length)).toThrow(RangeError)
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
