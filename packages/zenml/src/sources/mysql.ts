import type { Connection, FieldPacket } from 'mysql2/promise'
import { ZenmlError } from '../base/errors.ts'
import { unlessAborted } from '../base/unless-aborted.ts'
import { isTls, kindOf } from '../metadata/sql/mysql-errors.ts'
import { causeOf } from '../metadata/sql/server-errors.ts'
import { defaultPorts, type ServerDatasource } from '../model/datasource-spec.ts'
import { type ConnectOptions, type RowConnector, sourceFailure } from './connector.ts'
import { longestKey, mysqlColumn, quotedName } from './mysql-types.ts'
import { RowQueue } from './row-queue.ts'
import { encryptionOf, passwordOf } from './server-access.ts'
import { type RawValue, type ServerSession, serverConnector, textOf } from './sql-server.ts'
import { sourceText, withoutEnd } from './sql-text.ts'

/** Times are of UTC, texts come as they are stored, and a reader that is slow is waited for. */
const settings = `SET SESSION time_zone = '+00:00', SESSION max_sort_length = ${longestKey}, SESSION net_write_timeout = 3600,
SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')`

/**
 * Reads a table or query of MySQL 5.6 or newer or MariaDB 10.0 or newer as a stream, in one read-only transaction with a consistent snapshot:
 * writers beside it change nothing of what is read, as long as the tables are of InnoDB.
 */
export const mysqlConnector: RowConnector<ServerDatasource> = serverConnector(open)

async function open(options: ConnectOptions<ServerDatasource>): Promise<ServerSession> {
  const { spec, signal } = options
  const connection = await connect(options)
  // The driver does not tell a stream that its connection was lost, and nobody that it was ended from here.
  const ended = new AbortController()
  connection.on('error', (error) => ended.abort(error))
  const destroy = (): void => {
    signal?.removeEventListener('abort', destroy)
    connection.destroy()
    ended.abort(new Error('the connection was ended'))
  }
  signal?.addEventListener('abort', destroy)
  const failure = (error: unknown, isReading: boolean): unknown => failureOf(spec, error, isReading)
  const ask = async (sql: string, values: readonly unknown[] = []): Promise<[RawValue[][], FieldPacket[]]> =>
    (await unlessAborted(
      ended.signal,
      connection.query({ sql, values: [...values], rowsAsArray: true, typeCast: false }),
    )) as unknown as [RawValue[][], FieldPacket[]]
  try {
    signal?.throwIfAborted()
    await connection.query(settings)
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
    // By itself it must be a statement: it cannot close the parenthesis that it is put into.
    if (spec.query !== undefined)
      await (await unlessAborted(ended.signal, connection.prepare(withoutEnd(spec.query)))).close()
    const from = sourceText(spec, quotedName)
    const [, fields] = await ask(`SELECT * FROM ${from} LIMIT 0`)
    return {
      columns: fields.map((field) => mysqlColumn(spec, field)),
      from,
      longestKey,
      quoted: quotedName,
      async primaryKey() {
        const [table, database = spec.database] = spec.table!.split('.').reverse()
        const [rows] = await ask(
          `SELECT COLUMN_NAME FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
          [database, table],
        )
        return rows.map(([name]) => textOf(name!)!)
      },
      one: async (text) => (await ask(text))[0][0]!,
      rows: (text) => streamed(connection, text, ended.signal),
      failure,
      destroy,
    }
  } catch (error) {
    destroy()
    throw signal?.aborted === true ? signal.reason : failure(error, false)
  }
}

async function connect(options: ConnectOptions<ServerDatasource>): Promise<Connection> {
  const { spec } = options
  const { host = 'localhost', port = defaultPorts.mysql, socket, username, database } = spec
  const password = passwordOf(options)
  const encryption = await encryptionOf(options)
  const { createConnection } = await import('mysql2/promise')
  try {
    return await createConnection({
      ...(socket === undefined ? { host, port } : { socketPath: socket }),
      user: username,
      password,
      database,
      ...(encryption === undefined ? {} : { ssl: { ...encryption, verifyIdentity: encryption.rejectUnauthorized } }),
      charset: 'utf8mb4_general_ci',
      connectTimeout: 10_000,
      // The server asks for no file of this machine.
      flags: ['-LOCAL_FILES'],
      enableKeepAlive: true,
    })
  } catch (error) {
    throw failureOf(spec, error, false)
  }
}

/** What of the driver's connection is used: it tells of each row, and its socket can be paused. */
interface Core {
  query(options: object): {
    on(event: 'result', listener: (row: RawValue[]) => void): void
    on(event: 'error', listener: (error: unknown) => void): void
    on(event: 'end', listener: () => void): void
  }
  pause(): void
  resume(): void
}

function streamed(
  connection: Connection,
  sql: string,
  end: AbortSignal,
): AsyncGenerator<readonly (readonly RawValue[])[]> {
  const core = (connection as unknown as { readonly connection: Core }).connection
  const queue = new RowQueue(core)
  const query = core.query({ sql, rowsAsArray: true, typeCast: false })
  query.on('result', (row) => queue.add(row))
  query.on('error', (error) => queue.fail(error))
  query.on('end', () => queue.end())
  return queue.taken(end)
}

/** Numbers of MySQL's and MariaDB's errors (https://mariadb.com/kb/en/mariadb-error-code-reference). */
const numbers = {
  denied: [1044, 1045, 1049, 1129, 1130, 1142, 1143, 1227, 1698],
  lost: [1053, 1077, 1079, 1317, 1927, 1969, 3024],
  query: [1054, 1060, 1064, 1103, 1146, 1149, 1248, 1305, 1792],
}

function failureOf(spec: ServerDatasource, error: unknown, isReading: boolean): unknown {
  if (error instanceof ZenmlError || typeof error !== 'object' || error === null) return error
  const { errno } = error as { readonly errno?: number }
  const isOne = (of: readonly number[]): boolean => errno !== undefined && of.includes(errno)
  if (isOne(numbers.denied)) return sourceFailure('ZEN_SOURCE_DENIED', spec, error)
  if (isReading && (kindOf(error) === 'lost' || isOne(numbers.lost)))
    return sourceFailure('ZEN_SOURCE_LOST', spec, error)
  if (isOne(numbers.query)) return sourceFailure('ZEN_SOURCE_QUERY', spec, error)
  if (kindOf(error) === 'lost' || isTls(error)) return sourceFailure('ZEN_SOURCE_CONNECT', spec, causeOf(error))
  return errno !== undefined && errno > 0 ? sourceFailure('ZEN_SOURCE_READ', spec, error) : error
}
