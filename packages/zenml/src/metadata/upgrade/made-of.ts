import { schemaStatements } from '../schema-10.ts'
import type { Change } from './change.ts'

/** A table that a version brings, in the shape that it has kept. */
export function newTable(table: string): Change {
  const text = tableText(table)
  return { mark: { table }, sqlite: [text], mysql: [text] }
}

/** An index that a version brings. */
export function newIndex(index: string): Change {
  const sqlite = schemaStatements.find((one) => one.startsWith(`CREATE INDEX \`${index}\` `))!
  const [, table, columns] = /ON `(\w+)`\(([^)]*)\)/.exec(sqlite)! as unknown as [string, string, string]
  // MySQL has no indexes of whole texts, nor partial ones.
  const listed = columns.replace(/`(uri|string_value)`/g, '`$1`(255)')
  return {
    mark: { table, index },
    sqlite: [sqlite],
    mysql: [`ALTER TABLE \`${table}\` ADD INDEX \`${index}\` (${listed})`],
  }
}

/** Columns that a version brings, as `name TYPE` for each kind of database; on MySQL by one statement. */
export function newColumns(
  table: string,
  sqlite: readonly string[],
  mysql: readonly string[] = sqlite,
  also: readonly string[] = [],
): Change {
  const added = mysql.map((column) => `ADD COLUMN ${column}`)
  return {
    mark: { table, column: sqlite.at(-1)!.split(' ')[0]! },
    sqlite: sqlite.map((column) => `ALTER TABLE \`${table}\` ADD COLUMN ${column}`),
    mysql: [`ALTER TABLE \`${table}\` ${[...also, ...added].join(', ')}`],
  }
}

/**
 * Statements that put a table of SQLite into the shape of schema version 10, which ALTER TABLE cannot: a new one takes the rows. Ids
 * that were given once are not given again, even where their rows are gone. The indexes of the table go with the old one.
 */
export function reshaped(table: string, columns: readonly string[], where = ''): readonly string[] {
  const list = columns.map((column) => `\`${column}\``).join(', ')
  const old = `${table}BeforeUpgrade`
  return [
    `ALTER TABLE \`${table}\` RENAME TO \`${old}\``,
    tableText(table),
    `INSERT INTO \`${table}\` (${list}) SELECT ${list} FROM \`${old}\`${where} ORDER BY \`id\``,
    `DELETE FROM sqlite_sequence WHERE name = '${table}'`,
    `UPDATE sqlite_sequence SET name = '${table}' WHERE name = '${old}'`,
    `DROP TABLE \`${old}\``,
  ]
}

function tableText(table: string): string {
  return schemaStatements.find((one) => one.startsWith(`CREATE TABLE \`${table}\` `))!
}
