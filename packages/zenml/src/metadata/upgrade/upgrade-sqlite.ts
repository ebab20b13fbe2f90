import type { Database } from 'better-sqlite3'
import { messageOf, systemCode, ZenmlError } from '../../base/errors.ts'
import { schemaVersion } from '../schema-10.ts'
import { busyTimeout, retrying, sqliteDatabase } from '../sql/sqlite.ts'
import { backUp } from './backup-sqlite.ts'
import { damaged, newer, type Removed, tooOld, type Upgrade, upToDate } from './outcome.ts'
import { countEvents, tablesWork, versionsAfter, versionWork } from './upgrade-work.ts'
import { oldestVersion } from './versions.ts'

/**
 * Brings an SQLite database of ML Metadata from schema version 5 to 9 to the current one: copies it beside itself first, and then changes
 * it in one transaction, so that whatever happens it is the old or the new one. Nobody can write from the copy to the end.
 *
 * Throws `ZEN_METADATA_NEWER`, `ZEN_METADATA_TOO_OLD`, `ZEN_METADATA_DAMAGED`, `ZEN_METADATA_PATH`, `ZEN_METADATA_BACKUP`, `ZEN_METADATA_BUSY`,
 * and `ZEN_METADATA_UPGRADE` where a change fails; the database is what it was then.
 */
export async function upgradeSqlite({ path }: { readonly path: string }): Promise<Upgrade> {
  const { default: Sqlite } = await import('better-sqlite3')
  let database: Database
  try {
    database = new Sqlite(path, { fileMustExist: true, timeout: busyTimeout })
  } catch (error) {
    throw new ZenmlError('ZEN_METADATA_PATH', `The metadata store ${path} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  try {
    database.pragma('synchronous = FULL')
    // Before the lock, so that a database that is not upgraded is not written to.
    if (versionOf(database, path) === schemaVersion) return upToDate(path)
    await lock(database, path)
    // Another process may have been first while this one waited for the lock.
    const from = versionOf(database, path)
    if (from === schemaVersion) return upToDate(path)
    // A transaction that writes cannot be copied from inside.
    const reader = new Sqlite(path, { readonly: true, timeout: busyTimeout })
    let backup: string
    try {
      backup = await backUp(reader, path, from)
    } finally {
      reader.close()
    }
    const removed = await change(database, path, from, backup)
    return { place: path, from, to: schemaVersion, versions: versionsAfter(from), backup, removed }
  } finally {
    // A transaction that is still open is rolled back.
    database.close()
  }
}

async function lock(database: Database, path: string): Promise<void> {
  try {
    await retrying(() => database.exec('BEGIN IMMEDIATE'))
  } catch (error) {
    if (error instanceof ZenmlError) throw error
    throw new ZenmlError('ZEN_METADATA_UPGRADE', `${path} cannot be written: ${messageOf(error)}.`, {
      next: 'Give write access to it and its folder; nothing has changed.',
      cause: error,
    })
  }
}

async function change(database: Database, path: string, from: number, backup: string): Promise<Removed> {
  try {
    const removed = await sqliteDatabase(database).write(function* () {
      const before = yield* countEvents()
      yield* tablesWork('sqlite', from)
      yield* versionWork()
      return { events: before - (yield* countEvents()) }
    })
    database.exec('COMMIT')
    return removed
  } catch (error) {
    throw new ZenmlError('ZEN_METADATA_UPGRADE', `${path} was not upgraded: ${messageOf(error)}.`, {
      facts: { path, backup },
      next: `It is unchanged, and ${backup} is a copy.`,
      cause: error,
    })
  }
}

/** The schema version of a database that can be upgraded, or is up to date. */
function versionOf(database: Database, path: string): number {
  let versions: readonly unknown[]
  try {
    versions = database.prepare('SELECT schema_version FROM MLMDEnv').pluck().all()
  } catch (error) {
    if (systemCode(error) !== 'SQLITE_ERROR' && systemCode(error) !== 'SQLITE_NOTADB') throw error
    throw damaged(path, `its schema version cannot be read (${messageOf(error)})`, error)
  }
  const [version] = versions
  if (versions.length !== 1 || typeof version !== 'number')
    throw damaged(path, `MLMDEnv has ${versions.length} rows instead of 1 with a number`)
  if (version > schemaVersion) throw newer(path, version)
  if (version < oldestVersion) throw tooOld(path, version)
  return version
}
