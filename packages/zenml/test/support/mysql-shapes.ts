import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaTables } from '../../src/metadata/schema-check.ts'
import { administer, type FreshDatabase } from './databases.ts'
import { samples } from './samples.ts'

/** The tables as the server shows them, columns in their order and keys in any: that of keys says only which was added first. */
function shape(text: string): readonly string[] {
  const lines = text
    .replace(/ AUTO_INCREMENT=\d+/, '')
    .split('\n')
    .map((line) => line.trim().replace(/,$/, ''))
  const isKey = (line: string): boolean => /^(PRIMARY |UNIQUE )?KEY /.test(line)
  return [...lines.filter((line) => !isKey(line)), ...lines.filter(isKey).sort()]
}

/** The tables of a new database of Google's library on MariaDB. */
export const goldenShapes = (): object =>
  Object.fromEntries(
    [
      ...readFileSync(join(samples, 'golden_v10_mariadb_utf8mb4.sql'), 'utf8').matchAll(
        /^(CREATE TABLE `(\w+)` [^;]*);/gm,
      ),
    ].map(([, text, table]) => [table!, shape(text!)]),
  )

/** All tables of a database. */
export async function shapesOf(database: FreshDatabase): Promise<object> {
  const names = (await database.sql('SHOW TABLES')).map((row) => Object.values(row)[0] as string)
  const shapes: { [table: string]: readonly string[] } = {}
  for (const name of names) shapes[name] = shape((await database.sql(`SHOW CREATE TABLE ${name}`))[0]['Create Table'])
  return shapes
}

/** All rows by table, with the columns that version 5 has. */
export async function rowsOf(
  { location }: FreshDatabase,
  name: string = location.database,
): Promise<{ [table: string]: string[] }> {
  const rows: { [table: string]: string[] } = {}
  const columns = await administer(
    location,
    undefined,
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position`,
    [name],
  )
  const known = (c: string): boolean => !/^(external_id|version|description|byte_value|proto_value|bool_value)$/.test(c)
  for (const table of schemaTables.filter((one) => one !== 'MLMDEnv' && !one.startsWith('Parent'))) {
    const list = columns.filter(({ t, c }) => t === table && known(c)).map(({ c }) => c as string)
    const found = await administer(location, undefined, 'SELECT ?? FROM ??.?? ORDER BY ??', [list, name, table, list])
    rows[table] = found.map((row) => JSON.stringify(row))
  }
  return rows
}
