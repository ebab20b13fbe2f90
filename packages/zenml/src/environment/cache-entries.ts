import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { systemCode } from '../base/errors.ts'

const day = 24 * 3600 * 1000
/** Names of what is being made or removed start so. */
const partPrefix = '.part-'
/** Lies in each whole entry; its time says when the entry was last used. */
const markName = '.zenml-entry'

/** Folders under a key: each is there as a whole or not at all, whoever makes it at the same time or is killed on the way. */
export interface CacheEntries {
  /** The folder of an entry, now used; undefined where there is none. */
  use(key: string): Promise<string | undefined>
  /** Makes an entry in a folder under a temporary name and gives its place; one that another process finished first is taken instead. */
  make(key: string, fill: (part: string) => Promise<void>): Promise<string>
  /** Removes an entry. */
  remove(key: string): Promise<void>
  /** Removes entries beyond the newest `keep` that were not used for a day, and what makers that died left a day ago. */
  sweep(keep: number): Promise<void>
}

/** Entries in a folder. */
export function cacheEntries(directory: string, clock: Clock): CacheEntries {
  const partName = (): string => join(directory, `${partPrefix}${process.pid}-${randomBytes(6).toString('hex')}`)

  async function use(key: string): Promise<string | undefined> {
    const path = join(directory, key)
    const now = new Date(clock.now())
    try {
      await utimes(join(path, markName), now, now)
      return path
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      // Another user's cache, or one that is read-only: it can be used, but not marked.
      if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return path
      throw error
    }
  }

  async function remove(key: string): Promise<void> {
    // Renamed first: nobody finds half an entry.
    const away = partName()
    try {
      await rename(join(directory, key), away)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return
      throw error
    }
    await rm(away, { recursive: true, force: true, maxRetries: 3 })
  }

  return {
    use,
    remove,
    async make(key, fill) {
      const part = partName()
      await mkdir(part, { recursive: true, mode: 0o700 })
      try {
        await fill(part)
        await writeFile(join(part, markName), '')
        try {
          await rename(part, join(directory, key))
        } catch (error) {
          if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(systemCode(error) ?? '')) throw error
          const other = await use(key)
          if (other === undefined) throw error
        }
      } finally {
        await rm(part, { recursive: true, force: true, maxRetries: 3 })
      }
      return join(directory, key)
    },
    async sweep(keep) {
      const now = clock.now()
      const entries: { readonly name: string; readonly used: number }[] = []
      for (const name of await namesIn(directory)) {
        if (name.startsWith(partPrefix)) {
          const used = await timeOf(join(directory, name))
          if (used !== undefined && now - used > day) await rm(join(directory, name), { recursive: true, force: true })
          continue
        }
        const used = await timeOf(join(directory, name, markName))
        if (used !== undefined) entries.push({ name, used })
      }
      entries.sort((a, b) => b.used - a.used)
      // A rerun that goes on for hours has its packages there.
      for (const { name, used } of entries.slice(keep)) if (now - used > day) await remove(name)
    },
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
