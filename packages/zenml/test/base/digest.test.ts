import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hexOf, isDigest, parseDigest, sha256 } from '../../src/base/digest.ts'

const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

it('the digest of a content is its SHA-256, whether it is given as text or as UTF-8', () => {
  expect(sha256('')).toBe(empty)
  expect(sha256('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(sha256(Buffer.from(text))).toBe(sha256(text))
    }),
  )
})

it('a digest is its algorithm and its hex digits, and is taken as one', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const digest = sha256(bytes)
      expect(`sha256:${hexOf(digest)}`).toBe(digest)
      expect(isDigest(digest)).toBe(true)
      expect(parseDigest(digest)).toBe(digest)
    }),
  )
})

it.each([
  ['nothing', ''],
  ['the hex digits alone', empty.slice('sha256:'.length)],
  ['another algorithm', empty.replace('sha256', 'sha512')],
  ['a digit less', empty.slice(0, -1)],
  ['a digit more', `${empty}0`],
  ['upper case', empty.toUpperCase().replace('SHA', 'sha')],
  ['a letter that is no digit', empty.replace('e3', 'g3')],
  ['something before it', ` ${empty}`],
  ['a line break after it', `${empty}\n`],
])('a text with %s is no digest', (_what, text) => {
  expect(isDigest(text)).toBe(false)
  expect(() => parseDigest(text)).toThrow(new TypeError(`not a digest: ${JSON.stringify(text)}`))
})

it('only the beginning of a long text that is no digest is told', () => {
  expect(() => parseDigest('x'.repeat(1000))).toThrow(new TypeError(`not a digest: "${'x'.repeat(100)}"`))
})
