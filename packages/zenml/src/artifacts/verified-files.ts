import type { BigIntStats } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { type Digest, hexOf } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'

/** Remembers which files had the right content when they were last read, so that large ones need not be read at every check. */
export interface VerifiedFiles {
  /** Whether the file is the very one that was verified: same inode, length, and times of change. */
  believes(digest: Digest, found: BigIntStats): Promise<boolean>
  /** Records that the file was read and is right. */
  believe(digest: Digest, found: BigIntStats): Promise<void>
}

/**
 * A log of lines `hex signature`, appended to; a later line wins, a torn one is none. The signature holds the time of the last
 * status change (ctime), which a program cannot set: content that was changed and then given its old length and
 * modification time back is still seen.
 */
export function verifiedFiles(file: string): VerifiedFiles {
  let loaded: Promise<Map<string, string>> | undefined
  const entries = (): Promise<Map<string, string>> => {
    loaded ??= load(file)
    return loaded
  }
  return {
    async believes(digest, found) {
      return (await entries()).get(hexOf(digest)) === signature(found)
    },
    async believe(digest, found) {
      const known = await entries()
      const written = signature(found)
      if (known.get(hexOf(digest)) === written) return
      known.set(hexOf(digest), written)
      try {
        await appendFile(file, `${hexOf(digest)} ${written}\n`)
      } catch (error) {
        // A store that may only be read is read again the next time.
        if (!['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) throw error
      }
    },
  }
}

function signature({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}-${size}-${mtimeNs}-${ctimeNs}`
}

async function load(file: string): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return entries
    throw error
  }
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) (\d+-\d+-\d+-\d+)$/.exec(line)
    if (match !== null) entries.set(match[1]!, match[2]!)
  }
  return entries
}
