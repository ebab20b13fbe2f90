import type { FeatureKind } from '../formats/batch.ts'

/** What the last call of `readNumber` found, beside its kind. */
export interface FoundNumber {
  /** The value as a double: of an int beyond 15 digits the nearest one. */
  value: number
  /** The exact value of an int beyond 15 digits. */
  big: bigint | undefined
}

/** Filled by `readNumber`; one object, as it is called for every cell of a file. */
export const found: FoundNumber = { value: 0, big: undefined }

const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
const ascii = new TextDecoder('latin1')

/**
 * Tells whether bytes are a number, and which: the one rule for texts that may be numbers. An int is an optional sign and digits without a
 * leading zero within 64 bits; a float is a decimal number (`1.5`, `.5`, `-2e3`) or a larger int; all else is a text, also
 * `007`, `NaN`, ` 1` and `0x1f`.
 *
 * A decimal of up to 15 digits and a power of ten up to 22 is two exact doubles and one rounding (Clinger, 1990), so it equals what
 * `Number` gives; the others are left to `Number`.
 */
export function readNumber(bytes: Uint8Array, start: number, end: number): FeatureKind {
  let at = start
  let byte = at < end ? bytes[at]! : 0
  const negative = byte === 0x2d
  if (negative || byte === 0x2b) byte = ++at < end ? bytes[at]! : 0
  let mantissa = 0
  let digits = 0
  const whole = at
  if (byte === 0x30) at++
  else {
    while (at < end && isDigit(bytes[at]!)) {
      mantissa = mantissa * 10 + (bytes[at]! - 0x30)
      digits++
      at++
    }
  }
  const hasWhole = at > whole
  if (at === end) {
    if (!hasWhole) return 'bytes'
    if (digits <= 15) {
      found.value = negative && mantissa !== 0 ? -mantissa : mantissa
      found.big = undefined
      return 'int'
    }
    return largeWhole(bytes, start, end, digits)
  }
  let scale = 0
  if (bytes[at] === 0x2e) {
    const point = ++at
    while (at < end && isDigit(bytes[at]!)) {
      mantissa = mantissa * 10 + (bytes[at]! - 0x30)
      if (mantissa !== 0) digits++
      at++
    }
    scale = at - point
    if (!hasWhole && scale === 0) return 'bytes'
  } else if (!hasWhole) return 'bytes'
  let exponent = 0
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++
    const sign = at < end ? bytes[at]! : 0
    if (sign === 0x2d || sign === 0x2b) at++
    const from = at
    while (at < end && isDigit(bytes[at]!)) {
      if (exponent < 100_000) exponent = exponent * 10 + (bytes[at]! - 0x30)
      at++
    }
    if (at === from) return 'bytes'
    if (sign === 0x2d) exponent = -exponent
  }
  if (at !== end) return 'bytes'
  const power = exponent - scale
  found.big = undefined
  if (digits <= 15 && power >= -22 && power <= 22) {
    const value = power < 0 ? mantissa / powers[-power]! : mantissa * powers[power]!
    found.value = negative ? -value : value
  } else found.value = Number(ascii.decode(bytes.subarray(start, end)))
  return 'float'
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function largeWhole(bytes: Uint8Array, start: number, end: number, digits: number): FeatureKind {
  const text = ascii.decode(bytes.subarray(start, end))
  found.value = Number(text)
  if (digits <= 19) {
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
    if (BigInt.asIntN(64, value) === value) {
      found.big = value
      return 'int'
    }
  }
  found.big = undefined
  return 'float'
}
