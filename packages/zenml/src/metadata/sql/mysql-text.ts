import type { FieldPacket, TypedParameter } from 'mysql2/promise'
import type { ServerSession } from './server-session.ts'
import type { Insert, Query, Row, SqlValue } from './work.ts'

/** An INSERT in the words of MySQL 5.6. A row that is there is left alone by setting a column to itself: INSERT IGNORE hides other errors. */
export function insertText({ table, columns, rows, onConflict = 'fail' }: Insert): string {
  const row = `(${columns.map(() => '?').join(', ')})`
  const conflict =
    onConflict === 'fail'
      ? ''
      : ` ON DUPLICATE KEY UPDATE ${
          onConflict === 'ignore'
            ? `${columns[0]} = ${table}.${columns[0]}`
            : onConflict.update.map((column) => `${column} = VALUES(${column})`).join(', ')
        }`
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => row).join(', ')}${conflict}`
}

/** A statement whose `CROSS JOIN` says in which order tables are read, as it does to SQLite; MySQL has words of its own for that. */
export function inOrder(text: string): string {
  return text.replaceAll(' CROSS JOIN ', ' STRAIGHT_JOIN ')
}

/** A value with its type: numbers without one are sent as floating ones. */
export function parameter(value: SqlValue, types: TypedParameter): unknown {
  if (typeof value === 'boolean') return types.TINY(value ? 1 : 0)
  if (typeof value === 'bigint') return types.BIGINT(value)
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? types.BIGINT(value) : types.DOUBLE(value)
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

/** What mysql2 says about a changing statement. */
interface Changed {
  readonly affectedRows: number
  readonly insertId: number
}

/** LONGLONG, DECIMAL and NEWDECIMAL of the protocol: what comes as a text where a number is not exact. */
const wholeTypes = [8, 0, 246]

/** The answer of a statement; `step` is how far apart the ids of one statement are. */
export function answerOf(
  statement: Query | Insert,
  result: unknown,
  fields: readonly FieldPacket[] | undefined,
  step: number,
): Awaited<ReturnType<ServerSession['run']>> {
  if (Array.isArray(result)) return { rows: narrowed(result as Row[], fields ?? []), ids: [], changes: 0 }
  const { affectedRows, insertId } = result as Changed
  if (!('table' in statement)) return { rows: [], ids: [], changes: affectedRows }
  const { rows, ids = false, onConflict = 'fail' } = statement
  // An overwritten row counts twice.
  const changes = Math.min(affectedRows, rows.length)
  return {
    rows: [],
    // A statement that says all its rows gets ids in one piece, in every lock mode of InnoDB.
    ids: ids ? rows.map((_row, index) => insertId + index * step) : [],
    changes,
    // A table without ids of its own may count its rows in a column that the server added.
    ...(ids && insertId > 0 && onConflict === 'fail' ? { first: insertId } : {}),
  }
}

function narrowed(rows: Row[], fields: readonly FieldPacket[]): Row[] {
  const wide = fields.filter(({ columnType }) => wholeTypes.includes(columnType ?? -1)).map(({ name }) => name)
  if (wide.length === 0) return rows
  for (const row of rows as { [column: string]: Row[string] }[]) {
    for (const column of wide) {
      const value = row[column]
      if (typeof value === 'string') row[column] = wholeOf(value)
    }
  }
  return rows
}

/** A number as exact as it can be: whole ones beyond 2^53 as a bigint. */
export function wholeOf(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text)
}
