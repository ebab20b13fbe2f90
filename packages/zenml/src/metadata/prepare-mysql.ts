import { createHash } from 'node:crypto'
import type { Connection } from 'mysql2/promise'
import { ZenmlError } from '../base/errors.ts'
import { schemaVersion, simpleTypes } from './schema-10.ts'
import { mysqlStatements } from './schema-10-mysql.ts'
import { checkSchema, columnsByTable, type SchemaFacts, schemaTables } from './schema-check.ts'
import { placeOf, type ServerLocation } from './sql/location.ts'
import { connectMysql } from './sql/mysql.ts'
import { mysqlError } from './sql/mysql-errors.ts'

/** Makes sure that a database of MySQL or MariaDB has the schema of ML Metadata; throws as `openDatabase` does. */
export async function prepareMysql(location: ServerLocation): Promise<void> {
  try {
    const connection = await connectOrCreate(location)
    try {
      if (!(await isReady(connection, location))) await mend(connection, location)
    } finally {
      await connection.end()
    }
  } catch (error) {
    throw mysqlError(location, error)
  }
}

async function connectOrCreate(location: ServerLocation): Promise<Connection> {
  try {
    return await connectMysql(location, location.database)
  } catch (error) {
    if ((error as { errno?: number }).errno !== 1049) throw error
  }
  const connection = await connectMysql(location)
  try {
    // Names differ by case, as they do in the other databases.
    await connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', [
      location.database,
    ])
  } finally {
    await connection.end()
  }
  return await connectMysql(location, location.database)
}

/** Whether all is there; false also where somebody is just making it. */
async function isReady(connection: Connection, location: ServerLocation): Promise<boolean> {
  const facts = await factsOf(connection)
  if (facts.columns.size < schemaTables.length || facts.versions.length === 0) return false
  checkSchema(placeOf(location), facts)
  return (await missingTypes(connection)).length === 0
}

async function factsOf(connection: Connection): Promise<SchemaFacts> {
  const text =
    'SELECT table_name AS `table`, column_name AS `column` FROM information_schema.columns WHERE table_schema = DATABASE()'
  const [rows] = await connection.query(text)
  const columns = columnsByTable(rows as { table: string; column: string }[])
  const versions = columns.has('MLMDEnv')
    ? await column<number>(connection, 'SELECT schema_version AS value FROM MLMDEnv')
    : []
  return { columns, versions }
}

/** Makes what is missing while nobody else does. */
async function mend(connection: Connection, location: ServerLocation): Promise<void> {
  const lock = `zenml-schema-${createHash('sha256').update(location.database).digest('hex').slice(0, 32)}`
  const [locked] = await column<number | null>(connection, 'SELECT GET_LOCK(?, 60) AS value', [lock])
  if (locked !== 1)
    throw new ZenmlError('ZEN_METADATA_BUSY', `Another client keeps preparing ${placeOf(location)}.`, {
      next: 'Try again when it is done.',
      exitCode: 1,
    })
  const facts = await factsOf(connection)
  if (await isUnfinished(connection, facts)) {
    await createTables(connection)
    await connection.beginTransaction()
    await connection.query('INSERT INTO MLMDEnv (schema_version) VALUES (?)', [schemaVersion])
  } else {
    checkSchema(placeOf(location), facts)
    await connection.beginTransaction()
  }
  const fresh = (await column<number>(connection, 'SELECT COUNT(*) AS value FROM Type'))[0] === 0
  // Ids from 1 on also where the server leaves gaps between ids.
  for (const { name, kind, id } of await missingTypes(connection))
    await connection.query('INSERT INTO Type (id, name, type_kind) VALUES (?, ?, ?)', [fresh ? id : null, name, kind])
  await connection.commit()
  // The lock goes with the connection.
}

/**
 * Whether there is nothing, or no more than what a client that was killed while it made the tables left behind: each table of
 * MySQL is there at once, and the version comes last, together with the first rows.
 */
async function isUnfinished(connection: Connection, { columns, versions }: SchemaFacts): Promise<boolean> {
  if (versions.length > 0) return false
  for (const table of columns.keys())
    if ((await column(connection, 'SELECT 1 AS value FROM ?? LIMIT 1', [table])).length > 0) return false
  return true
}

async function createTables(connection: Connection): Promise<void> {
  await connection.query(`SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'`)
  const [charset] = await column<string>(connection, 'SELECT @@character_set_database AS value')
  const wanted = charset === 'utf8mb4' ? '' : ' DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin'
  let suffix = `ENGINE=InnoDB${wanted}`
  for (const statement of mysqlStatements) {
    try {
      await connection.query(`${statement} ${suffix}`)
    } catch (error) {
      // Before MySQL 5.7.7 a key has 767 bytes at most, which is 255 characters of three bytes.
      if (![1071, 1709].includes((error as { errno?: number }).errno ?? 0)) throw error
      suffix = 'ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_bin'
      await connection.query(`${statement} ${suffix}`)
    }
  }
}

/** The simple types that are not there, with the ids that they have in a new database. */
async function missingTypes(
  connection: Connection,
): Promise<readonly ((typeof simpleTypes)[number] & { id: number })[]> {
  const [rows] = await connection.query(`SELECT name, type_kind FROM Type WHERE name LIKE 'mlmd.%' AND version IS NULL`)
  const found = new Set(
    (rows as { name: string; type_kind: number }[]).map(({ name, type_kind }) => `${type_kind} ${name}`),
  )
  return simpleTypes
    .map((type, index) => ({ ...type, id: index + 1 }))
    .filter(({ name, kind }) => !found.has(`${kind} ${name}`))
}

async function column<T>(connection: Connection, text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
  const [rows] = await connection.query(text, values as unknown[])
  return (rows as { value: T }[]).map(({ value }) => value)
}
