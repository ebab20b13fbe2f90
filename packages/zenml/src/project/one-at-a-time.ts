import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode, ZenmlError } from '../base/errors.ts'

const patience = 60_000
const pause = 20

/**
 * Does some work on a file while no other process does any on the same file. The lock is a SQLite transaction on `FILE.lock`: it ends
 * with the process that holds it, however that ends.
 *
 * Throws `ZEN_BUSY` where another process has held it for a minute, and what the work throws.
 *
 * @example
 * await oneAtATime(file, async () => await writeFile(file, changed(await readFile(file, 'utf8'))))
 */
export async function oneAtATime<T>(file: string, work: () => Promise<T>): Promise<T> {
  const { default: Sqlite } = await import('better-sqlite3')
  const lock = new Sqlite(`${file}.lock`, { timeout: 0 })
  try {
    for (let waited = 0; ; waited += pause) {
      try {
        lock.exec('BEGIN EXCLUSIVE')
        break
      } catch (error) {
        if (!systemCode(error)?.startsWith('SQLITE_BUSY')) throw error
        if (waited >= patience)
          throw new ZenmlError('ZEN_BUSY', `Another process has been changing ${file} for a minute.`, {
            facts: { file },
            next: 'Wait for it or end it, and try again; nothing has changed.',
          })
      }
      await sleep(pause)
    }
    return await work()
  } finally {
    lock.close()
  }
}
