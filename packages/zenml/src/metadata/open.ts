import type { Database } from 'better-sqlite3'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { schemaStatements, schemaVersion, simpleTypes } from './schema-10.ts'
import { checkSchema } from './schema-check.ts'
import type { SqlDatabase } from './sql/database.ts'
import type { DatabaseLocation, SqliteJournal, SqliteLocation } from './sql/location.ts'
import { busyTimeout, retrying, sqliteDatabase } from './sql/sqlite.ts'

/** What differs between those who open a database. */
export interface OpenDatabaseOptions {
  /** Told of each statement that goes to the database, for those who count them; `joined` where it went in one write with the one before. */
  readonly onStatement?: (text: string, joined: boolean) => void
}

/**
 * Opens a database of ML Metadata, schema version 10, on SQLite, MySQL, MariaDB or PostgreSQL, and creates schema and database
 * where there is none; several processes may do so at once, and one that was killed at it is made up for.
 *
 * Throws `ZEN_METADATA_NEWER` and `ZEN_METADATA_OLDER` for other schema versions, `ZEN_METADATA_DAMAGED` where tables or
 * columns are missing or the file is no database, `ZEN_METADATA_PATH` where a file cannot be opened, and nothing has changed then; for servers `ZEN_METADATA_CONNECTION` where one cannot be reached, `ZEN_METADATA_ACCESS` where
 * it refuses the user, `ZEN_METADATA_TLS` where a file for the encryption cannot be read.
 *
 * @example
 * await using database = await openDatabase({ type: 'sqlite', path: 'metadata.db' })
 * const types = await database.read(() => select('SELECT id, name FROM Type'))
 */
export async function openDatabase(
  location: DatabaseLocation,
  { onStatement }: OpenDatabaseOptions = {},
): Promise<SqlDatabase> {
  switch (location.type) {
    case 'sqlite':
      return sqliteDatabase(await openSqlite(location, onStatement))
    case 'mysql': {
      const [{ prepareMysql }, { mysqlDatabase }] = await Promise.all([
        import('./prepare-mysql.ts'),
        import('./sql/mysql.ts'),
      ])
      await prepareMysql(location)
      return mysqlDatabase(location, onStatement)
    }
    case 'postgres': {
      const [{ preparePostgres }, { postgresDatabase }] = await Promise.all([
        import('./prepare-postgres.ts'),
        import('./sql/postgres.ts'),
      ])
      await preparePostgres(location)
      return postgresDatabase(location, onStatement)
    }
  }
}

async function openSqlite(
  { path, journal }: SqliteLocation,
  onStatement?: OpenDatabaseOptions['onStatement'],
): Promise<Database> {
  const { default: Sqlite } = await import('better-sqlite3')
  let database: Database
  try {
    database = new Sqlite(path, {
      timeout: busyTimeout,
      ...(onStatement === undefined ? {} : { verbose: (text: unknown) => onStatement(String(text), false) }),
    })
  } catch (error) {
    throw new ZenmlError('ZEN_METADATA_PATH', `The metadata store ${path} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  try {
    await retrying(() => prepare(database, path, journal))
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
  return database
}

function prepare(database: Database, path: string, journal?: SqliteJournal): void {
  database.pragma('synchronous = FULL')
  const state = stateOf(database, path)
  // Kept in the file, so it is set once. Readers go on while a run is recorded, unless somebody asked for the other one.
  const wanted = journal ?? (state === 'empty' ? 'wal' : undefined)
  if (wanted !== undefined && database.pragma('journal_mode', { simple: true }) !== wanted)
    database.pragma(`journal_mode = ${wanted}`)
  if (state === 'empty') {
    database.transaction(() => create(database, path)).immediate()
  } else if (missingTypes(database).length > 0) {
    // Google's library adds them after it committed the tables, and may have been killed in between.
    database.transaction(() => addTypes(database)).immediate()
  }
}

/** Whether the file has the schema, or no tables yet; throws for all else. */
function stateOf(database: Database, path: string): 'empty' | 'whole' {
  // No table may be another one's here: a file with tables that are not of ML Metadata is none of its databases.
  const text = `SELECT m.name AS tableName, c.name AS columnName FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
  const columns = new Map<string, string[]>()
  for (const { tableName, columnName } of database.prepare(text).all() as { tableName: string; columnName: string }[])
    columns.set(tableName, [...(columns.get(tableName) ?? []), columnName])
  const versions = columns.has('MLMDEnv')
    ? (database.prepare('SELECT schema_version FROM MLMDEnv').pluck().all() as number[])
    : []
  return checkSchema(
    path,
    { columns, versions },
    `Run "zenml config metadata upgrade --uri=${shellWord(path)}", which copies it first; nothing has changed.`,
  )
}

function create(database: Database, path: string): void {
  // Another process may have been first while this one waited for the lock.
  if (stateOf(database, path) === 'whole') return
  for (const statement of schemaStatements) database.exec(statement)
  database.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
  addTypes(database)
}

function addTypes(database: Database): void {
  for (const { name, kind } of missingTypes(database))
    database.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, kind)
}

function missingTypes(database: Database): typeof simpleTypes {
  const text = `SELECT type_kind || ' ' || name FROM Type WHERE name LIKE 'mlmd.%' AND version IS NULL`
  const found = new Set(database.prepare(text).pluck().all())
  return simpleTypes.filter(({ name, kind }) => !found.has(`${kind} ${name}`))
}

/** A text as a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
