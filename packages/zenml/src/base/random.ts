import { createHash } from 'node:crypto'

/** A seeded source of numbers; the same seed gives the same sequence on every machine and Node version. */
export interface Random {
  /** A double in [0, 1) with 53 random bits. */
  next(): number
  /** A whole number in [0, limit), without modulo bias; `limit` from 1 to 2^53 - 1. */
  integer(limit: number): number
  /** Shuffles an array or typed array in place (Fisher-Yates) and returns it. */
  shuffle<T extends { [index: number]: unknown; readonly length: number }>(items: T): T
  /** So many random bytes, from 0. For data, not for secrets: who knows the seed knows them. */
  bytes(length: number): Uint8Array
  /** A UUID in the layout of version 4 (RFC 9562), for names that are the same in every run; not for secrets. */
  uuid(): string
}

/**
 * A sequence of random numbers from a seed: xoshiro128** (Blackman and Vigna, 2018), its state the SHA-256 of the seed.
 *
 * @example
 * const random = seededRandom('run 7, step train')
 * random.integer(6) // the same on every machine
 */
export function seededRandom(seed: string | number): Random {
  const state = createHash('sha256').update(`zenml random 1\n${seed}`).digest()
  let a = state.readUInt32LE(0)
  let b = state.readUInt32LE(4)
  let c = state.readUInt32LE(8)
  let d = state.readUInt32LE(12) | 1 // never all zero, from which xoshiro could not leave

  function next32(): number {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }

  function next(): number {
    const high = next32() >>> 5
    const low = next32() >>> 6
    return (high * 0x4000000 + low) / 0x20000000000000
  }

  function integer(limit: number): number {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new RangeError(`limit must be a whole number from 1, not ${limit}`)
    const range = 0x20000000000000
    const fair = range - (range % limit)
    for (;;) {
      const value = next() * range
      if (value < fair) return value % limit
    }
  }

  function shuffle<T extends { [index: number]: unknown; readonly length: number }>(items: T): T {
    for (let index = items.length - 1; index > 0; index--) {
      const other = integer(index + 1)
      const held = items[index]
      items[index] = items[other]
      items[other] = held
    }
    return items
  }

  function bytes(length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new RangeError(`length must be a whole number from 0, not ${length}`)
    const filled = new Uint8Array(length)
    for (let index = 0; index < length; index += 4) {
      const word = next32()
      for (let part = 0; part < Math.min(4, length - index); part++) filled[index + part] = word >>> (8 * part)
    }
    return filled
  }

  function uuid(): string {
    const filled = bytes(16)
    filled[6] = (filled[6]! & 0x0f) | 0x40
    filled[8] = (filled[8]! & 0x3f) | 0x80
    const hex = Buffer.from(filled).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }

  return { next, integer, shuffle, bytes, uuid }
}

/**
 * The seed of one step: a whole number in [0, 2^31) from the run's seed and the step's name in the graph, so that adding or
 * removing another step changes nothing here.
 */
export function deriveSeed(runSeed: number, step: string): number {
  const digest = createHash('sha256').update(`zenml seed 1\n${runSeed}\n${step}`).digest()
  return digest.readUInt32LE(0) >>> 1
}
