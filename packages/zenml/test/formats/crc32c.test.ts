import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32c, maskedCrc32c } from '../../src/formats/crc32c.ts'

// RFC 3720, appendix B.4.
it.each([
  ['32 zero bytes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 rising bytes', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ['32 falling bytes', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
  ['nothing', new Uint8Array(0), 0],
  ['the digits from 1 to 9', new TextEncoder().encode('123456789'), 0xe3069283],
])('gives the checksum that RFC 3720 gives for %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

it('agrees with the bit-by-bit definition on every part of every buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(60), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length)
      const end = Math.min(Math.max(a, b), bytes.length)
      expect(crc32c(bytes, start, end)).toBe(bitByBit(bytes.subarray(start, end)))
    }),
  )
})

it('masks a checksum as TFRecord does', () => {
  // The length of the first record that TensorFlow wrote in the shared samples, 520, and the checksum that it put behind.
  const length = Uint8Array.of(8, 2, 0, 0, 0, 0, 0, 0)
  expect(maskedCrc32c(length, 0, 8) >>> 0).toBe(0x82032703)
})

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
