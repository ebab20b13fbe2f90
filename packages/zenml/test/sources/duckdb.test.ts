import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cellAt } from '../../src/formats/examples-reader.ts'
import type { DuckdbDatasource } from '../../src/model/datasource-spec.ts'
import { duckdbConnector } from '../../src/sources/duckdb.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'zenml-duck-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function make(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(root, 'data.duckdb'), { threads: '1' })
  const connection = await instance.connect()
  await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

function options(spec: Partial<DuckdbDatasource>) {
  return {
    spec: { type: 'duckdb', path: 'data.duckdb', ...spec } as DuckdbDatasource,
    places: { root, dataRoots: [] },
    environment: {},
  }
}

async function readAll(spec: Partial<DuckdbDatasource>, batchSize = 3) {
  await using reading = await duckdbConnector.read({ ...options(spec), batchSize })
  const rows: { [feature: string]: unknown }[] = []
  for await (const { length, columns } of reading.batches)
    for (let row = 0; row < length; row++)
      rows.push(Object.fromEntries([...columns].map(([name, column]) => [name, cellAt(column, row)])))
  return { kinds: Object.fromEntries(reading.kinds), rows }
}

describe('a DuckDB datasource', () => {
  test('is read in the order of its primary key, each type as the feature that holds it', async () => {
    await make(`CREATE TABLE t (id INTEGER PRIMARY KEY, big BIGINT, price DECIMAL(10, 2), name TEXT, raw BLOB, ok BOOLEAN, day DATE,
        "at" TIMESTAMP, zoned TIMESTAMPTZ, clock TIME, score DOUBLE, words VARCHAR[], m ENUM('sad', 'glad'));
      INSERT INTO t VALUES (2, 9223372036854775807, 12.5, 'zwei', '\\x00\\xFF', true, '1970-01-02', '1970-01-01 00:00:00.000001',
        '1970-01-01 00:00:00+01', '00:00:02', 0.5, ['a', 'b'], 'glad');
      INSERT INTO t (id) VALUES (1)`)
    const { kinds, rows } = await readAll({ table: 't' })
    expect(kinds).toEqual({
      ...{ id: 'int', big: 'int', price: 'float', name: 'bytes', raw: 'bytes', ok: 'int', day: 'int', at: 'int' },
      ...{ zoned: 'int', clock: 'int', score: 'float', words: 'bytes', m: 'bytes' },
    })
    expect(rows[0]).toEqual({ ...Object.fromEntries(Object.keys(kinds).map((name) => [name, null])), id: 1 })
    expect(rows[1]).toEqual({
      ...{ id: 2, big: 9223372036854775807n, price: 12.5, name: 'zwei', raw: new Uint8Array([0, 255]), ok: 1 },
      ...{
        day: 86_400_000_000,
        at: 1,
        zoned: -3_600_000_000,
        clock: 2_000_000,
        score: 0.5,
        words: ['a', 'b'],
        m: 'glad',
      },
    })
  })

  test('of more rows than fit into memory at once keeps their order, and leaves nothing beside the database', async () => {
    await make('CREATE TABLE t AS SELECT hash(i)::VARCHAR AS word, i FROM range(200000) AS r(i)')
    const { rows } = await readAll({ table: 't', key: ['word'] }, 4096)
    expect(rows).toHaveLength(200_000)
    const words = rows.map(({ word }) => word as string)
    expect(words.every((word, index) => index === 0 || words[index - 1]! < word)).toBe(true)
    expect(readdirSync(root)).toEqual(['data.duckdb'])
  })

  test('needs a key that tells its rows apart', async () => {
    await make('CREATE TABLE t AS SELECT i, i // 2 AS half FROM range(4) AS r(i)')
    await expect(readAll({ table: 't' })).rejects.toThrow(/has no primary key/)
    await expect(readAll({ table: 't', key: ['half'] })).rejects.toThrow(/rows 1 and 2 have the same key \(half = 0\)/)
    expect((await readAll({ query: 'SELECT max(i) AS i, half FROM t GROUP BY half; ', key: ['half'] })).rows).toEqual([
      { half: 0, i: 1 },
      { half: 1, i: 3 },
    ])
  })

  test('reads no other file, changes nothing, and says what is wrong with a query', async () => {
    await make('CREATE TABLE t AS SELECT 1 AS id')
    writeFileSync(join(root, 'secret.csv'), 'id\n1\n')
    const codeOf = async (query: string) => await readAll({ query, key: ['id'] }).catch((error) => error.code)
    expect(await codeOf(`SELECT * FROM '${join(root, 'secret.csv')}'`)).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf('SELECT nope FROM t')).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf('SELECT 1 AS id); DROP TABLE t; SELECT (1')).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf('SELECT 1 AS id, INTERVAL 1 DAY AS span')).toBe('ZEN_SOURCE_COLUMNS')
    expect((await readAll({ table: 't', key: ['id'] })).rows).toEqual([{ id: 1 }])
  })

  test('tells its version by the column that is named', async () => {
    await make("CREATE TABLE t AS SELECT 1 AS id, DATE '2024-01-02' AS at")
    const version = await duckdbConnector.version(options({ table: 't', versionColumn: 'at' }))
    expect(version).toMatch(/^at 2024-01-02, 1 rows, columns [0-9a-f]{12}$/)
  })

  test('that another process has open to write says so', async () => {
    await make('CREATE TABLE t AS SELECT 1 AS id')
    const holder = hold(join(root, 'data.duckdb'))
    try {
      await once(holder.stdout!, 'data')
      await expect(readAll({ table: 't', key: ['id'] })).rejects.toMatchObject({
        code: 'ZEN_SOURCE_CONNECT',
        message: expect.stringContaining(`the process ${holder.pid} has it open to write`),
      })
    } finally {
      const gone = once(holder, 'exit')
      holder.stdin!.end()
      await gone
    }
  })

  test('that is no database is damaged', async () => {
    writeFileSync(join(root, 'data.duckdb'), 'no database at all'.repeat(1000))
    await expect(readAll({ table: 't', key: ['id'] })).rejects.toMatchObject({ code: 'ZEN_SOURCE_READ' })
  })
})

/** A process that has a database open until its input ends. */
function hold(path: string): ChildProcess {
  const script = `import { DuckDBInstance } from '@duckdb/node-api'
const instance = await DuckDBInstance.create(${JSON.stringify(path)})
await instance.connect()
console.log('open')
process.stdin.resume().on('end', () => process.exit())`
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}
