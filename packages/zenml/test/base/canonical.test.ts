import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonical, canonicalJson, compareText, digestOf } from '../../src/base/canonical.ts'
import type { Json } from '../../src/base/json.ts'

const json = fc.jsonValue({ depthSize: 'small', stringUnit: 'grapheme' }) as fc.Arbitrary<Json>

it('has pinned forms, which only a new format version may change', () => {
  expect(canonical({ b: [1, true, null], a: 'é' })).toBe('o2:s1:as2:és1:ba3:d1;tn')
  expect(canonical([false, [], {}, ''])).toBe('a4:fa0:o0:s0:')
  expect(canonical([1, 1.5, -0, 1e21, 1e-7])).toBe('a5:d1;d1.5;d0;d1e+21;d1e-7;')
  expect(canonicalJson({ b: [1.5, -0, null], a: 'é', '\uffff': {}, '\u{10000}': [] })).toBe(
    '{"a":"é","b":[1.5,0,null],"\uffff":{},"\u{10000}":[]}',
  )
  expect(digestOf({ seed: 0, name: 'train' })).toBe(
    'sha256:a2545ba69a486a707b190134472e886bd46a9e17a1e22981b486b84c44ad0746',
  )
})

it('is the same for the same value, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      expect(canonical(reversed)).toBe(canonical(value))
      expect(canonicalJson(reversed)).toBe(canonicalJson(value))
    }),
  )
})

it('is different for different values', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      const same = JSON.stringify(normal(left)) === JSON.stringify(normal(right))
      expect(canonical(left) === canonical(right)).toBe(same)
    }),
    { numRuns: 2000 },
  )
})

it('survives JSON, so that stored facts have the digest of the facts', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(digestOf(JSON.parse(canonicalJson(value)))).toBe(digestOf(value))
    }),
  )
})

it('does not let neighbouring fields run together', () => {
  expect(canonical(['ab', 'c'])).not.toBe(canonical(['a', 'bc']))
  expect(canonical([['a'], 'b'])).not.toBe(canonical([['a', 'b']]))
  expect(canonical('1')).not.toBe(canonical(1))
})

it.each([
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  ['\ud800', 'a text with a lone surrogate'],
  [new Date(0), 'a class instance'],
  [new Map(), 'a class instance'],
  [undefined, 'a undefined'],
  [1n, 'a bigint'],
  [() => 1, 'a function'],
])('refuses %s and says what it is', (value, what) => {
  const refusal = new TypeError(`no canonical encoding for ${what}`)
  for (const holder of [value, [value]]) {
    expect(() => canonical(holder as never)).toThrow(refusal)
    expect(() => canonicalJson(holder as never)).toThrow(refusal)
  }
})

it('leaves out keys whose value is undefined, as JSON does', () => {
  expect(canonical({ a: 1, b: undefined } as never)).toBe(canonical({ a: 1 }))
})

it('orders texts by their UTF-8 bytes', () => {
  // Short, so that one often begins with the other.
  const texts = fc.string({ unit: 'binary', maxLength: 4 })
  fc.assert(
    fc.property(texts, texts, (left, right) => {
      expect(Math.sign(compareText(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)))
    }),
    { numRuns: 2000 },
  )
})

it('orders surrogates, which stand for the last code points, after every other unit', () => {
  const ordered = ['', 'a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{103fe}', '\u{103ff}', '\u{10ffff}']
  for (const [index, left] of ordered.entries())
    for (const [other, right] of ordered.entries())
      expect(Math.sign(compareText(left, right))).toBe(Math.sign(index - other))
})

function normal(value: Json): Json {
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(normal)
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, inner]) => [key, normal(inner)]),
  )
}
