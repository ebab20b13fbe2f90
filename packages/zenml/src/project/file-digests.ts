import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Digest } from '../base/digest.ts'
import type { FileDigestCache } from '../sources/resolve-source.ts'

/** A cache of the digests of files, kept in one file between processes. */
export interface SavedFileDigests extends FileDigestCache {
  /** Writes what is new; does nothing where nothing is. */
  save(): Promise<void>
}

/** Largest number of entries that are kept; the oldest go first. */
const capacity = 10_000

/** Opens the cache; a missing or torn file is an empty one. */
export async function openFileDigests(file: string): Promise<SavedFileDigests> {
  let entries = new Map<string, Digest>()
  try {
    entries = new Map(Object.entries(JSON.parse(await readFile(file, 'utf8')) as { [key: string]: Digest }))
  } catch {
    // It is only a cache: the files are read again.
  }
  let changed = false
  return {
    get: (key) => entries.get(key),
    set(key, digest) {
      entries.delete(key)
      entries.set(key, digest)
      changed = true
    },
    async save() {
      if (!changed) return
      const part = `${file}.${process.pid}.part`
      await writeFile(part, JSON.stringify(Object.fromEntries([...entries].slice(-capacity))))
      await rename(part, file)
      changed = false
    },
  }
}
