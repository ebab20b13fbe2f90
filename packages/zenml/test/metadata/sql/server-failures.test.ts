import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../../src/metadata/open.ts'
import type { SqlDatabase } from '../../../src/metadata/sql/database.ts'
import type { ServerLocation } from '../../../src/metadata/sql/location.ts'
import { change, insert, select, selectOne, type Work } from '../../../src/metadata/sql/work.ts'
import { type Cut, cuttingProxy } from '../../support/cutting-proxy.ts'
import { freshDatabase, isRunning } from '../../support/databases.ts'
import { serverTypes, startServer } from '../../support/servers.ts'

const add = (name: string) =>
  function* (): Work<number> {
    return (yield* insert({ table: 'Context', columns: ['type_id', 'name'], rows: [[1, name]], ids: true }))[0]!
  }

const namesIn = async (database: SqlDatabase): Promise<readonly string[]> =>
  (await database.read(() => select<{ name: string }>('SELECT name FROM Context ORDER BY id'))).map(({ name }) => name)

describe.each(serverTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!isRunning(type))('transactions that lock each other out all succeed in the end', async () => {
    await using fresh = freshDatabase(type)
    await using database = await openDatabase(fresh.location)
    const ids = await database.write(() =>
      insert({
        table: 'Execution',
        columns: ['type_id', 'last_known_state'],
        rows: [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        ids: true,
      }),
    )
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ]
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        database.write(function* () {
          for (const at of orders[index % orders.length]!)
            yield* change('UPDATE Execution SET last_known_state = last_known_state + 1 WHERE id = ?', [ids[at]!])
        }),
      ),
    )
    expect(await database.read(() => select('SELECT last_known_state AS state FROM Execution'))).toEqual(
      ids.map(() => ({ state: 40 })),
    )
  })

  it.skipIf(!isRunning(type))('what is looked up under a lock and made where it is missing is made once', async () => {
    await using fresh = freshDatabase(type)
    const clients = await Promise.all(Array.from({ length: 4 }, () => openDatabase(fresh.location)))
    const find = () => selectOne<{ id: number }>('SELECT id FROM Type WHERE name = ?', ['mine'])
    const ids = await Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: 8 }, () =>
          client.write(function* () {
            const found = yield* find()
            if (found !== undefined) return found.id
            yield* select('SELECT schema_version FROM MLMDEnv', [], { locking: true })
            const made = yield* find()
            if (made !== undefined) return made.id
            return (yield* insert({
              table: 'Type',
              columns: ['name', 'type_kind'],
              rows: [['mine', 1]],
              ids: true,
            }))[0]!
          }),
        ),
      ),
    )
    expect(new Set(ids).size).toBe(1)
    expect(await fresh.sql(`SELECT id FROM Type WHERE name = 'mine'`)).toHaveLength(1)
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  })

  it.skipIf(!isRunning(type)).each<Cut>(['request', 'answer', 'work', 'silence'])(
    'a network that breaks at COMMIT (%s) loses nothing and doubles nothing',
    async (cut) => {
      await using fresh = freshDatabase(type)
      await using proxy = await cuttingProxy(fresh.location.port)
      await using database = await openDatabase({ ...fresh.location, port: proxy.port })
      await database.write(add('before'))
      for (const name of ['a', 'b', 'c']) {
        proxy.cut = cut
        const id = await database.write(add(name))
        expect(proxy.cut).toBeUndefined()
        expect(await database.read(() => select('SELECT id FROM Context WHERE name = ?', [name]))).toEqual([{ id }])
      }
      // Rows that the same transaction went on to change or delete are no proof against it.
      proxy.cut = cut
      const changed = await database.write(function* () {
        const id = yield* add('changed')()
        yield* change('UPDATE Context SET create_time_since_epoch = 3 WHERE id = ?', [id])
        const gone = yield* insert({ table: 'Execution', columns: ['type_id'], rows: [[77]], ids: true })
        yield* change('DELETE FROM Execution WHERE id = ?', gone)
        return id
      })
      expect(await database.read(() => select(`SELECT id FROM Context WHERE name = 'changed'`))).toEqual([
        { id: changed },
      ])
      await database.write(() => change(`DELETE FROM Context WHERE name = 'changed'`))
      // Without rows of its own a transaction is done again, to the same end.
      proxy.cut = cut
      await database.write(() => change('UPDATE Context SET create_time_since_epoch = 7 WHERE name = ?', ['a']))
      expect(await namesIn(database)).toEqual(['before', 'a', 'b', 'c'])
      expect(await database.read(() => select('SELECT name FROM Context WHERE create_time_since_epoch = 7'))).toEqual([
        { name: 'a' },
      ])
    },
  )

  it.skipIf(!isRunning(type))(
    'a server that is killed and started again while many write loses nothing and doubles nothing',
    async () => {
      await using server = await startServer(type)
      await using fresh = freshDatabase(type, server)
      await using database = await openDatabase(fresh.location)
      const written: string[] = []
      let going = true
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let index = 0; going; index++) {
          // No key of the table would refuse a second one.
          const name = `${writer} ${index}`
          await database.write(() =>
            insert({
              table: 'Execution',
              columns: ['type_id', 'create_time_since_epoch'],
              rows: [[writer, index]],
              ids: true,
            }),
          )
          written.push(name)
        }
      })
      for (const end of ['kill', 'stop', 'kill'] as const) {
        await wait(300)
        await server[end]()
        await wait(100)
        await server.start()
        const before = written.length
        while (written.length < before + 10) await wait(10)
      }
      going = false
      await Promise.all(writers)
      const rows = await database.read(() =>
        select<{ type_id: number; at: number }>('SELECT type_id, create_time_since_epoch AS at FROM Execution'),
      )
      expect(rows.map(({ type_id, at }) => `${type_id} ${at}`).sort()).toEqual(written.sort())
      expect(written.length).toBeGreaterThan(50)
    },
  )

  it.skipIf(!isRunning(type))(
    'a client that is killed in a transaction leaves nothing and holds nobody up',
    async () => {
      await using fresh = freshDatabase(type)
      await using database = await openDatabase(fresh.location)
      const script = await client()
      for (let round = 0; round < 5; round++) {
        const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
        child.stdin.end(JSON.stringify(fresh.location satisfies ServerLocation))
        await once(child.stdout, 'data')
        child.kill('SIGKILL')
        await once(child, 'exit')
        // The same key, which the dead one had taken.
        await database.write(add(`killed ${round}`))
        await database.write(() => change('DELETE FROM Context'))
      }
      expect(await namesIn(database)).toEqual([])
    },
  )

  it.skipIf(!isRunning(type))('processes that write at once share what they make', async () => {
    await using fresh = freshDatabase(type)
    const writers = Array.from({ length: 4 }, (_, index) => index)
    const clients = await Promise.all(writers.map(() => openDatabase(fresh.location)))
    await Promise.all(
      clients.flatMap((one, writer) =>
        Array.from({ length: 25 }, (_, index) =>
          one.write(function* () {
            yield* insert({
              table: 'Context',
              columns: ['type_id', 'name'],
              rows: [[1, 'shared']],
              onConflict: 'ignore',
            })
            const context = (yield* selectOne<{ id: number }>('SELECT id FROM Context WHERE name = ?', ['shared']))!
            const [execution] = yield* insert({
              table: 'Execution',
              columns: ['type_id', 'name'],
              rows: [[1, `${writer} ${index}`]],
              ids: true,
            })
            yield* insert({
              table: 'Association',
              columns: ['context_id', 'execution_id'],
              rows: [[context.id, execution!]],
            })
          }),
        ),
      ),
    )
    expect(await namesIn(clients[0]!)).toEqual(['shared'])
    expect(await fresh.sql('SELECT id FROM Association')).toHaveLength(100)
    await Promise.all(clients.map((one) => one[Symbol.asyncDispose]()))
  })
})

/** A program that inserts rows and then stays in the transaction. */
async function client(): Promise<string> {
  const source = (path: string): string =>
    JSON.stringify(fileURLToPath(new URL(`../../../src/metadata/${path}`, import.meta.url)))
  const repository = fileURLToPath(new URL('../../../../..', import.meta.url))
  // Beside the packages, which it imports.
  const folder = mkdtempSync(join(repository, 'node_modules', '.zenml-client-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const outfile = join(folder, 'client.mjs')
  await build({
    stdin: {
      contents: `import { openDatabase } from ${source('open.ts')}
import { insert, select } from ${source('sql/work.ts')}
import { text } from 'node:stream/consumers'
const location = JSON.parse(await text(process.stdin))
const database = await openDatabase(location)
let round = 0
await database.write(function* () {
  for (;;) {
    yield* insert({ table: 'Context', columns: ['type_id', 'name'], rows: Array.from({ length: 5 }, (_, i) => [1, 'killed ' + (round * 5 + i)]) })
    if (round++ === 3) process.stdout.write('in')
    if (round > 3) yield* select(location.type === 'mysql' ? 'SELECT SLEEP(0.05) AS slept' : 'SELECT 1 AS slept FROM pg_sleep(0.05)')
  }
})`,
      resolveDir: tmpdir(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile,
  })
  return outfile
}
