/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) of `bytes[start..end]`, as an unsigned 32-bit number: eight bytes a
 * step through eight tables ("slicing-by-8", Kounavis and Berry, 2008). `before` is the CRC of the bytes before these, of which it is then part.
 *
 * @example
 * crc32c(new TextEncoder().encode('123456789')) // 0xe3069283
 */
export function crc32c(bytes: Uint8Array, start: number = 0, end: number = bytes.length, before: number = 0): number {
  const table = tables
  let crc = ~before
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc =
      table[0x700 | ((crc ^ bytes[at]!) & 255)]! ^
      table[0x600 | (((crc >>> 8) ^ bytes[at + 1]!) & 255)]! ^
      table[0x500 | (((crc >>> 16) ^ bytes[at + 2]!) & 255)]! ^
      table[0x400 | ((crc >>> 24) ^ bytes[at + 3]!)]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = table[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/**
 * The masked CRC-32C that TFRecord stores: rotated right by 15 bits plus 0xa282ead8 (tensorflow/core/lib/hash/crc32c.h), so that
 * a CRC over bytes that hold CRCs stays strong. As a signed 32-bit number, to compare with what a DataView reads.
 */
export function maskedCrc32c(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) | 0
}

/** Table k, at k * 256, advances a byte that stands k places before the end of the step. */
const tables: Int32Array = /* @__PURE__ */ makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    made[byte] = crc
  }
  for (let index = 256; index < made.length; index++) {
    const previous = made[index - 256]!
    made[index] = (previous >>> 8) ^ made[previous & 255]!
  }
  return made
}
