import type { Query, Work } from '../sql/work.ts'
import { selectOne } from '../sql/work.ts'

/** The kinds of databases that older schema versions are on: Google's library knows PostgreSQL only since version 10. */
export type UpgradableType = 'sqlite' | 'mysql'

/** What shows that a change has been made: something is there, or is gone. */
export type Mark =
  | { readonly table: string }
  | { readonly table: string; readonly column: string }
  | { readonly table: string; readonly index: string | { readonly sqlite: string; readonly mysql: string } }
  | { readonly table: string; readonly noIndex: string }

/**
 * A change of the schema. Where it was made already nothing is done, so that an upgrade which ended in the middle goes on: MySQL
 * commits every change of a table by itself. The last statement makes the mark; those before it may run again.
 */
export interface Change {
  readonly mark: Mark
  readonly sqlite: readonly string[]
  readonly mysql: readonly string[]
}

/** Whether a change has been made. */
export function* isMade(type: UpgradableType, mark: Mark): Work<boolean> {
  const { text, values } = (type === 'sqlite' ? sqliteQuestion : mysqlQuestion)(mark)
  const found = (yield* selectOne(text, values)) !== undefined
  return 'noIndex' in mark ? !found : found
}

function sqliteQuestion(mark: Mark): Query {
  if ('column' in mark)
    return { text: 'SELECT 1 AS found FROM pragma_table_info(?) WHERE name = ?', values: [mark.table, mark.column] }
  const name = indexOf('sqlite', mark) ?? mark.table
  return {
    text: 'SELECT 1 AS found FROM sqlite_master WHERE type = ? AND tbl_name = ? AND name = ?',
    values: [name === mark.table ? 'table' : 'index', mark.table, name],
  }
}

function mysqlQuestion(mark: Mark): Query {
  const here = 'table_schema = DATABASE() AND table_name = ?'
  if ('column' in mark)
    return {
      text: `SELECT 1 AS found FROM information_schema.columns WHERE ${here} AND column_name = ? LIMIT 1`,
      values: [mark.table, mark.column],
    }
  const index = indexOf('mysql', mark)
  if (index !== undefined)
    return {
      text: `SELECT 1 AS found FROM information_schema.statistics WHERE ${here} AND index_name = ? LIMIT 1`,
      values: [mark.table, index],
    }
  return { text: `SELECT 1 AS found FROM information_schema.tables WHERE ${here} LIMIT 1`, values: [mark.table] }
}

function indexOf(type: UpgradableType, mark: Mark): string | undefined {
  if ('noIndex' in mark) return mark.noIndex
  if (!('index' in mark)) return undefined
  return typeof mark.index === 'string' ? mark.index : mark.index[type]
}
