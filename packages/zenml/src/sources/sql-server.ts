import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { placeOf, type ServerDatasource } from '../model/datasource-spec.ts'
import type { ConnectOptions, RowConnector, RowReading } from './connector.ts'
import { RowBatches, type RowCell, type RowValue } from './row-batches.ts'
import { noPrimaryKey, versionText } from './sql-text.ts'

/** A value as a server sends it. */
export type RawValue = string | Uint8Array | null

/** A column of a server's table or query. */
export interface ServerColumn {
  readonly name: string
  /** Its type as the server calls it. */
  readonly type: string
  readonly kind: FeatureKind
  /** What is selected. */
  readonly sql: string
  /** What rows are ordered by where the column is of the key: of texts their bytes, whatever their collation. */
  readonly order: string
  /** Undefined for a value that no feature holds. */
  readonly convert: (raw: Exclude<RawValue, null>) => RowCell | undefined
}

/** A connection in the one transaction of its life: read-only, and of one state of the database. */
export interface ServerSession {
  readonly columns: readonly ServerColumn[]
  /** What is selected from. */
  readonly from: string
  /** Longest value of a key that the server orders by all its bytes. Default none. */
  readonly longestKey?: number
  quoted(name: string): string
  /** The columns of the table's primary key in their order. */
  primaryKey(): Promise<readonly string[]>
  /** The only row of a statement. */
  one(text: string): Promise<readonly RawValue[]>
  /** The rows of a statement, some at a time; no more are asked for than are taken. */
  rows(text: string): AsyncIterable<readonly (readonly RawValue[])[]>
  /** An error of the driver in words that do not depend on the server. */
  failure(error: unknown, isReading: boolean): unknown
  /** Ends the connection at once, whatever it does; whoever waits for an answer is told. The signal does the same. */
  destroy(): void
}

/** The connector of a kind of server, by how a session is opened. */
export function serverConnector(
  open: (options: ConnectOptions<ServerDatasource>) => Promise<ServerSession>,
): RowConnector<ServerDatasource> {
  return {
    kind: 'rows',
    async version(options) {
      const { versionColumn } = options.spec
      if (versionColumn === undefined) return undefined
      const session = await open(options)
      try {
        // As it is read: of itself a float of MySQL comes with six digits, and a small change would not be seen.
        const column = session.columns.find(({ name }) => name === versionColumn)?.sql ?? session.quoted(versionColumn)
        const [largest, rows] = await session.one(`SELECT max(${column}), count(*) FROM ${session.from}`)
        return versionText(versionColumn, textOf(largest!), textOf(rows!), session.columns)
      } catch (error) {
        throw options.signal?.aborted === true ? options.signal.reason : session.failure(error, false)
      } finally {
        session.destroy()
      }
    },
    async read(options) {
      const session = await open(options)
      try {
        return await startReading(session, options)
      } catch (error) {
        session.destroy()
        throw options.signal?.aborted === true ? options.signal.reason : session.failure(error, false)
      }
    },
  }
}

async function startReading(
  session: ServerSession,
  { spec, signal, batchSize }: ConnectOptions<ServerDatasource> & { readonly batchSize?: number },
): Promise<RowReading> {
  const { columns, from, longestKey = Number.POSITIVE_INFINITY } = session
  const key = spec.key ?? (await session.primaryKey())
  if (key.length === 0) throw noPrimaryKey(spec)
  const batches = new RowBatches(spec, columns, key, batchSize)
  const keys = key.map((name) => columns.findIndex((column) => column.name === name))
  const order = keys.map((index) => columns[index]!.order).join(', ')
  const text = `SELECT ${columns.map(({ sql }) => sql).join(', ')} FROM ${from} ORDER BY ${order}`
  let count = 0
  const converted = (raw: readonly RawValue[]): RowCell[] => {
    count++
    for (const index of keys)
      if ((raw[index]?.length ?? 0) > longestKey) throw refused(spec, count, columns[index]!, 'too long for a key')
    const row = new Array<RowCell>(columns.length)
    for (let index = 0; index < columns.length; index++) {
      const value = raw[index]!
      const cell = value === null ? null : columns[index]!.convert(value)
      if (cell === undefined) throw refused(spec, count, columns[index]!, `${shown(value!)}, which no feature holds`)
      row[index] = cell
    }
    return row
  }
  async function* read(): AsyncGenerator<ExampleBatch> {
    try {
      for await (const some of session.rows(text)) {
        for (const raw of some) {
          const full = batches.add(converted(raw))
          if (full !== undefined) yield full
        }
        signal?.throwIfAborted()
      }
      const rest = batches.rest()
      if (rest !== undefined) yield rest
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : session.failure(error, true)
    }
  }
  return {
    kinds: batches.kinds,
    batches: read(),
    async [Symbol.asyncDispose]() {
      session.destroy()
    },
  }
}

function refused(spec: ServerDatasource, row: number, { name, type }: ServerColumn, what: string): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_VALUE',
    `${placeOf(spec)}: row ${row}: the column "${name}" (${type}) is ${what}.`,
    {
      facts: { row, feature: name },
      next: 'Mend the value, or bring the column into form in a query (CAST).',
      exitCode: 1,
    },
  )
}

function shown(raw: Exclude<RawValue, null>): string {
  return JSON.stringify(textOf(raw)!.slice(0, 50))
}

/** A value as text. */
export function textOf(raw: RawValue): string | null {
  return raw instanceof Uint8Array ? Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8') : raw
}

/** The whole number of a decimal text, exact. */
export function wholeNumber(text: string): RowValue {
  return text.length < 16 ? Number(text) : BigInt(text)
}
