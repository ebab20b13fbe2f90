import { lstat, readFile, realpath, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { type Digest, sha256 } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'
import { isArtifactPath } from '../model/artifact.ts'

/** How a file that a run read compares with the one that was laid out. */
export type FileState = 'same' | 'mended' | 'missing' | 'different'

/**
 * Gives a file the line ends with which a run read it, where that is all that another clone's settings (autocrlf, eol) have changed.
 * `missing`: there is no such file inside of the folder, as when git ignored it.
 */
export async function mendLineEnds(target: string, path: string, wanted: Digest): Promise<FileState> {
  const file = join(target, path)
  const bytes = isArtifactPath(path) ? await readInside(target, file) : undefined
  if (bytes === undefined) return 'missing'
  if (sha256(bytes) === wanted) return 'same'
  const unix = withLineFeeds(bytes)
  for (const other of [unix, withCarriageReturns(unix)]) {
    if (sha256(other) !== wanted) continue
    await writeFile(file, other)
    return 'mended'
  }
  return 'different'
}

/** CR LF becomes LF. */
export function withLineFeeds(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, index) => byte !== 13 || bytes[index + 1] !== 10)
}

/** Each LF becomes CR LF; the bytes are to have no CR LF. */
export function withCarriageReturns(bytes: Uint8Array): Uint8Array {
  const made = new Uint8Array(bytes.length + bytes.reduce((count, byte) => count + Number(byte === 10), 0))
  let at = 0
  for (const byte of bytes) {
    if (byte === 10) made[at++] = 13
    made[at++] = byte
  }
  return made
}

/** A regular file that no link on the way leads out of the folder. */
async function readInside(target: string, file: string): Promise<Uint8Array | undefined> {
  try {
    const [top, real] = await Promise.all([realpath(target), realpath(file)])
    if (!real.startsWith(top + sep) || !(await lstat(real)).isFile()) return undefined
    return await readFile(real)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
