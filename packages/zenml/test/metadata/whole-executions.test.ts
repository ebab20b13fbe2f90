import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import type { DatabaseType, SqlDatabase } from '../../src/metadata/sql/database.ts'
import type { DatabaseLocation } from '../../src/metadata/sql/location.ts'
import { select } from '../../src/metadata/sql/work.ts'
import { freshDatabase, isRunning } from '../support/databases.ts'
import { usualPutExecution } from '../support/put-execution.ts'
import { serverTypes, startServer } from '../support/servers.ts'

/** How often a writer is killed in a transaction, and a server while many write. `.ci/run` sets 50. */
const { ZENML_KILLS } = process.env
const writerKills = 2 * Number(ZENML_KILLS ?? 5)
const serverKills = ZENML_KILLS === undefined ? 2 : 10

const repository = fileURLToPath(new URL('../../../..', import.meta.url))
let folder: string
let writer: string
beforeAll(async () => {
  const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../../${path}`, import.meta.url)))
  // Beside the packages, which it imports.
  folder = mkdtempSync(join(repository, 'node_modules', '.zenml-writer-'))
  writer = join(folder, 'writer.mjs')
  await build({
    stdin: {
      contents: `import { metadataService } from ${source('src/metadata/api/service.ts')}
import { openDatabase } from ${source('src/metadata/open.ts')}
import { usualPutExecution } from ${source('test/support/put-execution.ts')}
const { location, name, puts, dieAt } = JSON.parse(process.argv[2])
let statements = -Infinity
const onStatement = () => { if (++statements === dieAt) process.kill(process.pid, 'SIGKILL') }
const database = await openDatabase(location, { onStatement })
const { put } = await usualPutExecution(metadataService(database))
statements = 0
console.log('ready')
for (let index = 0; index < (puts ?? Infinity); index++) console.log(await put(name + '-' + index))
await database[Symbol.asyncDispose]()`,
      resolveDir: tmpdir(),
      loader: 'ts',
    },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', outfile: writer },
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(['sqlite', 'mysql', 'postgres'] as const)('on %s (skipped without a server)', (type) => {
  const skipped = type !== 'sqlite' && !isRunning(type)

  it.skipIf(skipped)(
    'eight processes that put fifty executions each into one new context all succeed',
    {
      timeout: 300_000,
    },
    async () => {
      await using place = freshPlace(type)
      await using database = await openDatabase(place.location)
      const ends = await Promise.all(
        [...'abcdefgh'].map(async (name) => {
          const { child, lines } = startWriter({ location: place.location, name, puts: 50 })
          const [code] = await once(child, 'close')
          return [code, lines.length]
        }),
      )
      // Ready, and an id for each.
      expect(ends).toEqual(ends.map(() => [0, 51]))
      expect(await expectWhole(database)).toHaveLength(400)
      expect(await database.read(() => select(`SELECT name FROM Context WHERE name = 'run'`))).toHaveLength(1)
    },
  )

  it.skipIf(skipped)(
    `a writer that is killed in a transaction ${writerKills} times leaves whole executions, and all that it was told of`,
    { timeout: 600_000 },
    async () => {
      await using place = freshPlace(type)
      await using database = await openDatabase(place.location)
      const random = seededRandom(`kills on ${type}`)
      const told: number[] = []
      for (let kill = 0; kill < writerKills; kill++) {
        // By itself at one of its statements, before the database sees it; or by us while the database is at work on them.
        const itself = kill % 2 === 0
        const dieAt = itself ? 1 + Math.floor(random.next() * 60) : -1
        const { child, lines, ready } = startWriter({ location: place.location, name: `kill ${kill}`, dieAt })
        if (!itself) {
          await ready
          await wait(random.next() * 60)
          child.kill('SIGKILL')
        }
        const [, signal] = await once(child, 'close')
        expect(signal).toBe('SIGKILL')
        told.push(...lines.slice(1).map(Number))
        const there = await expectWhole(database)
        expect(there).toEqual(expect.arrayContaining(told))
        // At most one of each was stored without that it was told.
        expect(there.length).toBeLessThanOrEqual(told.length + kill + 1)
      }
      // Some were killed before their first execution was whole, others after several.
      expect(told.length).toBeGreaterThan(writerKills / 5)
      // Nothing is in the way of the next one.
      const { child } = startWriter({ location: place.location, name: 'after', puts: 3 })
      expect(await once(child, 'close')).toEqual([0, null])
      await expectWhole(database)
    },
  )
})

describe.each(serverTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!isRunning(type))(
    `a server that is killed ${serverKills} times while executions are put has each of them once`,
    { timeout: 600_000 },
    async () => {
      await using server = await startServer(type)
      await using fresh = freshDatabase(type, server)
      await using database = await openDatabase(fresh.location)
      const { put } = await usualPutExecution(metadataService(database))
      const random = seededRandom(`server kills on ${type}`)
      const told: number[] = []
      let going = true
      const writers = Array.from({ length: 4 }, async (_, writing) => {
        for (let index = 0; going; index++) told.push(await put(`${writing}-${index}`))
      })
      for (let kill = 0; kill < serverKills; kill++) {
        await wait(200 + random.next() * 200)
        await server.kill()
        await server.start()
        const before = told.length
        while (told.length < before + 10) await wait(10)
      }
      going = false
      await Promise.all(writers)
      expect(await expectWhole(database)).toEqual(told.sort((a, b) => a - b))
    },
  )
})

function freshPlace(type: DatabaseType): AsyncDisposable & { readonly location: DatabaseLocation } {
  if (type !== 'sqlite') return freshDatabase(type)
  const place = mkdtempSync(join(tmpdir(), 'zenml-whole-'))
  return {
    location: { type, path: join(place, 'metadata.db') },
    [Symbol.asyncDispose]: async () => rmSync(place, { recursive: true }),
  }
}

/** Starts a process that puts executions, `puts` of them or without end; it kills itself at the statement `dieAt`. */
function startWriter(work: {
  readonly location: DatabaseLocation
  readonly name: string
  readonly puts?: number
  readonly dieAt?: number
}): { readonly child: ReturnType<typeof spawn>; readonly lines: string[]; readonly ready: Promise<unknown> } {
  const child = spawn(process.execPath, [writer, JSON.stringify(work)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const answers = createInterface({ input: child.stdout! })
  answers.on('line', (line) => lines.push(line))
  return { child, lines, ready: once(answers, 'line') }
}

/** Expects every execution with all that was put with it, and nothing that belongs to none; gives the ids of the executions. */
async function expectWhole(database: SqlDatabase): Promise<readonly number[]> {
  const count = (table: string, key: string): string => `(SELECT COUNT(*) FROM ${table} WHERE ${table}.${key} = e.id)`
  const paths = '(SELECT COUNT(*) FROM EventPath p JOIN Event v ON v.id = p.event_id WHERE v.execution_id = e.id)'
  const attributions = `(SELECT COUNT(*) FROM Attribution b JOIN Event v ON v.artifact_id = b.artifact_id
JOIN Association a ON a.context_id = b.context_id AND a.execution_id = v.execution_id WHERE v.execution_id = e.id)`
  const [executions, totals] = await database.read(function* () {
    return [
      yield* select<{ readonly id: number; readonly [column: string]: number }>(
        `SELECT e.id, ${count('ExecutionProperty', 'execution_id')} AS properties, ${count('Event', 'execution_id')} AS events,
${paths} AS paths, ${count('Association', 'execution_id')} AS contexts, ${attributions} AS attributions FROM Execution e ORDER BY e.id`,
      ),
      yield* select<{ readonly name: string; readonly many: number }>(
        ['Execution', 'ExecutionProperty', 'Artifact', 'Event', 'EventPath', 'Context', 'Association', 'Attribution']
          .map((table) => `SELECT '${table}' AS name, COUNT(*) AS many FROM ${table}`)
          .join(' UNION ALL '),
      ),
    ] as const
  })
  for (const { id: _id, ...parts } of executions)
    expect(parts).toEqual({ properties: 5, events: 3, paths: 6, contexts: 4, attributions: 12 })
  const many = executions.length
  // Three contexts and the input are of all.
  const shared = many > 0 ? 3 : 0
  expect(Object.fromEntries(totals.map(({ name, many: rows }) => [name, rows]))).toEqual({
    ...{ Execution: many, ExecutionProperty: 5 * many, Artifact: 1 + 2 * many, Event: 3 * many, EventPath: 6 * many },
    ...{ Context: shared + many, Association: 4 * many, Attribution: 8 * many + shared + many },
  })
  return executions.map(({ id }) => id)
}
