import type { Client, FieldDef, QueryArrayResult } from 'pg'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isTls, kindOf } from '../metadata/sql/postgres-errors.ts'
import { streamOf } from '../metadata/sql/postgres-stream.ts'
import { causeOf } from '../metadata/sql/server-errors.ts'
import { defaultPorts, type ServerDatasource } from '../model/datasource-spec.ts'
import { type ConnectOptions, type RowConnector, sourceFailure } from './connector.ts'
import { type PostgresType, postgresColumn } from './postgres-types.ts'
import { RowQueue } from './row-queue.ts'
import { encryptionOf, passwordOf } from './server-access.ts'
import { type RawValue, type ServerSession, serverConnector } from './sql-server.ts'
import { quotedName, sourceText } from './sql-text.ts'

/** Rows that are asked for at once. */
const fetchSize = 1000

/** Texts come in a form that depends on no setting of the server, the database or the user. */
const settings = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 3; SET bytea_output = 'hex';
SET idle_in_transaction_session_timeout = 0; SET cursor_tuple_fraction = 1`

/**
 * Reads a table or query of PostgreSQL 10 or newer through a cursor, in one transaction that is read-only and repeatable: writers beside it
 * change nothing of what is read.
 */
export const postgresConnector: RowConnector<ServerDatasource> = serverConnector(open)

async function open(options: ConnectOptions<ServerDatasource>): Promise<ServerSession> {
  const { spec, signal } = options
  const client = await connect(options)
  const stream = streamOf(client)
  const ended = new AbortController()
  const destroy = (): void => {
    signal?.removeEventListener('abort', destroy)
    stream.destroy()
    ended.abort(new Error('the connection was ended'))
  }
  signal?.addEventListener('abort', destroy)
  const failure = (error: unknown, isReading: boolean): unknown => failureOf(spec, error, isReading)
  const array = async (text: string, values: readonly unknown[] = []): Promise<QueryArrayResult<RawValue[]>> =>
    // Extended: the server takes one statement only, whatever the declared query holds.
    await client.query<RawValue[]>({ text, values: [...values], rowMode: 'array', queryMode: 'extended' } as never)
  try {
    signal?.throwIfAborted()
    await client.query(settings)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const from = sourceText(spec, quotedName)
    const { fields } = await array(`SELECT * FROM ${from} LIMIT 0`)
    const types = await typesOf(fields, array)
    return {
      columns: fields.map(({ name, dataTypeID }) => postgresColumn(spec, name, types.get(dataTypeID)!)),
      from,
      quoted: quotedName,
      async primaryKey() {
        const { rows } = await array(
          `SELECT a.attname FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
WHERE i.indisprimary AND i.indrelid = pg_catalog.to_regclass($1)
ORDER BY pg_catalog.array_position(i.indkey::int2[], a.attnum)`,
          [from],
        )
        return rows.map(([name]) => name as string)
      },
      one: async (text) => (await array(text)).rows[0]!,
      async *rows(text) {
        await array(`DECLARE zenml NO SCROLL CURSOR FOR ${text}`)
        yield* fetched(client, ended.signal)
      },
      failure,
      destroy,
    }
  } catch (error) {
    destroy()
    throw signal?.aborted === true ? signal.reason : failure(error, false)
  }
}

/** The rows of the cursor. While some are worked on, the next are on their way. */
async function* fetched(client: Client, end: AbortSignal): AsyncGenerator<readonly (readonly RawValue[])[]> {
  const { default: pg } = await import('pg')
  const queue = new RowQueue(streamOf(client))
  const more = (): void => {
    let rows = 0
    const query = new pg.Query({ text: `FETCH FORWARD ${fetchSize} FROM zenml`, rowMode: 'array' } as never)
    query.on('row', (row: unknown) => {
      rows++
      queue.add(row as RawValue[])
    })
    query.on('error', (error) => queue.fail(error))
    query.on('end', () => (rows === 0 ? queue.end() : more()))
    client.query(query)
  }
  more()
  yield* queue.taken(end)
}

async function connect(options: ConnectOptions<ServerDatasource>): Promise<Client> {
  const { spec } = options
  const { host = 'localhost', port = defaultPorts.postgres, socket, username, database } = spec
  const password = passwordOf(options)
  const encryption = await encryptionOf(options)
  const pg = await import('pg')
  const client = new pg.default.Client({
    host: socket ?? host,
    port,
    user: username,
    // As a function: where it is empty, the driver would otherwise look into the environment and the home.
    password: () => password,
    database,
    ssl: encryption ?? false,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'zenml',
    types: { getTypeParser: () => (text: string) => text } as never,
  })
  // One that comes while nobody waits for an answer; the next statement says it again.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    streamOf(client).destroy()
    throw failureOf(spec, error, false)
  }
  return client
}

async function typesOf(
  fields: readonly FieldDef[],
  array: (text: string, values: readonly unknown[]) => Promise<QueryArrayResult<RawValue[]>>,
): Promise<ReadonlyMap<number, PostgresType>> {
  const { rows } = await array(
    `SELECT t.oid, t.typname, t.typtype, e.typname, e.typtype FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem WHERE t.oid = ANY ($1::oid[])`,
    [fields.map(({ dataTypeID }) => dataTypeID)],
  )
  return new Map(
    rows.map(([oid, name, type, element, elementType]) => [
      Number(oid),
      {
        name: name as string,
        isEnum: type === 'e',
        ...(element === null ? {} : { element: { name: element as string, isEnum: elementType === 'e' } }),
      },
    ]),
  )
}

/** By the codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
function failureOf(spec: ServerDatasource, error: unknown, isReading: boolean): unknown {
  if (error instanceof ZenmlError) return error
  const code = systemCode(error) ?? ''
  // The driver itself refuses to answer a question for a password that it was not given.
  const isRefused = error instanceof Error && error.message.startsWith('SASL: ')
  if (isRefused || /^(28|42501|3D000)/.test(code)) return sourceFailure('ZEN_SOURCE_DENIED', spec, error)
  if (isReading && (kindOf(error) === 'lost' || /^(57|25P0[34])/.test(code)))
    return sourceFailure('ZEN_SOURCE_LOST', spec, error)
  if (/^(42|26|34|0A|3F)/.test(code)) return sourceFailure('ZEN_SOURCE_QUERY', spec, error)
  if (kindOf(error) === 'lost' || isTls(error)) return sourceFailure('ZEN_SOURCE_CONNECT', spec, causeOf(error))
  return /^[0-9A-Z]{5}$/.test(code) ? sourceFailure('ZEN_SOURCE_READ', spec, error) : error
}
