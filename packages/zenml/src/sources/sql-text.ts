import { digestOf } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { type DatasourceSpec, placeOf, type SqlDatasource } from '../model/datasource-spec.ts'

/** The table or query as what one selects from; `quoted` quotes one name. */
export function sourceText({ table, query }: SqlDatasource, quoted: (name: string) => string): string {
  // A line of its own: the query may end with a comment.
  return table === undefined ? `(${withoutEnd(query!)}\n) AS source` : table.split('.').map(quoted).join('.')
}

/** A query without the semicolon at its end. */
export function withoutEnd(query: string): string {
  return query.replace(/;\s*$/, '')
}

/** A name as standard SQL quotes it. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A table without a primary key. */
export function noPrimaryKey(spec: DatasourceSpec): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_KEY',
    `${placeOf(spec)} has no primary key, so its rows have no order that stays.`,
    {
      next: 'Add key: columns that no two rows share.',
    },
  )
}

/** The version of rows by a column that grows with every change, their number, and the columns with their types. */
export function versionText(
  column: string,
  largest: unknown,
  rows: unknown,
  columns: readonly { readonly name: string; readonly type: string }[],
): string {
  const text = largest instanceof Uint8Array ? Buffer.from(largest).toString('hex') : String(largest)
  const digest = digestOf(columns.map(({ name, type }) => [name, type]))
  return `${column} ${text}, ${String(rows)} rows, columns ${digest.slice(7, 19)}`
}

/** A column of a type that no feature holds. */
export function unsupportedType(spec: DatasourceSpec, column: string, type: string): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_COLUMNS',
    `${placeOf(spec)}: the column "${column}" is ${type}, which a feature cannot hold.`,
    { facts: { column, type }, next: 'Leave it out, or bring it into form in a query (CAST).', exitCode: 1 },
  )
}
