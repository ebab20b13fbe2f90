import { ZenmlError } from '../base/errors.ts'
import { schemaStatements, schemaVersion } from './schema-10.ts'

/** The tables of ML Metadata in the order in which they are made. */
export const schemaTables: readonly string[] = schemaStatements.flatMap(
  (statement) => /^CREATE TABLE `(\w+)`/.exec(statement)?.[1] ?? [],
)

/** The columns of each table, in the order in which they are made. */
export const schemaColumns: ReadonlyMap<string, readonly string[]> = new Map(
  schemaStatements.flatMap((statement) => {
    const table = /^CREATE TABLE `(\w+)` \(/.exec(statement)
    if (table === null) return []
    const columns = [...statement.slice(table[0].length).matchAll(/(?:^|,) {4}`(\w+)` /g)]
    return [[table[1]!, columns.map(([, column]) => column!)] as const]
  }),
)

/** What is found in a database before it is used. */
export interface SchemaFacts {
  /** The names of its tables, as `schemaTables` spells them, with the names of their columns; other tables may be among them. */
  readonly columns: ReadonlyMap<string, readonly string[]>
  /** What MLMDEnv holds; asked only where that is among the tables. */
  readonly versions: readonly number[]
}

/**
 * Whether a database is empty or has the whole schema. Columns beyond it are left alone, as Google's library does: servers may add
 * some by themselves (MySQL its `my_row_id`, where `sql_generate_invisible_primary_key` is on). `place` says in an error where it is, and `older` what to do with one of an
 * earlier version.
 *
 * Throws `ZEN_METADATA_NEWER` and `ZEN_METADATA_OLDER` for other schema versions, `ZEN_METADATA_DAMAGED` where tables or
 * columns are missing.
 */
export function checkSchema(place: string, { columns, versions }: SchemaFacts, older: string): 'empty' | 'whole' {
  if (columns.size === 0) return 'empty'
  const missing = schemaTables.filter((table) => !columns.has(table))
  if (missing.includes('MLMDEnv')) throw damaged(place, `it has tables, but not ${missing.join(', ')}`)
  const [found] = versions
  if (versions.length !== 1 || found === undefined)
    throw damaged(place, `MLMDEnv has ${versions.length} rows instead of 1`)
  if (found > schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_NEWER',
      `${place} has ML Metadata schema version ${found}; this zenml knows ${schemaVersion}.`,
      { next: 'Use a newer zenml.' },
    )
  }
  if (found < schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_OLDER',
      `${place} has ML Metadata schema version ${found}; this zenml needs ${schemaVersion}.`,
      { next: older },
    )
  }
  if (missing.length > 0) throw damaged(place, `it lacks the tables ${missing.join(', ')}`)
  for (const [table, wanted] of schemaColumns) {
    const own = columns.get(table)!
    const lacking = wanted.filter((column) => !own.includes(column))
    if (lacking.length > 0) throw damaged(place, `its table ${table} lacks the columns ${lacking.join(', ')}`)
  }
  return 'whole'
}

/** The columns of tables from rows of a catalogue; a server may give the names in lower case. */
export function columnsByTable(
  rows: readonly { readonly table: string; readonly column: string }[],
): SchemaFacts['columns'] {
  const spelled = new Map(schemaTables.map((table) => [table.toLowerCase(), table]))
  const found = new Map<string, string[]>()
  for (const { table, column } of rows) {
    const name = spelled.get(table.toLowerCase())
    if (name === undefined) continue
    const columns = found.get(name) ?? []
    found.set(name, columns)
    columns.push(column.toLowerCase())
  }
  return found
}

function damaged(place: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_METADATA_DAMAGED', `${place} is no whole ML Metadata database: ${what}.`, {
    next: 'Restore it from a backup.',
  })
}
