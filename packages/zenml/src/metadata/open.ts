import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { schemaStatements, schemaVersion, simpleTypes } from './schema-10.ts'

/** Where the metadata is kept. */
export interface MetadataLocation {
  readonly type: 'sqlite'
  /** The database file; created where it is missing. */
  readonly path: string
}

/** An open ML Metadata database. */
export interface MetadataStore extends AsyncDisposable {
  /** Runs a function in one transaction that others see as a whole or not at all; tried again while others write. */
  write<T>(work: (database: Database) => T): Promise<T>
  /** Runs a function that only reads, on one state of the database. */
  read<T>(work: (database: Database) => T): Promise<T>
}

/** How long SQLite itself waits for another writer, in milliseconds; retries with growing pauses come on top. */
const busyTimeout = 5_000
const retries = 12

/**
 * Opens a database of ML Metadata, schema version 10, and creates it where there is none.
 *
 * Throws `ZEN_METADATA_NEWER` and `ZEN_METADATA_OLDER` for other schema versions, `ZEN_METADATA_DAMAGED` where tables are missing or the
 * file is no database, `ZEN_METADATA_PATH` where it cannot be opened; the file stays untouched then.
 */
export async function openMetadata({ path }: MetadataLocation): Promise<MetadataStore> {
  const { default: Sqlite } = await import('better-sqlite3')
  let database: Database
  try {
    database = new Sqlite(path, { timeout: busyTimeout })
  } catch (error) {
    throw new ZenmlError('ZEN_METADATA_PATH', `The metadata store ${path} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  try {
    await retrying(() => prepare(database, path))
  } catch (error) {
    database.close()
    if (systemCode(error)?.startsWith('SQLITE_NOTADB')) {
      throw new ZenmlError('ZEN_METADATA_DAMAGED', `${path} is no SQLite database.`, {
        next: 'Restore it from a backup, or name another file in .zenml/config.json.',
        cause: error,
      })
    }
    throw error
  }
  return {
    write: (work) => retrying(() => database.transaction(() => work(database)).immediate()),
    read: (work) => retrying(() => database.transaction(() => work(database)).deferred()),
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

function prepare(database: Database, path: string): void {
  database.pragma('synchronous = FULL')
  if (version(database, path) === undefined) {
    // Readers go on while a run is recorded. Kept in the file, so it is set once.
    database.pragma('journal_mode = WAL')
    database.transaction(() => create(database, path)).immediate()
  }
}

/** The schema version of the file; undefined where it has no tables yet. */
function version(database: Database, path: string): number | undefined {
  const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[]
  if (tables.length === 0) return undefined
  const expected = schemaStatements.flatMap((statement) => /^CREATE TABLE `(\w+)`/.exec(statement)?.[1] ?? [])
  const missing = expected.filter((table) => !tables.includes(table))
  if (missing.includes('MLMDEnv')) throw damaged(path, `it has tables, but not ${missing.join(', ')}`)
  const versions = database.prepare('SELECT schema_version FROM MLMDEnv').pluck().all() as number[]
  const [found] = versions
  if (versions.length !== 1 || found === undefined)
    throw damaged(path, `MLMDEnv has ${versions.length} rows instead of 1`)
  if (found > schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_NEWER',
      `${path} has ML Metadata schema version ${found}; this zenml knows ${schemaVersion}.`,
      { next: 'Use a newer zenml.' },
    )
  }
  if (found < schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_OLDER',
      `${path} has ML Metadata schema version ${found}; this zenml needs ${schemaVersion}.`,
      {
        next: `Run "zenml config metadata upgrade --uri=${path}", which copies it first; nothing has changed.`,
      },
    )
  }
  if (missing.length > 0) throw damaged(path, `it lacks the tables ${missing.join(', ')}`)
  return found
}

function create(database: Database, path: string): void {
  // Another process may have been first while this one waited for the lock.
  if (version(database, path) !== undefined) return
  for (const statement of schemaStatements) database.exec(statement)
  database.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
  for (const { name, kind } of simpleTypes)
    database.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, kind)
}

function damaged(path: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_METADATA_DAMAGED', `${path} is no whole ML Metadata database: ${what}.`, {
    next: 'Restore it from a backup.',
  })
}

async function retrying<T>(work: () => T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return work()
    } catch (error) {
      const busy = /^SQLITE_(BUSY|LOCKED)/.test(systemCode(error) ?? '')
      if (!busy) throw error
      if (attempt > retries) {
        throw new ZenmlError('ZEN_METADATA_BUSY', 'The metadata store stayed locked by other writers.', {
          next: 'Try again when they are done.',
          cause: error,
          exitCode: 1,
        })
      }
      // Jitter keeps two writers from meeting again; it reaches no record.
      await wait(attempt * 20 * (0.5 + Math.random()))
    }
  }
}
