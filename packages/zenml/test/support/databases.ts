import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { DatabaseLocation, ServerLocation } from '../../src/metadata/sql/location.ts'
import { connectMysql } from '../../src/metadata/sql/mysql.ts'
import { connectPostgres } from '../../src/metadata/sql/postgres.ts'
import { type ServerAccess, type ServerType, serverTypes } from './servers.ts'

/** The kinds of servers that run in this run of the tests, and those that do not. */
export const runningServers: readonly ServerType[] = serverTypes.filter((type) => inject('servers')[type] !== undefined)
export const isRunning = (type: ServerType): boolean => runningServers.includes(type)

/** A place on a server for a database that does not exist yet; dropped at the end. */
export interface FreshDatabase extends AsyncDisposable {
  readonly location: ServerLocation
  /** Runs statements as the administrator and gives their rows; on the database where that exists. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into rows freely
  sql(text: string, values?: readonly unknown[]): Promise<any[]>
}

/** A name for a database on the server of this run, or on a given one. */
export function freshDatabase(type: ServerType, access: ServerAccess = inject('servers')[type]!): FreshDatabase {
  const database = `zenml_${randomBytes(6).toString('hex')}`
  const { host, port, user, password } = access
  const location: ServerLocation = { type, host, port, user, password, database }
  return {
    location,
    sql: (text, values) => administer(location, database, text, values),
    async [Symbol.asyncDispose]() {
      await administer(
        location,
        undefined,
        `DROP DATABASE IF EXISTS ${database}${type === 'postgres' ? ' WITH (FORCE)' : ''}`,
      )
    },
  }
}

/** A place for a new database, which goes at the end. */
export async function place(
  type: DatabaseLocation['type'],
): Promise<AsyncDisposable & { readonly location: DatabaseLocation }> {
  if (type !== 'sqlite') return freshDatabase(type)
  const folder = mkdtempSync(join(tmpdir(), 'zenml-everywhere-'))
  return {
    location: { type, path: join(folder, 'metadata.db') },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs a statement as the administrator, in a database or in none. */
export async function administer(
  location: ServerLocation,
  database: string | undefined,
  text: string,
  values: readonly unknown[] = [],
  // biome-ignore lint/suspicious/noExplicitAny: tests read into rows freely
): Promise<any[]> {
  if (location.type === 'mysql') {
    const connection = await connectMysql(location, database)
    try {
      const [rows] = await connection.query(text, [...values])
      return rows as unknown[]
    } finally {
      await connection.end()
    }
  }
  const client = await connectPostgres(location, database ?? 'postgres')
  try {
    return (await client.query(text, [...values])).rows
  } finally {
    await client.end()
  }
}
