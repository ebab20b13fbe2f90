import { randomUUID } from 'node:crypto'
import type { Connection, TypedParameter } from 'mysql2/promise'
import type { SqlDatabase } from './database.ts'
import { placeOf, type ServerLocation } from './location.ts'
import { kindOf, mysqlError, tooLarge } from './mysql-errors.ts'
import { type PipelinedStatement, pipeline } from './mysql-pipeline.ts'
import { answerOf, inOrder, insertText, parameter } from './mysql-text.ts'
import { serverDatabase } from './server.ts'
import { tlsFiles } from './server-errors.ts'
import type { Fate, ServerDialect, ServerOutcome, ServerSession } from './server-session.ts'
import type { Query, Statement } from './work.ts'

/** Told of each statement that goes to a database, BEGIN and COMMIT too; `joined` where it went in one write with the one before. */
export type OnStatement = (text: string, joined: boolean) => void

/** Opens a connection without choosing a database; throws the driver's own error. Speaks utf8mb4 to every server since 5.6. */
export async function connectMysql(location: ServerLocation, database?: string): Promise<Connection> {
  const { createConnection } = await import('mysql2/promise')
  const { host, port, socket, user, password, tls } = location
  const files = tls === undefined ? undefined : await tlsFiles(tls)
  return await createConnection({
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    user,
    password,
    ...(database === undefined ? {} : { database }),
    ...(files === undefined ? {} : { ssl: { ...files, verifyIdentity: files.rejectUnauthorized } }),
    charset: 'utf8mb4_general_ci',
    connectTimeout: 10_000,
    supportBigNumbers: true,
    // Changes are rows that changed: with the driver's default an insert that was ignored would count as one.
    flags: ['-FOUND_ROWS'],
    // One server has so many prepared statements for all its clients together: 16,382.
    maxPreparedStatements: 200,
    enableKeepAlive: true,
  })
}

/** A database of MySQL 5.6 or newer, or MariaDB 10.0 or newer, that has the schema already. */
export function mysqlDatabase(location: ServerLocation, onStatement: OnStatement = () => {}): SqlDatabase {
  const dialect: ServerDialect<MysqlSession> = {
    type: 'mysql',
    place: placeOf(location),
    connect: () => openSession(location, onStatement),
    fate,
    kindOf,
    inPlainWords: (error) => mysqlError(location, error),
    same: (column) => `${column} <=> ?`,
  }
  return serverDatabase(dialect)
}

interface MysqlSession extends ServerSession {
  /** Name of a lock that the connection holds for as long as it lives. */
  readonly token: string
  readonly connection: Connection
}

async function openSession(location: ServerLocation, onStatement: OnStatement): Promise<MysqlSession> {
  const { TypedParameter } = (await import('mysql2/promise')).default as unknown as { TypedParameter: TypedParameter }
  const connection = await connectMysql(location, location.database)
  let lost = false
  const destroy = (): void => {
    lost = true
    connection.destroy()
  }
  connection.on('error', () => {
    lost = true
  })
  connection.on('end', () => {
    lost = true
  })
  const token = `zenml-${randomUUID()}`
  /** Runs something on the connection, and notices where that ended it. */
  const on = async <T>(text: string, work: () => Promise<T>): Promise<T> => {
    onStatement(text, false)
    try {
      return await work()
    } catch (error) {
      if (isFatal(error)) lost = true
      throw error
    }
  }
  const say = async (text: string): Promise<void> => {
    await on(text, () => connection.query(text))
  }
  try {
    // Strict: a value that does not fit is refused, never cut.
    await connection.query(
      `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', SESSION innodb_lock_wait_timeout = 10`,
    )
    await connection.execute('SELECT GET_LOCK(?, 0)', [token])
    const facts = await variablesOf(connection)
    const [step, packet] = [Number(facts['auto_increment_increment']), Number(facts['max_allowed_packet'])]
    await connection.query('SET SESSION autocommit = 0')
    // A log of statements would not repeat what READ COMMITTED did, and the server refuses.
    const statements = facts['log_bin'] === 'ON' && facts['binlog_format'] === 'STATEMENT'
    const levels = { read: 'REPEATABLE READ', write: statements ? 'REPEATABLE READ' : 'READ COMMITTED' }
    let level = ''
    const runAll = async (statements: readonly Statement[]): Promise<readonly ServerOutcome[]> => {
      const ready: PipelinedStatement[] = []
      const refused: ServerOutcome[] = []
      for (const [index, statement] of statements.entries()) {
        const { text, values } = compiled(statement)
        if (sizeOf(values) > packet - 65_536) {
          refused.push({ error: tooLarge(packet) })
          break
        }
        ready.push({ text, values: values.map((value) => parameter(value, TypedParameter)) })
        onStatement(text, index > 0)
      }
      const outcomes = (await pipeline(connection, ready)).map((outcome, index): ServerOutcome => {
        if (!('error' in outcome)) return { answer: answerOf(statements[index]!, outcome.result, outcome.fields, step) }
        if (isFatal(outcome.error)) lost = true
        return outcome
      })
      return [...outcomes, ...refused]
    }
    return {
      get lost() {
        return lost
      },
      token,
      connection,
      async begin(mode) {
        if (level !== levels[mode]) {
          await say(`SET SESSION TRANSACTION ISOLATION LEVEL ${levels[mode]}`)
          level = levels[mode]
        }
        // One to write begins by itself with its first statement.
        if (mode === 'read') await say('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
      },
      async run(statement) {
        const outcome = (await runAll([statement]))[0]!
        if ('error' in outcome) throw outcome.error
        return outcome.answer
      },
      runAll,
      end: say,
      async close() {
        await connection.end().catch(destroy)
      },
      destroy,
    }
  } catch (error) {
    destroy()
    throw error
  }
}

/** Whether an error ended the connection. */
function isFatal(error: unknown): boolean {
  return (error as { readonly fatal?: boolean }).fatal === true
}

/** Some variables have gone from newer servers, so they are looked for by name. */
async function variablesOf(connection: Connection): Promise<{ readonly [name: string]: string }> {
  const names = ['auto_increment_increment', 'max_allowed_packet', 'log_bin', 'binlog_format']
  const [rows] = await connection.query('SHOW VARIABLES WHERE Variable_name IN (?)', [names])
  const variables = rows as { Variable_name: string; Value: string }[]
  return Object.fromEntries(variables.map(({ Variable_name: name, Value: value }) => [name, value]))
}

function compiled(statement: Statement): Pick<Query, 'text' | 'values'> {
  if ('table' in statement) return { text: insertText(statement), values: statement.rows.flat() }
  const text = inOrder(statement.text)
  return { ...statement, text: statement.locking === true ? `${text} FOR UPDATE` : text }
}

function sizeOf(values: Query['values']): number {
  let size = 0
  // Three bytes is the most that one unit of UTF-16 takes.
  for (const value of values)
    size += typeof value === 'string' ? value.length * 3 : value instanceof Uint8Array ? value.length : 9
  return size
}

/**
 * The lock of the lost connection is free once it is over, with its transaction committed or rolled back. Where it still lives,
 * as behind a network that went away, it is ended; its number cannot be another's, since it holds the lock.
 */
async function fate({ token }: MysqlSession, { connection }: MysqlSession): Promise<Fate> {
  const [rows] = await connection.execute('SELECT IS_USED_LOCK(?) AS holder', [token])
  const { holder } = (rows as [{ holder: number | null }])[0]
  // It may have ended by itself in the meantime, or belong to somebody else's account behind a proxy.
  if (holder !== null) await connection.query('KILL CONNECTION ?', [holder]).catch(() => {})
  const [locked] = await connection.execute('SELECT GET_LOCK(?, 10) AS free', [token])
  return (locked as [{ free: number | null }])[0].free === 1 ? 'ended' : 'unsure'
}
