// 1M rows of 12 columns from databases to batches, beside the raw driver that reads the same statement, each in turn in one process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { ServerDatasource, SqliteDatasource } from '../packages/zenml/src/model/datasource-spec.ts'
import type { ConnectOptions, RowConnector } from '../packages/zenml/src/sources/connector.ts'
import { mysqlConnector } from '../packages/zenml/src/sources/mysql.ts'
import { postgresConnector } from '../packages/zenml/src/sources/postgres.ts'
import { sqliteConnector } from '../packages/zenml/src/sources/sqlite.ts'
import { startServer } from '../packages/zenml/test/support/servers.ts'
import { type BenchRow, median, round } from './support/measure.ts'

const texts = ['city', 'word', 'colour', 'name']
const columns = ['id', 'count', 'age', 'code', 'price', 'mass', 'height', 'share', ...texts]
const declared = `id bigint PRIMARY KEY, count bigint, age bigint, code bigint, price double precision, mass double precision,
  height double precision, share double precision, city text, word text, colour text, name text`

/** `sql-sources` takes the number of rows; with `ZENML_SERVERS=all` (or `mysql`, `postgres`) servers are read too. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const bars = [await sqlite(rows)]
  const asked = process.env['ZENML_SERVERS'] ?? ''
  for (const type of ['mysql', 'postgres'] as const)
    if (asked === 'all' || asked.split(',').includes(type)) bars.push(await server(type, rows))
    else console.log(`${type}: not measured; ZENML_SERVERS=all measures it`)
  return bars
}

/** The row with a number, as SQL that every database understands alike: `i` is the number. */
const values = (text: (prefix: string, of: number) => string, half: (of: number) => string): string =>
  [
    'i',
    ...[1_000_003, 101, 9973].map((of) => `(i * 7919) % ${of}`),
    ...[3, 7, 11, 13].map(half),
    ...texts.map((name, index) => text(name, [211, 199, 7, 999_983][index]!)),
  ].join(', ')

async function sqlite(rows: number): Promise<BenchRow> {
  const root = mkdtempSync(join(tmpdir(), 'zenml-bench-sql-'))
  try {
    const database = new Sqlite(join(root, 'data.db'))
    database.exec(`CREATE TABLE data (${declared.replaceAll('double precision', 'real')});
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})
      INSERT INTO data SELECT ${values(
        (prefix, of) => `'${prefix}-' || ((i * 7919) % ${of})`,
        (of) => `i * 1000.0 / ${of}`,
      )} FROM n`)
    const statement = database.prepare(`SELECT ${columns.join(', ')} FROM data ORDER BY id`).raw()
    const peer = async (): Promise<number> => {
      let count = 0
      for (const _row of statement.iterate()) count++
      return count
    }
    const spec: SqliteDatasource = { type: 'sqlite', path: 'data.db', table: 'data' }
    const ours = (): Promise<number> =>
      drained(sqliteConnector, { spec, places: { root, dataRoots: [] }, environment: {} })
    const bar = await compared('SQLite', rows, ours, peer)
    database.close()
    return bar
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function server(type: ServerDatasource['type'], rows: number): Promise<BenchRow> {
  await using running = await startServer(type)
  const { host, port, user, password } = running
  const database = type === 'mysql' ? 'mysql' : 'postgres'
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
  const secret = { password: '${env:BENCH_PASSWORD}' }
  const table = { type, host, port, username: user, database, ...secret, table: 'bench_data' } as ServerDatasource
  const options = { spec: table, places: { root: '/', dataRoots: [] }, environment: { BENCH_PASSWORD: password } }
  const half = (of: number): string => `i * 1e3 / ${of}`
  const read = `SELECT ${columns.map((name) => (type === 'mysql' ? `\`${name}\`` : `"${name}"`)).join(', ')} FROM bench_data ORDER BY id`
  if (type === 'mysql') {
    const { createConnection } = await import('mysql2')
    const connection = createConnection({ host, port, user, password, database, rowsAsArray: true })
    await connection
      .promise()
      .query(`CREATE TABLE bench_data (${declared.replace(' count ', ' `count` ')}) ENGINE=InnoDB`)
    await connection.promise().query(
      `INSERT INTO bench_data SELECT ${values((prefix, of) => `CONCAT('${prefix}-', (i * 7919) % ${of})`, half)} FROM
        (SELECT seq AS i FROM seq_0_to_${rows - 1}) AS n`,
    )
    const peer = (): Promise<number> =>
      new Promise((resolve, reject) => {
        let count = 0
        const query = connection.query(read)
        query.on('error', reject)
        query.on('result', () => count++)
        query.on('end', () => resolve(count))
      })
    const bar = await compared('MariaDB', rows, () => drained(mysqlConnector, options), peer)
    connection.destroy()
    return bar
  }
  const pg = await import('pg')
  const client = new pg.default.Client({ host, port, user, password, database })
  await client.connect()
  await client.query(`CREATE TABLE bench_data (${declared})`)
  await client.query(
    `INSERT INTO bench_data SELECT ${values((prefix, of) => `'${prefix}-' || ((i * 7919) % ${of})`, half)} FROM generate_series(0::bigint, ${rows - 1}) AS i`,
  )
  const peer = async (): Promise<number> => {
    await client.query('BEGIN')
    await client.query(`DECLARE c CURSOR FOR ${read}`)
    let count = 0
    for (;;) {
      const { rows: some } = await client.query({ text: 'FETCH 1000 FROM c', rowMode: 'array' })
      if (some.length === 0) break
      count += some.length
    }
    await client.query('COMMIT')
    return count
  }
  const bar = await compared('PostgreSQL', rows, () => drained(postgresConnector, options), peer)
  await client.end()
  return bar
}

/** Reads all batches and gives the number of rows. */
async function drained<S extends SqliteDatasource | ServerDatasource>(
  connector: RowConnector<S>,
  options: ConnectOptions<S>,
): Promise<number> {
  await using reading = await connector.read(options)
  let rows = 0
  for await (const { length } of reading.batches) rows += length
  return rows
}

async function compared(
  name: string,
  rows: number,
  ours: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<BenchRow> {
  const times: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] }
  for (let round = 0; round < 3; round++)
    for (const [who, read] of [
      ['peer', peer],
      ['ours', ours],
    ] as const) {
      const started = process.hrtime.bigint()
      const count = await read()
      if (count !== rows) throw new Error(`${name}: ${who} read ${count} of ${rows} rows`)
      times[who].push(Number(process.hrtime.bigint() - started) / 1e6)
    }
  const [our, their] = [median(times.ours), median(times.peer)]
  console.log(
    `${name}: ${rows} rows, medians of 3: batches ${our.toFixed(0)} ms, the driver alone ${their.toFixed(0)} ms; peak of both ${Math.round(process.resourceUsage().maxRSS / 1e3)} MB`,
  )
  return { bar: `${name} 1M x 12 to batches / its driver alone`, value: round(our / their) }
}
