import type { Database } from 'better-sqlite3'
import { systemCode, ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { placeOf, type SqliteDatasource } from '../model/datasource-spec.ts'
import { type ConnectOptions, type RowConnector, type RowReading, sourceFailure } from './connector.ts'
import { microsecondsOf } from './iso-time.ts'
import { resolveFile } from './resolve-source.ts'
import { RowBatches, type RowValue } from './row-batches.ts'
import { noPrimaryKey, quotedName, versionText, withoutEnd } from './sql-text.ts'

/**
 * Reads a table or query of a SQLite database, read-only and in one transaction, so that writers beside it change nothing of what is read.
 *
 * A column's declared type gives its kind; where it says nothing (expressions, `ANY`), its values do. Integers are 64 bits; columns that
 * are declared as dates and times hold texts of ISO 8601, which become microseconds, or integers, which stay as they are.
 */
export const sqliteConnector: RowConnector<SqliteDatasource> = {
  kind: 'rows',
  async version(options) {
    const { versionColumn } = options.spec
    if (versionColumn === undefined) return undefined
    const database = await open(options)
    try {
      const from = sourceOf(options.spec)
      const columns = describe(database, options.spec)
      const [largest, rows] = database
        .prepare(`SELECT max(${quotedName(versionColumn)}), count(*) FROM ${from}`)
        .raw()
        .safeIntegers()
        .get() as [unknown, bigint]
      return versionText(versionColumn, largest, rows, columns)
    } catch (error) {
      throw failure(options.spec, error, false)
    } finally {
      database.close()
    }
  },
  async read(options) {
    const database = await open(options)
    try {
      return startReading(database, options)
    } catch (error) {
      database.close()
      throw failure(options.spec, error, false)
    }
  },
}

function startReading(
  database: Database,
  { spec, signal, batchSize }: ConnectOptions<SqliteDatasource> & { readonly batchSize?: number },
): RowReading {
  database.exec('BEGIN')
  const from = sourceOf(spec)
  const described = describe(database, spec)
  const key = spec.key ?? primaryKey(database, spec)
  const kinds = kindsOf(database, from, described)
  const columns = described.map(({ name, isTime }, index) => ({ name, kind: kinds[index]!, isTime }))
  const batches = new RowBatches(spec, columns, key, batchSize)
  const order = key.map((name) => `${quotedName(name)} COLLATE BINARY`).join(', ')
  const isUtf8 = database.pragma('encoding', { simple: true }) === 'UTF-8'
  let rows: IterableIterator<RowValue[]>
  /** From a row on. Exact rows have integers of 64 bits and texts as they are stored; they take several times as long. */
  const start = (exact: boolean, skipped: number): void => {
    const selected = columns.map(({ name, kind, isTime }) => {
      const column = quotedName(name)
      // Bytes as they are stored: a text that is no valid UTF-8 would not come back from a JavaScript string.
      return exact && kind === 'bytes' && isUtf8 && !isTime
        ? `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ELSE ${column} END`
        : column
    })
    rows = database
      .prepare(`SELECT ${selected.join(', ')} FROM ${from} ORDER BY ${order} LIMIT -1 OFFSET ?`)
      .raw()
      .safeIntegers(exact)
      .iterate(skipped) as IterableIterator<RowValue[]>
  }
  start(false, 0)
  const isFaithful = faithful(columns)
  const times = columns.flatMap(({ isTime }, index) =>
    isTime ? [new TimeColumn(spec, columns[index]!.name, index)] : [],
  )
  async function* read(): AsyncGenerator<ExampleBatch> {
    try {
      let count = 0
      for (let exact = false; ; exact = true) {
        let isDone = true
        for (const row of rows) {
          if (!exact && !isFaithful(row)) {
            isDone = false
            break
          }
          count++
          for (const time of times) row[time.index] = time.convert(row[time.index]!, count)
          const full = batches.add(row)
          if (full === undefined) continue
          signal?.throwIfAborted()
          yield full
        }
        if (isDone) break
        // The same statement gives the same order; the rows before were exact as they were.
        start(true, count)
      }
      const rest = batches.rest()
      if (rest !== undefined) yield rest
    } catch (error) {
      throw signal?.aborted === true ? error : failure(spec, error, true)
    }
  }
  return {
    kinds: batches.kinds,
    batches: read(),
    async [Symbol.asyncDispose]() {
      rows.return?.()
      database.close()
    },
  }
}

/**
 * Whether a row came as it is stored: no number where a whole one may have been rounded, no text where bytes that are no UTF-8 may have
 * been replaced.
 */
function faithful(
  columns: readonly { readonly kind: FeatureKind; readonly isTime: boolean }[],
): (row: readonly RowValue[]) => boolean {
  const ints = columns.flatMap(({ kind }, index) => (kind === 'int' ? [index] : []))
  const texts = columns.flatMap(({ kind, isTime }, index) => (kind === 'bytes' && !isTime ? [index] : []))
  return (row) => {
    for (const index of ints) {
      const value = row[index]
      if (typeof value === 'number' && !Number.isSafeInteger(value)) return false
    }
    for (const index of texts) {
      const value = row[index]
      if (typeof value === 'number' || (typeof value === 'string' && value.includes('\ufffd'))) return false
    }
    return true
  }
}

/** A column that is declared as dates or times: its texts become microseconds, its integers stay; not both. */
class TimeColumn {
  readonly index: number
  private readonly spec: SqliteDatasource
  private readonly name: string
  private holds: 'texts' | 'integers' | undefined

  constructor(spec: SqliteDatasource, name: string, index: number) {
    this.spec = spec
    this.name = name
    this.index = index
  }

  convert(value: RowValue, row: number): RowValue {
    if (value === null) return null
    const holds = typeof value === 'string' ? 'texts' : isWhole(value) ? 'integers' : undefined
    this.holds ??= holds
    const result = typeof value === 'string' ? microsecondsOf(value) : value
    if (holds !== undefined && holds === this.holds && result !== undefined) return result
    const what =
      value instanceof Uint8Array ? 'a blob' : typeof value === 'string' ? JSON.stringify(value) : String(value)
    throw new ZenmlError(
      'ZEN_SOURCE_VALUE',
      `${placeOf(this.spec)}: row ${row}: ${what} is no ${this.holds === 'integers' ? 'integer, as above in' : 'date or time of ISO 8601 in'} the column "${this.name}".`,
      {
        facts: { row, feature: this.name },
        next: 'Mend the value, or bring the column into form in a query.',
        exitCode: 1,
      },
    )
  }
}

/** Numbers are 64-bit integers or, where they are small enough, doubles. */
function isWhole(value: RowValue): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

interface DescribedColumn {
  readonly name: string
  /** As declared, in upper case; empty where nothing is. */
  readonly type: string
  readonly isTime: boolean
}

async function open({ spec, places }: ConnectOptions<SqliteDatasource>): Promise<Database> {
  const path = await resolveFile(spec.path, places)
  const { default: Sqlite } = await import('better-sqlite3')
  try {
    const database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 10_000 })
    database.pragma('query_only = ON')
    return database
  } catch (error) {
    throw failure(spec, error, false)
  }
}

function sourceOf({ table, query }: SqliteDatasource): string {
  // A line of its own: the query may end with a comment.
  return table === undefined ? `(${withoutEnd(query!)}\n)` : quotedName(table)
}

/** As the query itself names them: around it, SQLite would name the second of two alike otherwise. */
function describe(database: Database, spec: SqliteDatasource): DescribedColumn[] {
  return database
    .prepare(spec.query ?? `SELECT * FROM ${sourceOf(spec)}`)
    .columns()
    .map(({ name, type }) => {
      const declared = (type ?? '').toUpperCase()
      return { name, type: declared, isTime: /^(DATE|DATETIME|TIMESTAMP|TIMESTAMPTZ|TIME)\b/.test(declared) }
    })
}

function primaryKey(database: Database, spec: SqliteDatasource): readonly string[] {
  const rows = database.prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk').all(spec.table)
  if (rows.length > 0) return (rows as { name: string }[]).map(({ name }) => name)
  throw noPrimaryKey(spec)
}

/** By what is declared (section 3.1 of SQLite's "Datatypes"), else by what is there. */
function kindsOf(database: Database, from: string, columns: readonly DescribedColumn[]): FeatureKind[] {
  const declared = columns.map(({ type, isTime }): FeatureKind | undefined => {
    if (isTime || /INT|^BOOL/.test(type)) return 'int'
    if (/CHAR|CLOB|TEXT|BLOB/.test(type)) return 'bytes'
    return /REAL|FLOA|DOUB|^(DECIMAL|NUMERIC|NUMBER)\b/.test(type) ? 'float' : undefined
  })
  const open = columns.filter((_column, index) => declared[index] === undefined)
  if (open.length === 0) return declared as FeatureKind[]
  const looks = open.flatMap(({ name }) =>
    ["IN ('text', 'blob')", "= 'real'", "= 'integer'"].map((what) => `max(typeof(${quotedName(name)}) ${what})`),
  )
  const found = database
    .prepare(`SELECT ${looks.join(', ')} FROM ${from}`)
    .raw()
    .get() as (number | null)[]
  const kinds = open.map((_column, index): FeatureKind => {
    const [bytes, real, integer] = found.slice(index * 3, index * 3 + 3)
    return bytes === 1 ? 'bytes' : real === 1 ? 'float' : integer === 1 ? 'int' : 'bytes'
  })
  return declared.map((kind) => kind ?? kinds.shift()!)
}

function failure(spec: SqliteDatasource, error: unknown, isReading: boolean): unknown {
  if (error instanceof ZenmlError) return error
  const code = systemCode(error) ?? ''
  if (!code.startsWith('SQLITE_')) return isReading ? error : sourceFailure('ZEN_SOURCE_QUERY', spec, error)
  if (/^SQLITE_(BUSY|LOCKED|CANTOPEN)/.test(code)) return sourceFailure('ZEN_SOURCE_CONNECT', spec, error)
  if (/^SQLITE_(PERM|AUTH|READONLY)/.test(code)) return sourceFailure('ZEN_SOURCE_DENIED', spec, error)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return sourceFailure('ZEN_SOURCE_READ', spec, error)
  return sourceFailure(isReading ? 'ZEN_SOURCE_LOST' : 'ZEN_SOURCE_QUERY', spec, error)
}
