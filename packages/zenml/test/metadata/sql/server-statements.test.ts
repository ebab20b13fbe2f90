import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../../src/metadata/open.ts'
import { simpleTypes } from '../../../src/metadata/schema-10.ts'
import { numbered } from '../../../src/metadata/sql/postgres-text.ts'
import {
  change,
  insert,
  type SqlValue,
  select,
  selectIn,
  selectOne,
  type Work,
} from '../../../src/metadata/sql/work.ts'
import { freshDatabase, isRunning, runningServers } from '../../support/databases.ts'
import { startServer } from '../../support/servers.ts'

const properties = ['artifact_id', 'name', 'is_custom_property', 'int_value', 'double_value', 'string_value'] as const

it('the text of a property is compared by its beginning too, which has an index, and set as it is', () => {
  const both = '(string_value = $1 AND left(string_value, 255) = left($1, 255))'
  expect(numbered('SELECT 1 FROM P WHERE string_value = ?')).toBe(`SELECT 1 FROM P WHERE ${both}`)
  expect(numbered('UPDATE P SET string_value = ? WHERE id = ?')).toBe('UPDATE P SET string_value = $1 WHERE id = $2')
})

it('question marks become numbers, but not in texts and quoted names', () => {
  expect(numbered(`SELECT '?', "a?""?" FROM t WHERE a = ? AND b = 'it''s ?' AND c IN (?, ?)`)).toBe(
    `SELECT '?', "a?""?" FROM t WHERE a = $1 AND b = 'it''s ?' AND c IN ($2, $3)`,
  )
})

it.each(runningServers)('values come back from %s as they went in', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''))
  const row = fc.record({
    int: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    double: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    text: fc.option(text),
    proto: fc.option(fc.uint8Array({ maxLength: 40 })),
    bool: fc.option(fc.boolean()),
    custom: fc.boolean(),
    time: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  })
  let id = 100
  await fc.assert(
    fc.asyncProperty(row, async ({ int, double, text, proto, bool, custom, time }) => {
      id++
      const [found, node] = await database.write(function* () {
        yield* insert({
          table: 'ExecutionProperty',
          columns: [
            'execution_id',
            'name',
            'is_custom_property',
            'int_value',
            'double_value',
            'string_value',
            'proto_value',
            'bool_value',
          ],
          rows: [[id, 'n', custom, int, double, text, proto, bool]],
        })
        const [context] = yield* insert({
          table: 'Context',
          columns: ['type_id', 'name', 'create_time_since_epoch'],
          rows: [[1, String(id), time]],
          ids: true,
        })
        return [
          yield* selectOne('SELECT * FROM ExecutionProperty WHERE execution_id = ? AND is_custom_property = ?', [
            id,
            custom,
          ]),
          yield* selectOne('SELECT id, create_time_since_epoch FROM Context WHERE id = ?', [context!]),
        ]
      })
      expect(found).toMatchObject({
        is_custom_property: custom ? 1 : 0,
        int_value: int,
        // MariaDB keeps no sign of zero.
        double_value: type === 'mysql' && double === 0 ? 0 : double,
        string_value: text,
        bool_value: bool === null ? null : bool ? 1 : 0,
      })
      const bytes = found!['proto_value']
      expect(bytes instanceof Uint8Array ? [...bytes] : bytes).toEqual(proto === null ? null : [...proto])
      const number = Number(time)
      expect(node!['create_time_since_epoch']).toBe(Number.isSafeInteger(number) ? number : time)
    }),
    {
      numRuns: 60,
      examples: [[{ int: null, double: -0, text: null, proto: null, bool: null, custom: false, time: 0n }]],
    },
  )
})

it.each(runningServers)('a row that is there already is no change on %s', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const store = (): Promise<number> =>
    database.write(function* () {
      const answer = yield { table: 'Context', columns: ['type_id', 'name'], rows: [[1, 'one']], onConflict: 'ignore' }
      return answer.changes
    })
  expect(await store()).toBe(1)
  expect(await store()).toBe(0)
})

it.each(runningServers)('ids of many rows come back from %s in their order', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const names = Array.from({ length: 500 }, (_, index) => `name ${index}`)
  const ids = await database.write(() =>
    insert({ table: 'Context', columns: ['type_id', 'name'], rows: names.map((name) => [1, name]), ids: true }),
  )
  const rows = await database.read(() =>
    selectIn<{ id: number; name: string }>('SELECT id, name FROM Context WHERE id IN (??)', ids),
  )
  const byId = new Map(rows.map(({ id, name }) => [id, name]))
  expect(ids.map((id) => byId.get(id))).toEqual(names)
})

it.skipIf(!isRunning('mysql'))(
  'a server of MySQL that leaves gaps between ids, as clusters do, is believed (skipped without a server)',
  async () => {
    await using server = await startServer('mysql', {
      options: ['--auto-increment-increment=3', '--auto-increment-offset=2'],
    })
    await using fresh = freshDatabase('mysql', server)
    await using database = await openDatabase(fresh.location)
    expect(await database.read(() => select('SELECT id, name FROM Type ORDER BY id'))).toEqual(
      simpleTypes.map(({ name }, index) => ({ id: index + 1, name })),
    )
    const names = ['a', 'b', 'c']
    const ids = await database.write(() =>
      insert({ table: 'Context', columns: ['type_id', 'name'], rows: names.map((name) => [1, name]), ids: true }),
    )
    expect(ids[1]! - ids[0]!).toBe(3)
    expect(await database.read(() => select('SELECT id, name FROM Context ORDER BY id'))).toEqual(
      names.map((name, index) => ({ id: ids[index], name })),
    )
  },
)

it.each(runningServers)('a taken key on %s fails, is ignored or overwrites, as the insert says', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const put = (int: SqlValue, onConflict: 'fail' | 'ignore' | { keys: string[]; update: string[] }): Promise<unknown> =>
    database.write(() =>
      insert({
        table: 'ArtifactProperty',
        columns: properties,
        rows: [[1, 'p', false, int, null, 'text']],
        onConflict,
      }),
    )
  const now = async (): Promise<unknown> =>
    (await database.read(() => selectOne('SELECT int_value FROM ArtifactProperty')))?.['int_value']
  await put(1, 'fail')
  await expect(put(2, 'fail')).rejects.toMatchObject({ name: 'SqlError', kind: 'unique' })
  await put(3, 'ignore')
  expect(await now()).toBe(1)
  await put(4, { keys: ['artifact_id', 'name', 'is_custom_property'], update: ['int_value'] })
  expect(await now()).toBe(4)
  // What is ignored is a taken key and nothing else.
  await expect(put(2n ** 40n, 'ignore')).rejects.toMatchObject({ name: 'SqlError', kind: 'range' })
  expect(await now()).toBe(4)
})

it.each(runningServers)(
  'what goes wrong on %s is told in words of no database, and nothing has changed then',
  async (type) => {
    await using fresh = freshDatabase(type)
    await using database = await openDatabase(fresh.location)
    const failing = (text: string, values: readonly SqlValue[]): Promise<unknown> =>
      database.write(function* () {
        yield* change(`INSERT INTO Context (type_id, name) VALUES (1, 'before')`)
        yield* change(text, values)
      })
    await expect(failing('SELECT * FROM Nothing', [])).rejects.toMatchObject({ kind: 'missing' })
    await expect(failing('SELECT nothing FROM Type', [])).rejects.toMatchObject({ kind: 'missing' })
    await expect(failing('INSERT INTO Artifact (type_id) VALUES (?)', [2n ** 31n])).rejects.toMatchObject({
      kind: 'range',
    })
    await expect(
      failing('INSERT INTO Artifact (type_id, name) VALUES (?, ?)', [1, 'x'.repeat(256)]),
    ).rejects.toMatchObject({ kind: 'long' })
    await expect(
      database.write(function* () {
        yield* change(`INSERT INTO Context (type_id, name) VALUES (1, 'before')`)
        throw new RangeError('the work itself')
      }),
    ).rejects.toThrow(RangeError)
    expect(await database.read(() => select('SELECT name FROM Context'))).toEqual([])
  },
)

it.each(runningServers)('a reader on %s sees one state while others write', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const pause = (seconds: number): Work<unknown> =>
    select(type === 'mysql' ? `SELECT SLEEP(${seconds}) AS slept` : `SELECT 1 AS slept FROM pg_sleep(${seconds})`)
  const count = function* (): Work<number> {
    return (yield* selectOne<{ many: number }>('SELECT COUNT(*) AS many FROM Context'))!.many
  }
  const [seen] = await Promise.all([
    database.read(function* () {
      const before = yield* count()
      // The writer commits in the meantime.
      yield* pause(1)
      return [before, yield* count()]
    }),
    database.write(function* () {
      yield* pause(0.5)
      yield* change(`INSERT INTO Context (type_id, name) VALUES (1, 'new')`)
    }),
  ])
  expect(seen).toEqual([0, 0])
  expect(await database.read(count)).toBe(1)
})

it.each(runningServers)('a reader on %s cannot write', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  await expect(database.read(() => change('DELETE FROM Type'))).rejects.toThrow()
  expect(await database.read(() => select('SELECT id FROM Type'))).toHaveLength(9)
})

it('a database of SQLite opens in the same way, and its statements can be counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const statements: string[] = []
  const location = { type: 'sqlite', path: join(folder, 'metadata.db') } as const
  await using database = await openDatabase(location, { onStatement: (text) => statements.push(text) })
  expect(await database.read(() => select('SELECT id FROM Type'))).toHaveLength(simpleTypes.length)
  statements.splice(0)
  // A lock that servers need is nothing to a writer that is alone.
  await database.write(() => select('SELECT schema_version FROM MLMDEnv', [], { locking: true }))
  expect(statements).toHaveLength(3)
})

it.each(runningServers)('statements on %s can be counted', async (type) => {
  await using fresh = freshDatabase(type)
  const statements: string[] = []
  await using database = await openDatabase(fresh.location, { onStatement: (text) => statements.push(text) })
  await database.write(() => change('UPDATE Type SET version = NULL WHERE id = ?', [0]))
  statements.splice(0)
  await database.write(() => change('UPDATE Type SET version = NULL WHERE id = ?', [0]))
  // On MySQL a transaction that writes begins with its first statement.
  expect(statements).toHaveLength(type === 'mysql' ? 2 : 3)
  expect(statements.at(-1)).toBe('COMMIT')
})
