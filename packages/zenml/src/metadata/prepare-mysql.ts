import type { Connection } from 'mysql2/promise'
import { column, lockSchema, type MysqlFacts, mysqlFacts } from './mysql-schema.ts'
import { schemaVersion, simpleTypes } from './schema-10.ts'
import { mysqlStatements } from './schema-10-mysql.ts'
import { checkSchema, schemaTables } from './schema-check.ts'
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
  const facts = await mysqlFacts(connection)
  const [version = schemaVersion] = facts.versions
  if (version === schemaVersion && (facts.columns.size < schemaTables.length || facts.versions.length === 0))
    return false
  check(location, facts)
  return (await missingTypes(connection)).length === 0
}

function check(location: ServerLocation, facts: MysqlFacts): void {
  const command =
    '"zenml config metadata upgrade mysql" with the options of "config metadata set mysql", or without where the project has them'
  checkSchema(
    placeOf(location),
    facts,
    facts.begun
      ? `Its upgrade was begun and has not ended: run ${command}, which goes on with it.`
      : `Run ${command}: it copies the database first; nothing has changed.`,
  )
}

/** Makes what is missing while nobody else does. */
async function mend(connection: Connection, location: ServerLocation): Promise<void> {
  await lockSchema(connection, location)
  const facts = await mysqlFacts(connection)
  if (await isUnfinished(connection, facts)) {
    await createTables(connection)
    await connection.beginTransaction()
    await connection.query('INSERT INTO MLMDEnv (schema_version) VALUES (?)', [schemaVersion])
  } else {
    check(location, facts)
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
async function isUnfinished(connection: Connection, { columns, versions }: MysqlFacts): Promise<boolean> {
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
