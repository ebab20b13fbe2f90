import type { QueryResult } from 'pg'
import { wholeOf } from './mysql-text.ts'
import type { Answer, Insert, Query, Row, SqlValue } from './work.ts'

/** An INSERT in the words of PostgreSQL, with `?` for values. */
export function insertText({ table, columns, rows, onConflict = 'fail', ids = false }: Insert): string {
  const row = `(${columns.map(() => '?').join(', ')})`
  const conflict =
    onConflict === 'fail'
      ? ''
      : onConflict === 'ignore'
        ? ' ON CONFLICT DO NOTHING'
        : ` ON CONFLICT (${onConflict.keys.join(', ')}) DO UPDATE SET ${onConflict.update.map((column) => `${column} = excluded.${column}`).join(', ')}`
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => row).join(', ')}${conflict}${ids ? ' RETURNING id' : ''}`
}

const mostNumbered = 1_000
const known = new Map<string, string>()

/** A comparison that the index of texts can answer, which has their first 255 characters. */
const equalText = /\b((?:\w+\.)?string_value) = (\$\d+)/g

/**
 * A statement with `$1`, `$2` … for each `?` that is in no text and no quoted name. Where a text of a property is compared, so are
 * its first 255 characters: no index has the whole text.
 */
export function numbered(text: string): string {
  let result = known.get(text)
  if (result === undefined) {
    let count = 0
    result = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g, (part) => (part === '?' ? `$${++count}` : part))
    // What a statement sets is no comparison.
    const from = result.startsWith('UPDATE') ? result.search(/ WHERE /) : 0
    if (from >= 0)
      result =
        result.slice(0, from) + result.slice(from).replace(equalText, '($1 = $2 AND left($1, 255) = left($2, 255))')
    if (known.size >= mostNumbered) known.clear()
    known.set(text, result)
  }
  return result
}

/** The text with a type for each whole number that needs more than the 32 bits of the columns that it may be compared with. */
export function widened(text: string, values: readonly SqlValue[]): string {
  if (!values.some(isWide)) return text
  return text.replace(/\$(\d+)/g, (part, number) =>
    isWide(values[Number(number) - 1]!) ? `CAST(${part} AS BIGINT)` : part,
  )
}

function isWide(value: SqlValue): boolean {
  if (typeof value === 'bigint') return BigInt.asIntN(32, value) !== value
  return typeof value === 'number' && Number.isSafeInteger(value) && (value | 0) !== value
}

/** Values go as texts, whose type the server takes from the column. */
export function parameter(value: SqlValue): unknown {
  if (typeof value === 'bigint') return value.toString()
  // Its text in JavaScript has no sign.
  if (Object.is(value, -0)) return '-0'
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

/** How texts of the server become values, by the numbers of their types (pg_type.dat). */
export function parsers(oid: number): (text: string) => Row[string] {
  switch (oid) {
    case 16:
      return (text) => (text === 't' ? 1 : 0)
    case 17:
      return (text) => Buffer.from(text.slice(2), 'hex')
    case 20:
    case 1700:
      return wholeOf
    case 21:
    case 23:
    case 26:
    case 700:
    case 701:
      return Number
    default:
      return (text) => text
  }
}

/** The answer of a statement. */
export function answerOf(
  statement: Query | Insert,
  { rows, rowCount, command }: QueryResult,
): Answer & { first?: number } {
  if (!('table' in statement))
    return { rows: rows as Row[], ids: [], changes: command === 'SELECT' ? 0 : (rowCount ?? 0) }
  const ids = (rows as { id: number }[]).map(({ id }) => id)
  return { rows: [], ids, changes: rowCount ?? 0, ...(ids[0] === undefined ? {} : { first: ids[0] }) }
}
