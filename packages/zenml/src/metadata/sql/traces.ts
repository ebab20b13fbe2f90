import type { ServerDialect, ServerSession } from './server-session.ts'
import type { Insert, Query, SqlValue } from './work.ts'

/** A row that a transaction inserted, to be looked for where nobody knows whether the transaction took effect. */
export interface Trace {
  readonly table: string
  readonly columns: readonly string[]
  readonly values: readonly SqlValue[]
}

/** So many rows are enough to know a transaction by. */
const mostTraces = 32
/** Longer values are not compared. */
const longest = 1_000

/** Notes what a statement did: the first row of an insert, which was not there before, or a change to rows that were noted. */
export function trace(traces: Trace[], statement: Query | Insert, id?: number): void {
  if (!('table' in statement)) {
    const [, verb, table] = /^\s*(UPDATE|DELETE\s+FROM)\s+(\w+)/i.exec(statement.text) ?? []
    if (table !== undefined) forget(traces, table, verb!.toUpperCase() === 'UPDATE')
    return
  }
  const { table, columns, rows, onConflict = 'fail' } = statement
  if (typeof onConflict === 'object') forget(traces, table, true)
  if (onConflict !== 'fail' || traces.length >= mostTraces) return
  const known = columns
    .map((column, index) => [column, rows[0]![index]!] as const)
    .filter(([, value]) => !(typeof value === 'string' || value instanceof Uint8Array) || value.length <= longest)
  if (id !== undefined && !columns.includes('id')) known.push(['id', id])
  traces.push({ table, columns: known.map(([column]) => column), values: known.map(([, value]) => value) })
}

/** Values that may have changed since are no traces; ids stay, unless the row may be gone. */
function forget(traces: Trace[], table: string, keepIds: boolean): void {
  for (const [index, { table: other, columns, values }] of [...traces.entries()].reverse()) {
    if (other.toLowerCase() !== table.toLowerCase()) continue
    const at = keepIds ? columns.indexOf('id') : -1
    if (at < 0) traces.splice(index, 1)
    else traces[index] = { table: other, columns: ['id'], values: [values[at]!] }
  }
}

/**
 * Whether the rows are there. Nobody else has rows with the same ids and values, unless the very same request was made a
 * second time in the moment between; rows that are all there stand for the transaction.
 */
export async function rowsAreThere<S extends ServerSession>(
  dialect: ServerDialect<S>,
  session: S,
  traces: readonly Trace[],
): Promise<boolean> {
  for (const { table, columns, values } of traces) {
    const text = `SELECT 1 AS found FROM ${table} WHERE ${columns.map((column) => dialect.same(column)).join(' AND ')} LIMIT 1`
    if ((await session.run({ text, values })).rows.length === 0) return false
  }
  return true
}
