import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cellAt } from '../../src/formats/examples-reader.ts'
import type { SqliteDatasource } from '../../src/model/datasource-spec.ts'
import { sqliteConnector } from '../../src/sources/sqlite.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'zenml-sqlite-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function make(sql: string, file = 'data.db'): Sqlite.Database {
  const database = new Sqlite(join(root, file))
  database.exec(sql)
  return database
}

function options(spec: Partial<SqliteDatasource>) {
  return {
    spec: { type: 'sqlite', path: 'data.db', ...spec } as SqliteDatasource,
    places: { root, dataRoots: [] },
    environment: {},
  }
}

async function readAll(spec: Partial<SqliteDatasource>, batchSize = 3) {
  await using reading = await sqliteConnector.read({ ...options(spec), batchSize })
  const rows: { [feature: string]: unknown }[] = []
  for await (const { length, columns } of reading.batches)
    for (let row = 0; row < length; row++)
      rows.push(Object.fromEntries([...columns].map(([name, column]) => [name, cellAt(column, row)])))
  return { kinds: Object.fromEntries(reading.kinds), rows }
}

describe('a table of SQLite', () => {
  test('is read in the order of its primary key, each type as the feature that holds it', async () => {
    make(`CREATE TABLE t (id INTEGER PRIMARY KEY, big BIGINT, price DECIMAL(10,2), name TEXT, raw BLOB, ok BOOLEAN,
        day DATE, at TIMESTAMP, clock TIME, score REAL, stamp DATETIME);
      INSERT INTO t VALUES (2, 9223372036854775807, 12.5, 'zwei', x'00ff', 1, '1970-01-02', '1970-01-01T00:00:01.000001Z', '00:00:02', 1, 1700000000000);
      INSERT INTO t VALUES (1, -9223372036854775808, 3, 'eins', NULL, 0, NULL, '1970-01-01 01:00:00+01:00', NULL, 0.5, NULL);`).close()
    const { kinds, rows } = await readAll({ table: 't' })
    expect(kinds).toEqual({
      ...{ at: 'int', big: 'int', clock: 'int', day: 'int', id: 'int', name: 'bytes', ok: 'int', price: 'float' },
      ...{ raw: 'bytes', score: 'float', stamp: 'int' },
    })
    expect(rows).toEqual([
      {
        ...{
          id: 1,
          big: -9223372036854775808n,
          price: 3,
          name: 'eins',
          raw: null,
          ok: 0,
          day: null,
          at: 0,
          clock: null,
        },
        ...{ score: 0.5, stamp: null },
      },
      {
        ...{ id: 2, big: 9223372036854775807n, price: 12.5, name: 'zwei', raw: new Uint8Array([0, 255]), ok: 1 },
        ...{ day: 86_400_000_000, at: 1_000_001, clock: 2_000_000, score: 1, stamp: 1700000000000 },
      },
    ])
  })

  test('whose text is no UTF-8 gives the bytes that are stored', async () => {
    make(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, CAST(x'ff41' AS TEXT));`).close()
    expect((await readAll({ table: 't' })).rows).toEqual([{ id: 1, name: new Uint8Array([0xff, 0x41]) }])
  })

  test('gives every integer and text as it is stored from the first row on that no number or text of JavaScript holds', async () => {
    const database = make('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, word TEXT)')
    const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?)')
    for (let id = 1; id <= 10; id++) insert.run(id, id, `wörd ${id}`)
    database.exec(
      "UPDATE t SET word = CAST(x'ff41' AS TEXT) WHERE id = 5; UPDATE t SET n = 9007199254740993 WHERE id = 7",
    )
    database.exec("UPDATE t SET word = CAST(x'efbfbd' AS TEXT) WHERE id = 3")
    const { rows } = await readAll({ table: 't' })
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(rows.map(({ n }) => (Number(n) === 2 ** 53 ? n : Number(n)))).toEqual([
      1,
      2,
      3,
      4,
      5,
      6,
      9007199254740993n,
      8,
      9,
      10,
    ])
    expect(rows.map(({ word }) => word)).toEqual([
      ...['wörd 1', 'wörd 2', '\ufffd', 'wörd 4', new Uint8Array([0xff, 0x41])],
      ...['wörd 6', 'wörd 7', 'wörd 8', 'wörd 9', 'wörd 10'],
    ])
    database.exec('UPDATE t SET word = NULL; UPDATE t SET n = 1')
    // Also where the row that has to be read anew is the one that repeats the key of the row before.
    database.exec(
      "UPDATE t SET word = CASE id WHEN 2 THEN 'a' WHEN 3 THEN 'a' ELSE 'b' || id END; UPDATE t SET n = 9007199254740993 WHERE id = 3",
    )
    await expect(readAll({ query: 'SELECT word, n FROM t', key: ['word'] })).rejects.toThrow(
      /have the same key \(word =/,
    )
    database.close()
  })

  test('without a primary key needs one that is named', async () => {
    make('CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (2, NULL), (1, NULL), (1, NULL)').close()
    await expect(readAll({ table: 't' })).rejects.toThrow(/has no primary key/)
    await expect(readAll({ table: 't', key: ['c'] })).rejects.toThrow(
      /gives no column "c", which its key names; it gives a, b/,
    )
    await expect(readAll({ table: 't', key: ['a'] })).rejects.toThrow(/rows 1 and 2 have the same key \(a = 1\)/)
  })

  test('with texts in a column of integers is refused with the row', async () => {
    make("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1), (2, 'two')").close()
    await expect(readAll({ table: 't' })).rejects.toThrow(/data.db: t: row 2: a blob|row 2: "two" is no int/)
  })

  test('with texts and integers in one column of times is refused', async () => {
    make("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES (1, '2024-01-01'), (2, 5)").close()
    await expect(readAll({ table: 't' })).rejects.toThrow(/row 2: 5 is no date or time of ISO 8601 in the column "at"/)
  })
})

describe('a query of SQLite', () => {
  test('gives columns of the kinds that its values have where nothing is declared', async () => {
    make(
      'CREATE TABLE t (id INTEGER PRIMARY KEY, a REAL, b TEXT); INSERT INTO t VALUES (1, 1, NULL), (2, 2.5, NULL)',
    ).close()
    const query = "SELECT id, a * 2 AS twice, id + 1 AS next, 'x' || id AS word, NULL AS none FROM t -- a comment"
    const { kinds, rows } = await readAll({ query, key: ['id'] })
    expect(kinds).toEqual({ id: 'int', next: 'int', none: 'bytes', twice: 'float', word: 'bytes' })
    expect(rows[1]).toEqual({ id: 2, next: 3, none: null, twice: 5, word: 'x2' })
  })

  test('that is wrong, gives a column twice or would change data is refused', async () => {
    make('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)').close()
    const codeOf = async (query: string) => await readAll({ query, key: ['id'] }).catch((error) => error.code)
    expect(await codeOf('SELECT nope FROM t')).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf('DELETE FROM t RETURNING id')).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf("SELECT 1 AS id); ATTACH 'other.db' AS o; SELECT (1")).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf('SELECT id, id FROM t')).toBe('ZEN_SOURCE_COLUMNS')
    expect((await readAll({ table: 't' })).rows).toEqual([{ id: 1 }])
  })
})

describe('a read of SQLite', () => {
  test('sees one state of the database, whatever a writer beside it does', async () => {
    const writer = make('PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)')
    for (let id = 0; id < 100; id++) writer.prepare('INSERT INTO t VALUES (?, 1)').run(id)
    await using reading = await sqliteConnector.read({ ...options({ table: 't' }), batchSize: 10 })
    let sum = 0
    for await (const { length, columns } of reading.batches) {
      writer.exec('UPDATE t SET v = v + 1')
      writer.prepare('INSERT INTO t VALUES (?, 1)').run(1000 + sum)
      for (let row = 0; row < length; row++) sum += cellAt(columns.get('v')!, row) as number
    }
    writer.close()
    expect(sum).toBe(100)
  })

  test('tells its version by the column that is named, and by the columns there are', async () => {
    const database = make('CREATE TABLE t (id INTEGER PRIMARY KEY, changed TEXT); INSERT INTO t VALUES (1, 5), (2, 4)')
    const version = () => sqliteConnector.version(options({ table: 't', versionColumn: 'changed' }))
    const first = await version()
    expect(first).toMatch(/^changed 5, 2 rows, columns [0-9a-f]{12}$/)
    expect(await version()).toBe(first)
    database.exec('DELETE FROM t WHERE id = 2')
    expect(await version()).toContain('changed 5, 1 rows')
    database.exec('ALTER TABLE t ADD COLUMN more INTEGER')
    expect(await version()).not.toContain(first!.slice(-12))
    expect(await sqliteConnector.version(options({ table: 't' }))).toBeUndefined()
    database.close()
  })

  test('of what is no database, is not there or lies outside says so', async () => {
    writeFileSync(
      join(root, 'data.db'),
      'no database at all, but long enough to be looked at as one of them'.repeat(20),
    )
    await expect(readAll({ table: 't' })).rejects.toMatchObject({ code: 'ZEN_SOURCE_READ' })
    await expect(readAll({ path: 'dta.db', table: 't' })).rejects.toThrow(/does not exist. Did you mean "data.db"/)
    symlinkSync('/etc/hostname', join(root, 'link.db'))
    await expect(readAll({ path: 'link.db', table: 't' })).rejects.toMatchObject({ code: 'ZEN_SOURCE_OUTSIDE' })
  })
})
