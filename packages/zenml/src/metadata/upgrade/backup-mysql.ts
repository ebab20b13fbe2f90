import type { Connection, RowDataPacket } from 'mysql2/promise'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import { column } from '../mysql-schema.ts'
import { schemaTables } from '../schema-check.ts'
import { placeOf, type ServerLocation } from '../sql/location.ts'
import { kindOf } from '../sql/mysql-errors.ts'
import { type Begun, createJournal, dropJournal, writeJournal } from './journal-mysql.ts'

/**
 * Copies the tables of ML Metadata to another database of the server, named with the schema version. All rows are copied in one
 * transaction, which also says in the database that its upgrade has begun: a copy is whole or has no rows, and there is one for each
 * upgrade. A whole one is never written over, and what a killed process left is filled. Rows cannot change while they are copied.
 *
 * Throws `ZEN_METADATA_BACKUP`, and the driver's error where the connection broke or others were in the way.
 */
export async function backUpMysql(
  connection: Connection,
  location: ServerLocation,
  tables: readonly string[],
  version: number,
): Promise<Begun> {
  const wanted = `${location.database}_zenml_backup_v${version}`
  try {
    const name = await emptyDatabase(connection, wanted)
    const backup = connection.escapeId(name)
    for (const table of tables) {
      const [rows] = await connection.query<RowDataPacket[]>('SHOW CREATE TABLE ??', [table])
      const text = rows[0]!['Create Table'] as string
      await connection.query(text.replace('CREATE TABLE ', `CREATE TABLE ${backup}.`))
    }
    await createJournal(connection)
    // Reads lock what they read, so that all tables are of one moment.
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE')
    await connection.beginTransaction()
    for (const table of [...tables.filter((one) => one !== 'MLMDEnv'), 'MLMDEnv']) await copy(connection, table, name)
    const begun = await writeJournal(connection, name)
    await connection.commit()
    return begun
  } catch (error) {
    if (kindOf(error) === 'lost') throw error
    await connection.rollback()
    await dropJournal(connection)
    if (kindOf(error) === 'conflict') throw error
    throw new ZenmlError(
      'ZEN_METADATA_BACKUP',
      `${placeOf(location)} cannot be copied to the database "${wanted}": ${messageOf(error)}.`,
      {
        facts: { database: location.database, backup: wanted },
        next: `Let an administrator GRANT CREATE, DROP, SELECT, INSERT ON ${connection.escapeId(wanted)}.* to the user, or make a copy of your own and add --skip-backup; nothing has changed.`,
        cause: error,
      },
    )
  }
}

async function copy(connection: Connection, table: string, backup: string): Promise<void> {
  await connection.query('INSERT INTO ??.?? SELECT * FROM ??', [backup, table, table])
  const [[counts]] = await connection.query<RowDataPacket[]>(
    'SELECT (SELECT COUNT(*) FROM ??) AS here, (SELECT COUNT(*) FROM ??.??) AS copied',
    [table, backup, table],
  )
  if (counts!['here'] !== counts!['copied'])
    throw new Error(`${table} has ${counts!['here']} rows, and its copy ${counts!['copied']}`)
}

/** A database without tables: a new one, or one that has only empty tables of ML Metadata, which a killed process left. */
async function emptyDatabase(connection: Connection, wanted: string): Promise<string> {
  const [charset] = await column<string>(connection, 'SELECT @@character_set_database AS value')
  const [collation] = await column<string>(connection, 'SELECT @@collation_database AS value')
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}_${number}`
    const there = await column(connection, 'SELECT 1 AS value FROM information_schema.schemata WHERE schema_name = ?', [
      name,
    ])
    if (there.length === 0) {
      // Character sets and collations are words that the server gave.
      await connection.query(`CREATE DATABASE ?? CHARACTER SET ${charset} COLLATE ${collation}`, [name])
      return name
    }
    const tables = await column<string>(
      connection,
      'SELECT table_name AS value FROM information_schema.tables WHERE table_schema = ?',
      [name],
    )
    if (!(await isLeftOver(connection, name, tables))) continue
    for (const table of tables) await connection.query('DROP TABLE ??.??', [name, table])
    return name
  }
}

async function isLeftOver(connection: Connection, name: string, tables: readonly string[]): Promise<boolean> {
  const ours = schemaTables.map((table) => table.toLowerCase())
  for (const table of tables) {
    if (!ours.includes(table.toLowerCase())) return false
    if ((await column(connection, 'SELECT 1 AS value FROM ??.?? LIMIT 1', [name, table])).length > 0) return false
  }
  return true
}
