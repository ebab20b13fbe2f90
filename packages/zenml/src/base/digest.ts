import { createHash } from 'node:crypto'

/** `sha256:` and 64 lower-case hex digits: names content wherever it is kept. */
export type Digest = string & { readonly __brand: 'Digest' }

const pattern = /^sha256:[0-9a-f]{64}$/

/** Whether a text is a well-formed digest. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text)
}

/**
 * Takes a text as a digest; throws a `TypeError` where it is none.
 *
 * @example
 * parseDigest(`sha256:${'0'.repeat(64)}`)
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new TypeError(`not a digest: ${JSON.stringify(text.slice(0, 100))}`)
  return text
}

/** The 64 hex digits of a digest, without its algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/**
 * SHA-256 (FIPS 180-4) of bytes, or of a text as UTF-8.
 *
 * @example
 * sha256('') // 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
 */
export function sha256(content: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}
