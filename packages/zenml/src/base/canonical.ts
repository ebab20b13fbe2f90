import { type Digest, sha256 } from './digest.ts'
import type { Json } from './json.ts'

/**
 * The canonical encoding of a JSON value: one value, one text, on every machine.
 *
 * `n` null, `t` true, `f` false, `d<number>;` with the shortest decimal that reads back (ECMA-262 Number::toString; -0 is
 * 0), `s<bytes>:<text>` with the length in UTF-8 bytes, `a<count>:` and the items, `o<count>:` and key, value in the order
 * of the keys' UTF-8 bytes. Every part carries its length, so no two different values can run together to one text.
 *
 * Throws a `TypeError` for NaN, infinities, lone surrogates and anything that JSON cannot say.
 *
 * @example
 * canonical({ b: [1, true], a: 'é' }) // 'o2:s1:as2:és1:ba2:d1;t'
 */
export function canonical(value: Json): string {
  const parts: string[] = []
  encode(value, parts)
  return parts.join('')
}

/** The digest of a value's canonical encoding. */
export function digestOf(value: Json): Digest {
  return sha256(canonical(value))
}

/** JSON with sorted keys and no spaces: the form in which facts are stored, so that equal facts are equal bytes. */
export function canonicalJson(value: Json): string {
  canonical(value)
  return JSON.stringify(sorted(value))
}

function encode(value: Json, parts: string[]): void {
  switch (typeof value) {
    case 'string':
      parts.push(text(value))
      return
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`no canonical encoding for ${value}`)
      parts.push(`d${value};`)
      return
    case 'boolean':
      parts.push(value ? 't' : 'f')
      return
    case 'object':
      break
    default:
      throw new TypeError(`no canonical encoding for a ${typeof value}`)
  }
  if (value === null) {
    parts.push('n')
    return
  }
  if (isArray(value)) {
    parts.push(`a${value.length}:`)
    for (let index = 0; index < value.length; index++) encode(value[index] as Json, parts)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('no canonical encoding for a class instance')
  const keys = sortedKeys(value)
  parts.push(`o${keys.length}:`)
  for (const key of keys) {
    parts.push(text(key))
    encode(value[key] as Json, parts)
  }
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('no canonical encoding for a text with a lone surrogate')
  return `s${Buffer.byteLength(value)}:${value}`
}

function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (isArray(value)) return value.map(sorted)
  return Object.fromEntries(sortedKeys(value).map((key) => [key, sorted(value[key] as Json)]))
}

/** Keys in the order of their UTF-8 bytes, without those whose value is undefined. */
function sortedKeys(value: { readonly [key: string]: Json }): string[] {
  return Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort(compareText)
}

/** Orders two texts by their UTF-8 bytes: independent of locale, and equal to code point order. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    // Surrogates (code points past U+FFFF) come after every other unit in UTF-8, but not in UTF-16.
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1
  }
  return left.length - right.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
