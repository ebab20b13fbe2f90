import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Digest } from '../base/digest.ts'

/** One for all files: there may be many small ones, and some that are larger than memory should be asked for. */
let buffer: Buffer | undefined

/** SHA-256 of a file's bytes, read piece by piece. Throws the system's error where it cannot be read. */
export function digestFile(path: string): Digest {
  const hash = createHash('sha256')
  buffer ??= Buffer.allocUnsafe(1 << 18)
  const file = openSync(path, 'r')
  try {
    for (let size = readSync(file, buffer); size > 0; size = readSync(file, buffer))
      hash.update(buffer.subarray(0, size))
  } finally {
    closeSync(file)
  }
  return `sha256:${hash.digest('hex')}` as Digest
}
