import { Readable } from 'node:stream'
import type { Connection } from 'mysql2/promise'
import { openDatabase } from '../../packages/zenml/src/metadata/open.ts'
import type { SqlDatabase } from '../../packages/zenml/src/metadata/sql/database.ts'
import type { ServerLocation } from '../../packages/zenml/src/metadata/sql/location.ts'
import { connectMysql } from '../../packages/zenml/src/metadata/sql/mysql.ts'
import { connectPostgres } from '../../packages/zenml/src/metadata/sql/postgres.ts'
import type { Insert, SqlValue, Work } from '../../packages/zenml/src/metadata/sql/work.ts'
import { fillWithRuns } from './many-runs.ts'

/** Keys other than the primary ones go while the rows come and are made again at the end: minutes instead of hours. */
export async function fillServer(location: ServerLocation, runs: number): Promise<void> {
  await using database = await openDatabase(location)
  const admin = location.type === 'mysql' ? await mysqlAdmin(location) : await postgresAdmin(location)
  try {
    const again = await admin.dropKeys()
    await fillWithRuns(database, runs, admin.loader ?? database)
    for (const statement of again) await admin.run(statement)
    await admin.done()
  } finally {
    await admin.end()
  }
}

/** What differs between the servers. */
interface Admin {
  /** Takes rows faster than INSERT does, where the server has such a way. */
  readonly loader?: Pick<SqlDatabase, 'write'>
  /** Drops the keys and gives the statements that make them again. */
  dropKeys(): Promise<readonly string[]>
  run(statement: string): Promise<void>
  /** Lets the server know what is in its tables. */
  done(): Promise<void>
  end(): Promise<void>
}

async function mysqlAdmin(location: ServerLocation): Promise<Admin> {
  const connection = await connectMysql(location, location.database)
  const names = async (): Promise<string[]> => {
    const [rows] = await connection.query('SHOW TABLES')
    return (rows as object[]).map((row) => String(Object.values(row)[0]))
  }
  return {
    loader: loader(connection),
    async dropKeys() {
      await connection.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0')
      const again: string[] = []
      for (const table of await names()) {
        const [rows] = await connection.query('SHOW CREATE TABLE ??', [table])
        const text = (rows as { 'Create Table': string }[])[0]!['Create Table']
        // A key begins its own line: "  UNIQUE KEY `name` (`column`,…),".
        const keys = [...text.matchAll(/^ {2}((?:UNIQUE )?KEY `(\w+)` .*?),?$/gm)]
        if (keys.length === 0) continue
        await connection.query(`ALTER TABLE ${table} ${keys.map(([, , name]) => `DROP KEY ${name}`).join(', ')}`)
        again.push(`ALTER TABLE ${table} ${keys.map(([, key]) => `ADD ${key}`).join(', ')}`)
      }
      return again
    },
    run: async (statement) => void (await connection.query(statement)),
    async done() {
      for (const table of await names()) await connection.query('ANALYZE TABLE ??', [table])
      await connection.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
    },
    end: () => connection.end(),
  }
}

/** `LOAD DATA LOCAL INFILE`, each statement's rows a stream of their own: some ten times as fast as INSERT. */
function loader(connection: Connection): Pick<SqlDatabase, 'write'> {
  return {
    async write<T>(work: () => Work<T>): Promise<T> {
      const steps = work()
      let next = steps.next()
      for (; next.done !== true; next = steps.next({ rows: [], ids: [], changes: 0 })) {
        if (!('table' in next.value) || next.value.ids) throw new Error('only rows with ids of their own are loaded')
        await load(connection, next.value)
      }
      return next.value
    },
  }
}

async function load(connection: Connection, { table, columns, rows }: Insert): Promise<void> {
  const lines = rows.map((row) => `${row.map(field).join('\t')}\n`)
  await connection.query({
    sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${table} CHARACTER SET utf8mb4 (${columns.join(', ')})`,
    infileStreamFactory: () => Readable.from([Buffer.from(lines.join(''))]),
  })
}

function field(value: SqlValue): string {
  if (value === null) return '\\N'
  if (typeof value === 'boolean') return value ? '1' : '0'
  return String(value).replaceAll(/[\\\t\n]/g, '\\$&')
}

async function postgresAdmin(location: ServerLocation): Promise<Admin> {
  const client = await connectPostgres(location, location.database)
  return {
    async dropKeys() {
      // Those that belong to a constraint stay: rows come in the order of most of them.
      const { rows } = await client.query(
        `SELECT i.indexname AS name, i.indexdef AS text FROM pg_indexes i WHERE i.schemaname = current_schema() AND i.indexname LIKE 'idx_%'`,
      )
      for (const { name } of rows) await client.query(`DROP INDEX ${name}`)
      return rows.map(({ text }) => text)
    },
    run: async (statement) => void (await client.query(statement)),
    done: async () => void (await client.query('VACUUM ANALYZE')),
    end: () => client.end(),
  }
}
