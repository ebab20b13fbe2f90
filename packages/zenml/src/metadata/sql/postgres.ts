import type { Client, QueryResult } from 'pg'
import { systemCode } from '../../base/errors.ts'
import type { SqlDatabase } from './database.ts'
import { placeOf, type ServerLocation } from './location.ts'
import type { OnStatement } from './mysql.ts'
import { kindOf, postgresError } from './postgres-errors.ts'
import { streamOf } from './postgres-stream.ts'
import { answerOf, insertText, numbered, parameter, parsers, widened } from './postgres-text.ts'
import { serverDatabase } from './server.ts'
import { tlsFiles } from './server-errors.ts'
import type { Fate, ServerAnswer, ServerDialect, ServerSession } from './server-session.ts'
import type { Query, Statement } from './work.ts'

/** Opens a connection; throws the driver's own error. */
export async function connectPostgres(location: ServerLocation, database: string): Promise<Client> {
  const pg = await import('pg')
  const { host, port, socket, user, password, tls } = location
  const client = new pg.default.Client({
    host: socket ?? host,
    port,
    user,
    password,
    database,
    ...(tls === undefined ? { ssl: false } : { ssl: await tlsFiles(tls) }),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // Statements are written at once, and not when the one before was answered.
    pipeline: true,
    application_name: 'zenml',
    types: { getTypeParser: (oid: number) => parsers(oid) } as never,
  })
  // One that comes while nobody waits for an answer; the next statement says it again.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    streamOf(client).destroy()
    throw error
  }
  return client
}

/** A database of PostgreSQL 10 or newer that has the schema already. */
export function postgresDatabase(location: ServerLocation, onStatement: OnStatement = () => {}): SqlDatabase {
  const dialect: ServerDialect<PostgresSession> = {
    type: 'postgres',
    place: placeOf(location),
    connect: () => openSession(location, onStatement),
    fate,
    kindOf,
    inPlainWords: (error) => postgresError(location, error),
    same: (column) => `${column} IS NOT DISTINCT FROM ?`,
  }
  return serverDatabase(dialect)
}

interface PostgresSession extends ServerSession {
  readonly client: Client
  /** The number of the current transaction that writes. */
  readonly transaction: string
  /** The number of the server's process. */
  readonly process: number
}

/** So many statements are kept prepared on a connection; further ones are parsed each time. */
const mostPrepared = 200

async function openSession(location: ServerLocation, onStatement: OnStatement): Promise<PostgresSession> {
  const client = await connectPostgres(location, location.database)
  let lost = false
  let transaction = ''
  let process = 0
  const lose = (): void => {
    lost = true
  }
  client.on('error', lose)
  client.on('end', lose)
  const names = new Map<string, string>()
  const nameOf = (text: string): { readonly name?: string } => {
    let name = names.get(text)
    if (name === undefined) {
      if (names.size >= mostPrepared) return {}
      name = `zenml_${names.size}`
      names.set(text, name)
    }
    return { name }
  }
  const ask = async (
    text: string,
    values?: readonly unknown[],
    joined = false,
  ): Promise<QueryResult | QueryResult[]> => {
    onStatement(text, joined)
    try {
      return values === undefined
        ? ((await client.query(text)) as QueryResult | QueryResult[])
        : await client.query({ text, values: [...values], ...nameOf(text) })
    } catch (error) {
      if (kindOf(error) === 'lost') lost = true
      throw error
    }
  }
  const run = async (statement: Statement, joined = false): Promise<ServerAnswer> => {
    const { text, values } = compiled(statement)
    return answerOf(statement, (await ask(text, values.map(parameter), joined)) as QueryResult)
  }
  const stream = streamOf(client)
  try {
    // Before version 12 doubles come with 15 digits unless all are asked for.
    await client.query('SET lock_timeout = 10000; SET extra_float_digits = 3')
    process = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
  } catch (error) {
    stream.destroy()
    throw error
  }
  return {
    client,
    process,
    get lost() {
      return lost
    },
    get transaction() {
      return transaction
    },
    async begin(mode) {
      if (mode === 'read') {
        await ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        return
      }
      // The number comes in the same round trip: it is what one can ask for where the answer to COMMIT gets lost.
      const results = (await ask('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT txid_current() AS id')) as QueryResult[]
      transaction = String(results[1]!.rows[0].id)
    },
    run: (statement) => run(statement),
    async runAll(statements) {
      // One write to the network.
      stream.cork()
      const running = statements.map((statement, index) => run(statement, index > 0))
      stream.uncork()
      // After one that failed the server refuses the others.
      return (await Promise.allSettled(running)).map((one) =>
        one.status === 'fulfilled' ? { answer: one.value } : { error: one.reason },
      )
    },
    async end(how) {
      await ask(how)
    },
    async close() {
      await client.end().catch(lose)
    },
    destroy() {
      lost = true
      // A goodbye might wait for ever.
      stream.destroy()
    },
  }
}

function compiled(statement: Statement): Pick<Query, 'text' | 'values'> {
  if ('table' in statement) return { text: numbered(insertText(statement)), values: statement.rows.flat() }
  const text = widened(numbered(statement.text), statement.values)
  return { text: statement.locking === true ? `${text} FOR UPDATE` : text, values: statement.values }
}

/**
 * Asks for the transaction by its number, and ends its connection where that still lives. A server that crashed may give the
 * number of a transaction again of which it had written nothing; so the process must be the same, and rows have the last word.
 */
async function fate({ transaction, process }: PostgresSession, { client }: PostgresSession): Promise<Fate> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    switch (await statusOf(client, transaction)) {
      case 'committed':
        return 'committed'
      case 'aborted':
      case 'future':
        return 'undone'
      case 'in progress': {
        const text = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $2 AND backend_xid::text::bigint = $1::bigint % 4294967296`
        const { rows } = await client.query(text, [transaction, process])
        if (rows.length === 0) return 'ended'
        await client.query('SELECT pg_sleep(0.1)')
        continue
      }
      default:
        return 'unsure'
    }
  }
  return 'unsure'
}

async function statusOf(client: Client, transaction: string): Promise<unknown> {
  try {
    return (await client.query('SELECT txid_status($1::bigint) AS status', [transaction])).rows[0].status
  } catch (error) {
    // A number that the server has not given yet: it crashed, and has forgotten that it did.
    if (systemCode(error) === '22023') return 'future'
    throw error
  }
}
