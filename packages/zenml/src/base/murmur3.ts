/**
 * MurmurHash3 of bytes (Appleby, x86, 32 bits, seed 0) as a whole number from 0 to 2^32 - 1.
 *
 * @example
 * murmur3(new TextEncoder().encode('hello')) // 613153351
 */
export function murmur3(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = 0
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    hash ^= scrambled(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let at = length - 1; at >= whole; at--) rest = (rest << 8) | bytes[at]!
  if (length > whole) hash ^= scrambled(rest)
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function scrambled(block: number): number {
  const first = Math.imul(block, 0xcc9e2d51)
  return Math.imul((first << 15) | (first >>> 17), 0x1b873593)
}
