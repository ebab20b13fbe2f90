import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { access, mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { hexOf, sha256 } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'

const day = 24 * 3600 * 1000
/** Names of what is being made or removed start so. */
const partPrefix = '.part-'
/** Lies in each whole entry; its time says when the entry was last used. */
const markName = '.zenml-entry'
/** Lies in an entry that is out of use and stays only for those that it was lent to. */
const retiredName = '.zenml-retired'
/** A folder with a link to each folder that the entry was lent to. */
const lentName = '.zenml-lent'

/** Folders under a key: each is there as a whole or not at all, whoever makes it at the same time or is killed on the way. */
export interface CacheEntries {
  /** The folder of an entry, now used; undefined where there is none. */
  use(key: string): Promise<string | undefined>
  /**
   * Makes an entry in a folder under a temporary name and gives its place; one that another process finished first is taken instead. Where `borrower`
   * is given, the entry is lent to it; and what a maker that was killed has left goes as soon as the borrower is gone.
   */
  make(key: string, fill: (part: string) => Promise<void>, borrower?: string): Promise<string>
  /** Keeps the folder of an entry as long as a folder exists that links to it. */
  lend(entry: string, borrower: string): Promise<void>
  /** Takes the folder of an entry out of use: nobody finds it any more, and it goes once nobody else than `borrower` has borrowed it. */
  remove(entry: string, borrower?: string): Promise<void>
  /** Removes what is out of use, entries beyond the newest `keep` that were not used for a day, and what makers have left. */
  sweep(keep: number): Promise<void>
}

/** Entries in a folder. */
export function cacheEntries(directory: string, clock: Clock): CacheEntries {
  const partName = (): string => join(directory, `${partPrefix}${process.pid}-${randomBytes(6).toString('hex')}`)

  async function use(key: string): Promise<string | undefined> {
    const now = new Date(clock.now())
    for (const name of await namesIn(directory)) {
      if (name !== key && !/^~\d+$/.test(name.startsWith(key) ? name.slice(key.length) : '')) continue
      const path = join(directory, name)
      if (existsSync(join(path, retiredName))) continue
      try {
        await utimes(join(path, markName), now, now)
        return path
      } catch (error) {
        // Another user's cache, or one that is read-only: it can be used where it can be read, but not marked.
        if (isForbidden(error) && (await isReadable(path))) return path
        if (isForbidden(error)) continue
        if (systemCode(error) !== 'ENOENT') throw error
      }
    }
    return undefined
  }

  async function lend(entry: string, borrower: string): Promise<void> {
    const folder = join(entry, lentName)
    try {
      await mkdir(folder, { recursive: true })
      for (const name of await namesIn(folder))
        if (!existsSync(join(folder, name))) await rm(join(folder, name), { force: true })
      await symlink(borrower, lentTo(entry, borrower), 'junction')
    } catch (error) {
      if (!isForbidden(error) && systemCode(error) !== 'EEXIST') throw error
    }
  }

  async function remove(entry: string, borrower?: string): Promise<void> {
    if (borrower !== undefined) await rm(lentTo(entry, borrower), { force: true })
    // Those who have it find it by its path, so that it has to stay where it is.
    if ((await borrowed(entry)) === 'yes') await writeFile(join(entry, retiredName), '').catch(ifMissing)
    else await takeAway(entry)
  }

  async function takeAway(entry: string): Promise<void> {
    // Renamed first: nobody finds half an entry.
    const away = partName()
    try {
      await rename(entry, away)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return
      throw error
    }
    await rm(away, { recursive: true, force: true, maxRetries: 3 })
  }

  /** Gives a finished part its name: the key's own, or one behind it where an entry is out of use and still borrowed, or another user's. */
  async function finish(part: string, key: string): Promise<string> {
    for (let number = 1; ; number++) {
      const path = join(directory, number === 1 ? key : `${key}~${number}`)
      try {
        await rename(part, path)
        return path
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(systemCode(error) ?? '')) throw error
        const other = await use(key)
        if (other !== undefined) return other
        if (!existsSync(path)) throw error
      }
    }
  }

  return {
    use,
    lend,
    remove,
    async make(key, fill, borrower) {
      const part = partName()
      await mkdir(part, { recursive: true, mode: 0o700 })
      try {
        if (borrower !== undefined) await lend(part, borrower)
        await fill(part)
        await writeFile(join(part, markName), '')
        const path = await finish(part, key)
        if (borrower !== undefined) await lend(path, borrower)
        return path
      } finally {
        await rm(part, { recursive: true, force: true, maxRetries: 3 })
      }
    },
    async sweep(keep) {
      const now = clock.now()
      const entries: { readonly path: string; readonly used: number }[] = []
      for (const name of await namesIn(directory)) {
        const path = join(directory, name)
        if (name.startsWith(partPrefix)) {
          if (!(await isReadable(path))) continue
          const used = await timeOf(path)
          const state = await borrowed(path)
          if (state === 'no-more' || (state === 'never' && used !== undefined && now - used > day)) await discard(path)
          continue
        }
        // Another user's, where the cache is shared.
        if (!(await isReadable(path))) continue
        const used = await timeOf(join(path, markName))
        if (used === undefined || (await borrowed(path)) === 'yes') continue
        if (existsSync(join(path, retiredName))) await takeAway(path)
        else entries.push({ path, used })
      }
      entries.sort((a, b) => b.used - a.used)
      for (const { path, used } of entries.slice(keep)) if (now - used > day) await takeAway(path)
    },
  }
}

function lentTo(entry: string, borrower: string): string {
  return join(entry, lentName, hexOf(sha256(Buffer.from(borrower))).slice(0, 40))
}

/** Whether a folder is still there that an entry was lent to. */
async function borrowed(entry: string): Promise<'yes' | 'no-more' | 'never'> {
  const names = await namesIn(join(entry, lentName))
  if (names.length === 0) return 'never'
  // Links, which are there where they lead to something.
  return names.some((name) => existsSync(join(entry, lentName, name))) ? 'yes' : 'no-more'
}

/** Removes what a maker has left; what npm, which outlives it, still writes there goes the next time. */
async function discard(part: string): Promise<void> {
  try {
    await rm(part, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY') throw error
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(ifMissing)) ?? []
}

async function timeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(ifMissing))?.mtimeMs
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.X_OK)
    return true
  } catch (error) {
    if (isForbidden(error) || systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function ifMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')
}
