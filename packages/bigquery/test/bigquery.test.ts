import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BigQueryDatasource } from 'zenml/sources'
import { cellAt } from '../../zenml/src/formats/examples-reader.ts'
import { sourceTools } from '../../zenml/src/sources/source-package.ts'
import { connector } from '../src/index.ts'
import { type DoubleRow, type DoubleTable, RestDouble } from './rest-double.ts'

const bigquery = connector(sourceTools, { longestPause: 0.01 })
let double: RestDouble
let directory: string
let credentials: string
beforeEach(async () => {
  double = await RestDouble.start()
  directory = mkdtempSync(join(tmpdir(), 'zenml-bigquery-'))
  credentials = double.writeCredentials(directory)
  vi.stubEnv('BIGQUERY_EMULATOR_HOST', double.url)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await double[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function options(spec: Partial<BigQueryDatasource>, signal?: AbortSignal) {
  return {
    spec: { type: 'bigquery', project: 'shop', dataset: 'sales', ...spec } as BigQueryDatasource,
    places: { root: directory, dataRoots: [] },
    environment: { GOOGLE_APPLICATION_CREDENTIALS: credentials },
    signal,
  }
}

async function readAll(
  spec: Partial<BigQueryDatasource>,
  { batchSize = 3, signal }: { batchSize?: number; signal?: AbortSignal } = {},
) {
  await using reading = await bigquery.read({ ...options(spec, signal), batchSize })
  const rows: { [feature: string]: unknown }[] = []
  for await (const { length, columns } of reading.batches)
    for (let row = 0; row < length; row++)
      rows.push(Object.fromEntries([...columns].map(([name, column]) => [name, cellAt(column, row)])))
  return { kinds: Object.fromEntries(reading.kinds), rows }
}

const codeOf = async (spec: Partial<BigQueryDatasource>): Promise<unknown> =>
  await readAll(spec).then(
    () => 'read',
    (error) => error.code,
  )

/** A table of whole numbers and texts, there since long. */
function put(name: string, rows: readonly DoubleRow[], more: Partial<DoubleTable> = {}): DoubleTable {
  const table: DoubleTable = {
    fields: [
      { name: 'id', type: 'INTEGER' },
      { name: 'name', type: 'STRING' },
    ],
    history: [{ at: Date.UTC(2025, 0, 1), rows }],
    ...more,
  }
  double.tables.set(name, table)
  return table
}

const many = (count: number): DoubleRow[] =>
  Array.from({ length: count }, (_, index) => ({ id: String((index * 7919) % count), name: `n${index}` }))

describe('a BigQuery datasource', () => {
  test('gives each type as the feature that holds it, in the order of its key', async () => {
    const types = {
      ...{ id: 'INTEGER', big: 'INT64', score: 'FLOAT', price: 'NUMERIC', wide: 'BIGNUMERIC', ok: 'BOOLEAN' },
      ...{ name: 'STRING', raw: 'BYTES', day: 'DATE', local: 'DATETIME', at: 'TIMESTAMP', clock: 'TIME' },
      ...{ doc: 'JSON', place: 'GEOGRAPHY' },
    }
    const fields = [
      ...Object.entries(types).map(([name, type]) => ({ name, type })),
      { name: 'words', type: 'STRING', mode: 'REPEATED' },
      { name: 'times', type: 'TIMESTAMP', mode: 'REPEATED' },
    ]
    const full = {
      ...{ id: '2', big: '-9223372036854775808', score: '-Infinity', price: '12.5', wide: '-1e-38', ok: 'true' },
      ...{ name: '\ufeffzwölf', raw: 'AP8=', day: '1970-01-02', local: '1970-01-01T00:00:00.000001' },
      ...{
        at: '-1',
        clock: '00:00:02',
        doc: '{"a":[1,null]}',
        place: 'POINT(1 2)',
        words: ['a', ''],
        times: ['5', '6'],
      },
    }
    put('shop.sales.t', [full, { id: '3', score: 'NaN', big: '9223372036854775807' }, { id: '1', ok: 'false' }], {
      fields,
    })
    const { kinds, rows } = await readAll({ table: 't', key: ['id'] })
    expect(kinds).toEqual({
      ...{
        id: 'int',
        big: 'int',
        score: 'float',
        price: 'float',
        wide: 'float',
        ok: 'int',
        name: 'bytes',
        raw: 'bytes',
      },
      ...{
        day: 'int',
        local: 'int',
        at: 'int',
        clock: 'int',
        doc: 'bytes',
        place: 'bytes',
        words: 'bytes',
        times: 'int',
      },
    })
    const [first, second, third] = rows
    expect(second).toEqual({
      ...{ id: 2, big: -9223372036854775808n, score: Number.NEGATIVE_INFINITY, price: 12.5, wide: Math.fround(-1e-38) },
      ...{ ok: 1, name: '\ufeffzwölf', raw: new Uint8Array([0, 255]), day: 86_400_000_000, local: 1, at: -1 },
      ...{ clock: 2_000_000, doc: '{"a":[1,null]}', place: 'POINT(1 2)', words: ['a', ''], times: [5, 6] },
    })
    expect(first).toMatchObject({ id: 1, ok: 0, name: null, at: null })
    expect(third).toMatchObject({ id: 3, score: Number.NaN, big: 9223372036854775807n })
  })

  test('is read page by page from one job, whose result no writer changes', async () => {
    const table = put('shop.sales.t', many(500), { primaryKey: ['id'] })
    double.pageLimit = 64
    await using reading = await bigquery.read({ ...options({ table: 't' }), batchSize: 100 })
    let rows = 0
    for await (const { length } of reading.batches) {
      table.history.push({ at: double.now + 1, rows: many(5) })
      rows += length
    }
    expect(rows).toBe(500)
    expect(double.run).toEqual([
      "SELECT * FROM `shop`.`sales`.`t` FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-02T03:04:05.678Z' ORDER BY `id`",
    ])
    expect(double.asked.filter((line) => line.includes('/queries/'))).toHaveLength(double.waits + Math.ceil(500 / 64))
  })

  test('is read as of a time by the clock of the service, before whatever is written after it', async () => {
    const table = put('shop.sales.t', [{ id: '1', name: 'old' }])
    table.history.push({ at: double.now + 5, rows: [{ id: '1', name: 'new' }] })
    expect((await readAll({ table: 't', key: ['id'] })).rows).toEqual([{ id: 1, name: 'old' }])
    double.now += 5
    expect((await readAll({ table: 't', key: ['id'] })).rows).toEqual([{ id: 1, name: 'new' }])
  })

  test('of a view, or of a query, has no time of its own', async () => {
    put('shop.sales.v', [{ id: '1', name: 'a' }], { type: 'VIEW' })
    put('SELECT 1 AS id -- one', [{ id: '1', name: 'a' }])
    expect((await readAll({ table: 'v', key: ['id'] })).rows).toEqual([{ id: 1, name: 'a' }])
    expect((await readAll({ query: 'SELECT 1 AS id -- one', key: ['id'] })).rows).toEqual([{ id: 1, name: 'a' }])
    expect(double.run).toEqual([
      'SELECT * FROM `shop`.`sales`.`v` ORDER BY `id`',
      'SELECT * FROM (SELECT 1 AS id -- one\n) ORDER BY `id`',
    ])
  })

  test('orders texts by their bytes and nulls first, and needs a key that tells its rows apart', async () => {
    put('shop.sales.t', [
      { id: '1', name: 'ä' },
      { id: '2', name: 'Z' },
      { id: '3', name: null },
      { id: '3', name: 'a' },
    ])
    const { rows } = await readAll({ table: 't', key: ['name'] })
    expect(rows.map(({ name }) => name)).toEqual([null, 'Z', 'a', 'ä'])
    await expect(readAll({ table: 't', key: ['id'] })).rejects.toThrow(/rows 3 and 4 have the same key \(id = 3\)/)
    expect(await codeOf({ table: 't' })).toBe('ZEN_SOURCE_KEY')
    expect(await codeOf({ table: 't', key: ['nope'] })).toBe('ZEN_SOURCE_KEY')
    put('shop.sales.j', [], { fields: [{ name: 'doc', type: 'JSON' }] })
    await expect(readAll({ table: 'j', key: ['doc'] })).rejects.toThrow(/"doc" \(JSON\) of the key has no order/)
  })

  test('may name the data set and the project of its table', async () => {
    put('public-data.samples.t', [{ id: '1', name: 'a' }])
    const { rows } = await readAll({ table: 'public-data.samples.t', key: ['id'] })
    expect(rows).toHaveLength(1)
    expect(double.asked[0]).toMatch(/^GET \/projects\/public-data\/datasets\/samples\/tables\/t\b/)
    expect(double.asked[1]).toMatch(/^POST \/projects\/shop\/jobs/)
  })

  test('outside of US and EU is read where it is', async () => {
    double.location = 'europe-west6'
    put('shop.sales.t', [{ id: '1', name: 'a' }])
    expect((await readAll({ table: 't', key: ['id'] })).rows).toHaveLength(1)
  })

  test('refuses what no feature holds, with the name of the column', async () => {
    put('shop.sales.s', [], { fields: [{ name: 'who', type: 'RECORD', mode: 'REPEATED' }] })
    await expect(readAll({ table: 's', key: ['who'] })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_COLUMNS',
      message: 'bigquery shop.sales: s: the column "who" is a list of STRUCT, which a feature cannot hold.',
      next: expect.stringContaining('TO_JSON_STRING(who) AS who'),
    })
    put('shop.sales.i', [], { fields: [{ name: 'span', type: 'INTERVAL' }] })
    expect(await codeOf({ table: 'i', key: ['span'] })).toBe('ZEN_SOURCE_COLUMNS')
    const field = (type: string, mode = 'NULLABLE') => ({
      fields: [
        { name: 'id', type: 'INTEGER' },
        { name: 'x', type, mode },
      ],
    })
    for (const [type, value] of [
      ['DATE', '10000-01-01'],
      ['INTEGER', '9223372036854775808'],
      ['FLOAT', 'many'],
      ['BOOLEAN', 'yes'],
      ['BYTES', '*'],
    ] as const) {
      put('shop.sales.t', [{ id: '1', x: value }], field(type))
      expect(await codeOf({ table: 't', key: ['id'] }), type).toBe('ZEN_SOURCE_VALUE')
    }
    put('shop.sales.t', [{ id: '1', x: ['a', null] }], field('STRING', 'REPEATED'))
    await expect(readAll({ table: 't', key: ['id'] })).rejects.toThrow(/row 1: the column "x" \(STRING REPEATED\) is/)
  })

  test('runs one SELECT and nothing else', async () => {
    const bad = 'SELECT 1 AS id); DROP TABLE t; SELECT (1'
    put(bad, [], { statementType: 'SCRIPT' })
    put('DELETE FROM t WHERE true', [], { statementType: 'DELETE' })
    expect(await codeOf({ query: bad, key: ['id'] })).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf({ query: 'DELETE FROM t WHERE true;', key: ['id'] })).toBe('ZEN_SOURCE_QUERY')
    expect(await codeOf({ query: 'SELECT nope', key: ['id'] })).toBe('ZEN_SOURCE_QUERY')
    expect(double.run).toEqual([])
  })

  test('is not read beyond the bytes that may be billed', async () => {
    put('shop.sales.t', many(3))
    await expect(readAll({ table: 't', key: ['id'], maxBytesBilled: 1000 })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_LIMIT',
      message: expect.stringContaining('10485760 or higher required'),
      next: expect.stringContaining('maxBytesBilled'),
    })
    expect(await codeOf({ table: 't', key: ['id'], maxBytesBilled: 10_485_760 })).toBe('read')
  })
})

describe('the version of a BigQuery datasource', () => {
  const version = async (spec: Partial<BigQueryDatasource>) => await bigquery.version(options(spec))

  test('is what the service tells of a table, where that tells of its rows', async () => {
    const table = put('shop.sales.t', many(3))
    expect(await version({ table: 't' })).toBe('modified 1735689600000, 3 rows, etag etag-1735689600000')
    table.history.push({ at: Date.UTC(2025, 0, 2), rows: many(3) })
    expect(await version({ table: 't' })).toBe('modified 1735776000000, 3 rows, etag etag-1735776000000')
    expect(double.run).toEqual([])
    for (const more of [
      { type: 'VIEW' },
      { type: 'EXTERNAL' },
      { more: { streamingBuffer: { estimatedRows: '5' } } },
      { more: { timePartitioning: { type: 'DAY', expirationMs: '1000' } } },
    ]) {
      put('shop.sales.o', many(3), more)
      expect(await version({ table: 'o' }), JSON.stringify(more)).toBeUndefined()
    }
    expect(await version({ query: 'SELECT 1', key: ['a'] })).toBeUndefined()
  })

  test('is that of a column which is named, with the number of rows and the columns', async () => {
    const query = 'SELECT * FROM other'
    put(query, many(20))
    const first = await version({ query, key: ['id'], versionColumn: 'id' })
    expect(first).toMatch(/^id "19", 20 rows, columns [0-9a-f]{12}$/)
    put(query, many(20), { fields: [{ name: 'id', type: 'INTEGER' }] })
    expect(await version({ query, key: ['id'], versionColumn: 'id' })).not.toBe(first)
  })
})

describe('BigQuery that gives nothing', { timeout: 60_000 }, () => {
  test('for want of credentials says which, and nothing of what their file holds', async () => {
    put('shop.sales.t', many(3))
    const spec = options({ table: 't', key: ['id'] })
    const failed = async (environment: { [name: string]: string }) =>
      await bigquery.read({ ...spec, environment }).then(
        () => 'read',
        (error) => error,
      )
    expect(await failed({})).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('is not set'),
    })
    expect(await failed({ GOOGLE_APPLICATION_CREDENTIALS: join(directory, 'none.json') })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('there is no such file'),
    })
    for (const text of [
      '{"private_key": "hush-hush" oops',
      'hush-hush',
      '{"type":"hush-hush","private_key":"hush-hush"}',
    ]) {
      writeFileSync(join(directory, 'bad.json'), text)
      const error = await failed({ GOOGLE_APPLICATION_CREDENTIALS: join(directory, 'bad.json') })
      expect(error, text).toMatchObject({ code: 'ZEN_SOURCE_DENIED' })
      expect(`${error.message} ${error.cause}`).not.toContain('hush')
    }
    const other = double.writeCredentials(join(directory, 'other'), 'a-subject-that-nobody-knows')
    expect(await failed({ GOOGLE_APPLICATION_CREDENTIALS: other })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('invalid_grant'),
    })
    expect(double.asked).toEqual([])
  })

  test('says whether access, the table or the service is what is wrong', async () => {
    put('shop.sales.denied', [], { isDenied: true })
    put('shop.sales.t', many(3))
    const spec = { table: 't', key: ['id'] }
    expect(await codeOf({ table: 'denied', key: ['id'] })).toBe('ZEN_SOURCE_DENIED')
    expect(await codeOf({ table: 'none', key: ['id'] })).toBe('ZEN_SOURCE_QUERY')
    for (const [status, reason, code] of [
      [400, 'invalid', 'ZEN_SOURCE_QUERY'],
      [401, 'authError', 'ZEN_SOURCE_DENIED'],
      [403, 'quotaExceeded', 'ZEN_SOURCE_READ'],
      [403, 'responseTooLarge', 'ZEN_SOURCE_LIMIT'],
      [404, 'notFound', 'ZEN_SOURCE_QUERY'],
    ] as const) {
      double.faults.splice(0, 9, { of: /^POST .*\/jobs/, times: 1, status, reason })
      expect(await codeOf(spec), `${status} ${reason}`).toBe(code)
    }
    double.faults.splice(0, 9, { of: /./, times: 99, status: 503, reason: 'backendError' })
    expect(await codeOf(spec)).toBe('ZEN_SOURCE_CONNECT')
    vi.stubEnv('BIGQUERY_EMULATOR_HOST', 'http://127.0.0.1:1')
    expect(await codeOf(spec)).toBe('ZEN_SOURCE_CONNECT')
  })

  test('for a moment is asked again, and the rows are the same', async () => {
    put('shop.sales.t', many(50))
    double.pageLimit = 20
    const spec = { table: 't', key: ['id'] }
    const { rows } = await readAll(spec)
    double.faults.push(
      { of: /^POST .*\/jobs/, times: 1, status: 503, reason: 'backendError' },
      { of: /pageToken/, times: 1, status: 429, reason: 'rateLimitExceeded' },
      { of: /\/tables\//, times: 1, status: 'cut' },
    )
    expect((await readAll(spec)).rows).toEqual(rows)
  })

  test('in the middle of a read is lost, and so are rows that never come', async () => {
    put('shop.sales.t', many(50))
    double.pageLimit = 20
    double.faults.push({ of: /pageToken/, times: 99, status: 'cut' })
    expect(await codeOf({ table: 't', key: ['id'] })).toBe('ZEN_SOURCE_LOST')
    double.faults.splice(0, 9, { of: /pageToken/, times: 99, status: 503, reason: 'backendError' })
    expect(await codeOf({ table: 't', key: ['id'] })).toBe('ZEN_SOURCE_LOST')
    double.faults.splice(0, 9)
    double.forgetsPages = true
    await expect(readAll({ table: 't', key: ['id'] })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('20 rows came of 50'),
    })
  })

  test('in time is not waited for any longer', async () => {
    put('shop.sales.t', many(50))
    const hasty = connector(sourceTools, { longestAnswer: 0.5 })
    double.faults.push({ of: /\/tables\//, times: 1, status: 'silent' })
    await expect(hasty.read(options({ table: 't', key: ['id'] }))).rejects.toMatchObject({
      code: 'ZEN_SOURCE_CONNECT',
      message: expect.stringContaining('no answer within 0.5 seconds'),
    })
  })

  test('but other columns than it told is not read', async () => {
    put('v', many(5))
    double.beforeRun = () => put('v', many(5), { fields: [{ name: 'id', type: 'INTEGER' }] })
    await expect(readAll({ query: 'v', key: ['id'] })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_READ',
      message: expect.stringContaining('its columns changed while it was read'),
    })
  })

  test('is left at once where the caller stops, and the job is told', async () => {
    put('shop.sales.t', many(50))
    double.waits = 1000
    const stop = new AbortController()
    const reading = readAll({ table: 't', key: ['id'] }, { signal: stop.signal })
    await vi.waitFor(() => expect(double.asked.some((line) => line.includes('/queries/'))).toBe(true), 10_000)
    stop.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(double.cancelled).toHaveLength(1)
  })
})
