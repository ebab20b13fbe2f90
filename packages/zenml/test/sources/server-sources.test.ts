import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cellAt } from '../../src/formats/examples-reader.ts'
import type { ServerDatasource } from '../../src/model/datasource-spec.ts'
import type { RowConnector } from '../../src/sources/connector.ts'
import { mysqlConnector } from '../../src/sources/mysql.ts'
import { postgresConnector } from '../../src/sources/postgres.ts'
import { administer, type FreshDatabase, freshDatabase, isRunning } from '../support/databases.ts'
import { startServer, type TestServer } from '../support/servers.ts'

type ServerType = ServerDatasource['type']
const connectors: { readonly [type in ServerType]: RowConnector<ServerDatasource> } = {
  mysql: mysqlConnector,
  postgres: postgresConnector,
}
type Place = Pick<FreshDatabase['location'], 'host' | 'port' | 'user' | 'password' | 'database'>

function options(type: ServerType, place: Place, spec: Partial<ServerDatasource>, password = place.password) {
  const { host, port, user, database } = place
  return {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
    spec: { type, host, port, username: user, database, password: '${env:SQL_PASSWORD}', ...spec } as ServerDatasource,
    places: { root: '/', dataRoots: [] },
    environment: { SQL_PASSWORD: password },
  }
}

async function readAll(type: ServerType, place: Place, spec: Partial<ServerDatasource>) {
  await using reading = await connectors[type].read({ ...options(type, place, spec), batchSize: 3 })
  const rows: { [feature: string]: unknown }[] = []
  for await (const { length, columns } of reading.batches)
    for (let row = 0; row < length; row++)
      rows.push(Object.fromEntries([...columns].map(([name, column]) => [name, shown(cellAt(column, row))])))
  return { kinds: Object.fromEntries(reading.kinds), rows }
}

/** Bytes beyond ASCII as hexadecimal digits, so that they can be compared by eye. */
function shown(cell: unknown): unknown {
  return cell instanceof Uint8Array ? `0x${Buffer.from(cell).toString('hex')}` : cell
}

/** A session that sees and says everything in a way of its own must not be seen in what is read. */
const oddSettings = (database: string): readonly string[] => [
  `ALTER DATABASE ${database} SET TimeZone = 'Asia/Kolkata'`,
  `ALTER DATABASE ${database} SET DateStyle = 'German, DMY'`,
  `ALTER DATABASE ${database} SET bytea_output = 'escape'`,
]

describe.skipIf(!isRunning('postgres'))('a PostgreSQL datasource', { timeout: 120_000 }, () => {
  let database: FreshDatabase
  beforeAll(async () => {
    database = freshDatabase('postgres')
    await administer(database.location, undefined, `CREATE DATABASE ${database.location.database}`)
    for (const text of oddSettings(database.location.database)) await database.sql(text)
  }, 60_000)
  afterAll(async () => await database?.[Symbol.asyncDispose]())

  test('gives each type as the feature that holds it, whatever the settings of the database', async () => {
    await database.sql(`CREATE TYPE mood AS ENUM ('sad', 'glad')`)
    await database.sql(`CREATE TABLE kinds (id int PRIMARY KEY, big bigint, small smallint, ok boolean, price numeric(30,4),
      half real, whole double precision, day date, at timestamp, zoned timestamptz, clock time, name text, code varchar(9), fixed char(4),
      raw bytea, doc jsonb, key uuid, m mood, ints bigint[], words text[], flags boolean[])`)
    await database.sql(`INSERT INTO kinds VALUES
      (2, 9223372036854775807, -5, true, 12345678901234567890.5, 0.1, 0.1, '1970-01-02', '1970-01-01 00:00:00.000001',
       '1970-01-01 00:00:00+05:30', '00:00:02.5', 'zwei ü', 'x', 'ab', '\\x00ff', '{"a": [1]}',
       '6f2c1c3e-0000-4000-8000-000000000001', 'glad', '{1,-9223372036854775808}', '{"a,\\"b","NULL",c}', '{t,f}'),
      (1, NULL, NULL, NULL, 'NaN', 'Infinity', '-Infinity', NULL, '2300-01-01', NULL, NULL, '', NULL, NULL, '', NULL, NULL, NULL, '{}', NULL, NULL)`)
    const { kinds, rows } = await readAll('postgres', database.location, { table: 'kinds' })
    expect(kinds).toEqual({
      ...{ id: 'int', big: 'int', small: 'int', ok: 'int', price: 'float', half: 'float', whole: 'float', day: 'int' },
      ...{ at: 'int', zoned: 'int', clock: 'int', name: 'bytes', code: 'bytes', fixed: 'bytes', raw: 'bytes' },
      ...{ doc: 'bytes', key: 'bytes', m: 'bytes', ints: 'int', words: 'bytes', flags: 'int' },
    })
    expect(rows[0]).toEqual({
      ...{ id: 1, big: null, small: null, ok: null, price: Number.NaN, half: Infinity, whole: -Infinity, day: null },
      ...{ at: 10413792000000000n, zoned: null, clock: null, name: '', code: null, fixed: null, raw: '', doc: null },
      ...{ key: null, m: null, ints: null, words: null, flags: null },
    })
    expect(rows[1]).toEqual({
      ...{ id: 2, big: 9223372036854775807n, small: -5, ok: 1, price: Math.fround(1.2345678901234567e19) },
      ...{ half: Math.fround(0.1), whole: Math.fround(0.1), day: 86_400_000_000, at: 1, zoned: -19_800_000_000 },
      ...{ clock: 2_500_000, name: 'zwei ü', code: 'x', fixed: 'ab  ', raw: '0x00ff', doc: '{"a": [1]}', m: 'glad' },
      ...{ key: '6f2c1c3e-0000-4000-8000-000000000001', ints: [1, -9223372036854775808n] },
      ...{ words: ['a,"b', 'NULL', 'c'], flags: [1, 0] },
    })
  })

  test('refuses what no feature holds, with the row or the column', async () => {
    const trial = (query: string) => readAll('postgres', database.location, { query, key: ['id'] })
    await expect(trial("SELECT 1 AS id, interval '1 day' AS span")).rejects.toThrow(/column "span" is interval/)
    await expect(trial("SELECT 1 AS id, timestamp 'infinity' AS at")).rejects.toMatchObject({
      code: 'ZEN_SOURCE_VALUE',
      message: expect.stringContaining('row 1: the column "at" (timestamp) is "infinity"'),
    })
    await expect(trial("SELECT 1 AS id, '{1,NULL}'::int[] AS list")).rejects.toThrow(/row 1: the column "list"/)
    await expect(trial("SELECT 1 AS id, '{{1,2},{3,4}}'::int[] AS list")).rejects.toThrow(/row 1: the column "list"/)
    await expect(trial('SELECT 1 AS id, 2 AS id')).rejects.toMatchObject({ code: 'ZEN_SOURCE_COLUMNS' })
    await expect(trial('SELECT nope')).rejects.toMatchObject({ code: 'ZEN_SOURCE_QUERY' })
    await expect(trial('SELECT 1 AS id) AS x; DROP TABLE kinds; SELECT (1')).rejects.toMatchObject({
      code: 'ZEN_SOURCE_QUERY',
    })
    await expect(trial('SELECT i AS id, 1 / (5 - i) AS x FROM generate_series(1, 9) AS i')).rejects.toMatchObject({
      code: 'ZEN_SOURCE_READ',
    })
  })
})

describe.skipIf(!isRunning('mysql'))('a MySQL datasource', { timeout: 120_000 }, () => {
  let database: FreshDatabase
  beforeAll(async () => {
    database = freshDatabase('mysql')
    await administer(database.location, undefined, `CREATE DATABASE ${database.location.database}`)
  }, 60_000)
  afterAll(async () => await database?.[Symbol.asyncDispose]())

  test('gives each type as the feature that holds it, whatever the time zone of the server', async () => {
    await database.sql(`CREATE TABLE kinds (id int PRIMARY KEY, big bigint, natural_ bigint unsigned, padded int(8) zerofill, ok boolean,
      price decimal(30,4), half float, whole double, day date, at datetime(6), zoned timestamp(3) NULL, clock time(1), y year, bits bit(12),
      name text CHARACTER SET latin1, code varchar(9), fixed char(4), raw varbinary(8), lump blob, doc json, m enum('sad', 'glad'), s set('a', 'b'))`)
    await database.sql("SET time_zone = '+00:00'")
    await database.sql(`INSERT INTO kinds SELECT 2, 9223372036854775807, 9223372036854775807, 42, true, 12345678901234567890.5, 0.1, 0.1,
      '1970-01-02', '1970-01-01 00:00:00.000001', FROM_UNIXTIME(1.5), '-838:59:59.5', 2024, b'101', 'zwei ü', 'x', 'ab', x'00ff', x'ff',
      '{"a": [1]}', 'glad', 'a,b'`)
    await database.sql('INSERT INTO kinds (id, at) VALUES (1, "2300-01-01")')
    await database.sql("SET GLOBAL time_zone = '+05:00'")
    try {
      const { kinds, rows } = await readAll('mysql', database.location, { table: 'kinds' })
      expect(kinds).toEqual({
        ...{ id: 'int', big: 'int', natural_: 'int', padded: 'int', ok: 'int', price: 'float', half: 'float' },
        ...{ whole: 'float', day: 'int', at: 'int', zoned: 'int', clock: 'int', y: 'int', bits: 'int', name: 'bytes' },
        ...{ code: 'bytes', fixed: 'bytes', raw: 'bytes', lump: 'bytes', doc: 'bytes', m: 'bytes', s: 'bytes' },
      })
      expect(rows[0]).toEqual({
        ...Object.fromEntries(Object.keys(kinds).map((name) => [name, null])),
        ...{ id: 1, at: 10413792000000000n },
      })
      expect(rows[1]).toEqual({
        ...{ id: 2, big: 9223372036854775807n, natural_: 9223372036854775807n, padded: 42, ok: 1 },
        ...{ price: Math.fround(1.2345678901234567e19), half: Math.fround(0.1), whole: Math.fround(0.1) },
        ...{ day: 86_400_000_000, at: 1, zoned: 1_500_000, clock: -3_020_399_500_000, y: 2024, bits: 5 },
        ...{
          name: 'zwei ü',
          code: 'x',
          fixed: 'ab',
          raw: '0x00ff',
          lump: '0xff',
          doc: '{"a": [1]}',
          m: 'glad',
          s: 'a,b',
        },
      })
    } finally {
      await database.sql("SET GLOBAL time_zone = 'SYSTEM'")
    }
  })

  test('refuses what no feature holds, with the row or the column', async () => {
    const trial = (query: string) => readAll('mysql', database.location, { query, key: ['id'] })
    await expect(trial('SELECT 1 AS id, POINT(1, 1) AS p')).rejects.toThrow(/column "p" is of type 255/)
    await expect(trial('SELECT 1 AS id, 18446744073709551615 AS n')).rejects.toMatchObject({
      code: 'ZEN_SOURCE_VALUE',
      message: expect.stringContaining('row 1: 18446744073709551615 is no int'),
    })
    await database.sql('CREATE TABLE zero (id int PRIMARY KEY, day date)')
    await database.sql("INSERT IGNORE INTO zero VALUES (1, '2024-02-31')")
    await expect(readAll('mysql', database.location, { table: 'zero' })).rejects.toThrow(
      /row 1: the column "day" \(date 63\) is "0000-00-00"/,
    )
    await expect(trial('SELECT nope')).rejects.toMatchObject({ code: 'ZEN_SOURCE_QUERY' })
    await expect(trial("SELECT 1 AS id) AS x INTO OUTFILE '/tmp/x' -- ")).rejects.toMatchObject({
      code: 'ZEN_SOURCE_QUERY',
    })
    await expect(trial('SELECT 1 AS id) AS x; DROP TABLE kinds; SELECT (1')).rejects.toMatchObject({
      code: 'ZEN_SOURCE_QUERY',
    })
  })
})

describe.each(['mysql', 'postgres'] as const)('a datasource of a %s server', { timeout: 180_000 }, (type) => {
  describe.skipIf(!isRunning(type))('that runs', () => {
    let database: FreshDatabase
    const text = type === 'mysql' ? 'varchar(40)' : 'text'
    beforeAll(async () => {
      database = freshDatabase(type)
      const charset = type === 'mysql' ? ' CHARACTER SET utf8mb4' : ''
      await administer(database.location, undefined, `CREATE DATABASE ${database.location.database}${charset}`)
    }, 60_000)
    afterAll(async () => await database?.[Symbol.asyncDispose]())
    const read = (spec: Partial<ServerDatasource>) => readAll(type, database.location, spec)

    test('orders texts by their bytes, and refuses a key that does not tell rows apart', async () => {
      await database.sql(`CREATE TABLE words (word ${text} PRIMARY KEY, n int)`)
      await database.sql(
        "INSERT INTO words VALUES ('b', 1), ('ä', 1), ('C', 2), ('z', 2), ('é', 3)".replace(
          ", ('B', 2)",
          type === 'mysql' ? '' : ", ('B', 2)",
        ),
      )
      const words = (await read({ table: 'words' })).rows.map(({ word }) => word)
      expect(words).toEqual(
        [...words].sort((a, b) => Buffer.compare(Buffer.from(a as string), Buffer.from(b as string))),
      )
      await expect(read({ table: 'words', key: ['n'] })).rejects.toThrow(/rows 1 and 2 have the same key \(n = 1\)/)
      await expect(read({ table: 'words', key: ['m'] })).rejects.toThrow(/gives no column "m"/)
      await database.sql('CREATE TABLE keyless (n int)')
      await expect(read({ table: 'keyless' })).rejects.toThrow(/has no primary key/)
    })

    test('has its composite primary key read in its own order', async () => {
      await database.sql('CREATE TABLE pairs (a int, b int, PRIMARY KEY (b, a))')
      await database.sql('INSERT INTO pairs VALUES (1, 2), (2, 1), (3, 1)')
      expect((await read({ table: 'pairs' })).rows).toEqual([
        { a: 2, b: 1 },
        { a: 3, b: 1 },
        { a: 1, b: 2 },
      ])
      const schema = type === 'mysql' ? database.location.database : 'public'
      expect((await read({ table: `${schema}.pairs` })).rows).toHaveLength(3)
    })

    test('is read as one state, whatever a writer beside it does', async () => {
      await database.sql('CREATE TABLE moving (id int PRIMARY KEY, v int)')
      await database.sql(
        `INSERT INTO moving VALUES ${Array.from({ length: 5000 }, (_, id) => `(${id}, 1)`).join(', ')}`,
      )
      await using reading = await connectors[type].read({
        ...options(type, database.location, { table: 'moving' }),
        batchSize: 500,
      })
      let [sum, batches] = [0, 0]
      for await (const { length, columns } of reading.batches) {
        if (batches++ < 3) {
          await database.sql('UPDATE moving SET v = v + 1')
          await database.sql(`INSERT INTO moving VALUES (${10_000 + batches}, 1)`)
          await database.sql('DELETE FROM moving WHERE id = 4999 - '.concat(String(batches)))
        }
        for (let row = 0; row < length; row++) sum += cellAt(columns.get('v')!, row) as number
      }
      expect(sum).toBe(5000)
    })

    test('of 200 MB is read by one who is slow in memory that does not grow with it', async () => {
      await database.sql('CREATE TABLE large (id int PRIMARY KEY, word text)')
      const numbers =
        type === 'mysql'
          ? 'SELECT seq, REPEAT("x", 1000) FROM seq_1_to_200000'
          : "SELECT i, repeat('x', 1000) FROM generate_series(1, 200000) AS i"
      await database.sql(`INSERT INTO large ${numbers}`)
      const before = process.memoryUsage().rss
      await using reading = await connectors[type].read(options(type, database.location, { table: 'large' }))
      let [rows, most] = [0, 0]
      for await (const { length } of reading.batches) {
        rows += length
        await new Promise((resolve) => setTimeout(resolve, 20))
        most = Math.max(most, process.memoryUsage().rss - before)
      }
      expect(rows).toBe(200_000)
      expect(most).toBeLessThan(120e6)
    })

    test('tells its version by the column that is named, and by the columns there are', async () => {
      await database.sql('CREATE TABLE changing (id int PRIMARY KEY, at timestamp NULL)')
      await database.sql("INSERT INTO changing VALUES (1, '2024-01-01'), (2, '2024-01-02')")
      const version = () =>
        connectors[type].version(options(type, database.location, { table: 'changing', versionColumn: 'at' }))
      const first = await version()
      expect(first).toMatch(/^at 2024-01-0\d.*, 2 rows, columns [0-9a-f]{12}$/)
      expect(await version()).toBe(first)
      await database.sql('DELETE FROM changing WHERE id = 1')
      expect(await version()).toContain(', 1 rows')
      await database.sql('ALTER TABLE changing ADD COLUMN more int')
      expect(await version()).not.toContain(first!.slice(-12))
      expect(await connectors[type].version(options(type, database.location, { table: 'changing' }))).toBeUndefined()
    })

    test('tells a change of the last digit of a float from no change', async () => {
      await database.sql(`CREATE TABLE drifting (id int PRIMARY KEY, at ${type === 'mysql' ? 'float' : 'real'})`)
      await database.sql('INSERT INTO drifting VALUES (1, 16777214)')
      const version = () =>
        connectors[type].version(options(type, database.location, { table: 'drifting', versionColumn: 'at' }))
      const first = await version()
      await database.sql('UPDATE drifting SET at = 16777215')
      expect(await version()).not.toBe(first)
    })

    test('with a wrong password, no variable for it, no database or no server says so without the password', async () => {
      const attempt = async (spec: Partial<ServerDatasource>, password = 'tell-nobody') =>
        await connectors[type].read(options(type, database.location, { table: 'words', ...spec }, password)).then(
          () => expect.unreachable(),
          (error) => {
            expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause?.message}`).not.toContain(
              'tell-nobody',
            )
            return error.code
          },
        )
      expect(await attempt({})).toBe('ZEN_SOURCE_DENIED')
      expect(await attempt({}, '')).toBe('ZEN_SOURCE_DENIED')
      expect(await attempt({ database: 'nowhere' }, database.location.password)).toBe('ZEN_SOURCE_DENIED')
      expect(await attempt({ port: 1 })).toBe('ZEN_SOURCE_CONNECT')
      expect(await attempt({ tls: {} }, database.location.password)).toBe('ZEN_SOURCE_CONNECT')
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
      expect(await attempt({ password: '${env:NOT_SET}' })).toBe('ZEN_SOURCE_VARIABLE')
    })

    test('is given up at once by one who aborts', async () => {
      const abort = new AbortController()
      const slow = type === 'mysql' ? 'SELECT 1 AS id, SLEEP(60) AS s' : 'SELECT 1 AS id, pg_sleep(60)::text AS s'
      const reading = connectors[type].read({
        ...options(type, database.location, { query: slow, key: ['id'] }),
        signal: abort.signal,
      })
      const all = (async () => {
        await using opened = await reading
        for await (const _batch of opened.batches);
      })()
      setTimeout(() => abort.abort(new Error('enough')), 300)
      await expect(all).rejects.toThrow('enough')
    })
  })

  describe.skipIf(!isRunning(type))('that dies', () => {
    let server: TestServer
    beforeAll(async () => {
      server = await startServer(type)
    }, 120_000)
    afterAll(async () => await server?.[Symbol.asyncDispose]())

    test('in the middle of a read is lost, and is read anew when it is back', async () => {
      const database = freshDatabase(type, server)
      await administer(database.location, undefined, `CREATE DATABASE ${database.location.database}`)
      await database.sql('CREATE TABLE many (id int PRIMARY KEY, word text)')
      for (let from = 0; from < 30_000; from += 5000)
        await database.sql(
          `INSERT INTO many VALUES ${Array.from({ length: 5000 }, (_, at) => `(${from + at}, '${'x'.repeat(400)}')`).join(', ')}`,
        )
      const all = async (onBatch: () => Promise<void>) => {
        await using reading = await connectors[type].read(options(type, database.location, { table: 'many' }))
        let rows = 0
        for await (const { length } of reading.batches) {
          if (rows === 0) await onBatch()
          rows += length
        }
        return rows
      }
      await expect(all(() => server.kill())).rejects.toMatchObject({ code: 'ZEN_SOURCE_LOST' })
      await expect(all(async () => {})).rejects.toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
      await server.start()
      expect(await all(async () => {})).toBe(30_000)
    })
  })
})
