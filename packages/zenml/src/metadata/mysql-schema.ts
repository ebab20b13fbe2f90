import { createHash } from 'node:crypto'
import type { Connection } from 'mysql2/promise'
import { ZenmlError } from '../base/errors.ts'
import { columnsByTable, type SchemaFacts, schemaTables } from './schema-check.ts'
import { placeOf, type ServerLocation } from './sql/location.ts'

/** The table that a database has while it is upgraded; it has a row from the first change to the last. */
export const journalTable = 'zenml_upgrade'

/** What is found in a database of MySQL or MariaDB before it is used. */
export interface MysqlFacts extends SchemaFacts {
  /** Its tables of ML Metadata. */
  readonly tables: readonly string[]
  /** Whether an upgrade has begun that has not ended. */
  readonly begun: boolean
  /** Whether the table of upgrades is there, be it empty. */
  readonly journal: boolean
}

/** Looks at the database that a connection has chosen. */
export async function mysqlFacts(connection: Connection): Promise<MysqlFacts> {
  const [rows] = await connection.query(
    'SELECT table_name AS `table`, column_name AS `column` FROM information_schema.columns WHERE table_schema = DATABASE()',
  )
  const found = rows as { table: string; column: string }[]
  const columns = columnsByTable(found)
  const tables = schemaTables.filter((name) => columns.has(name))
  const versions = tables.includes('MLMDEnv')
    ? await column<number>(connection, 'SELECT schema_version AS value FROM MLMDEnv')
    : []
  const journal = found.some(({ table }) => table.toLowerCase() === journalTable)
  const begun = journal && (await column(connection, 'SELECT 1 AS value FROM ??', [journalTable])).length > 0
  return { columns, tables, versions, journal, begun }
}

/** Keeps others from making or changing the schema for as long as the connection lives. Throws `ZEN_METADATA_BUSY` after a minute. */
export async function lockSchema(connection: Connection, location: ServerLocation): Promise<void> {
  const lock = `zenml-schema-${createHash('sha256').update(location.database).digest('hex').slice(0, 32)}`
  const [locked] = await column<number | null>(connection, 'SELECT GET_LOCK(?, 60) AS value', [lock])
  if (locked !== 1)
    throw new ZenmlError('ZEN_METADATA_BUSY', `Another client keeps preparing or upgrading ${placeOf(location)}.`, {
      next: 'Try again when it is done.',
      exitCode: 1,
    })
}

/** The column `value` of a query. */
export async function column<T>(
  connection: Connection,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  const [rows] = await connection.query(text, values as unknown[])
  return (rows as { value: T }[]).map(({ value }) => value)
}
