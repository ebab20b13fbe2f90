// Questions to a metadata store of 100k runs, 1M executions, 2M artifacts and 4M events. `metadata-size:1000` has 1000 runs,
// `metadata-size:1000:mysql` or `:postgres` asks a server that is started for it.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Digest } from '../packages/zenml/src/base/digest.ts'
import { openDatabase } from '../packages/zenml/src/metadata/open.ts'
import { type RunRecords, runRecords } from '../packages/zenml/src/metadata/run-records.ts'
import { schemaStatements, schemaVersion, simpleTypes } from '../packages/zenml/src/metadata/schema-10.ts'
import type { DatabaseLocation } from '../packages/zenml/src/metadata/sql/location.ts'
import { sqliteDatabase } from '../packages/zenml/src/metadata/sql/sqlite.ts'
import { type ServerType, serverTypes, startServer } from '../packages/zenml/test/support/servers.ts'
import { fillServer } from './support/fill-server.ts'
import { fillWithRuns, keyOf, outputOf, pipelineOf, runOf } from './support/many-runs.ts'
import { type BenchRow, median, round } from './support/measure.ts'

const rounds = 31

/** What a server for a store of this size is given: a database that its memory cannot hold shows the disk, not the questions. */
const memory = {
  mysql: ['--innodb-buffer-pool-size=2G', '--innodb-log-file-size=512M'],
  postgres: ['-c', 'shared_buffers=2GB', '-c', 'max_wal_size=4GB'],
} as const

export async function run(args: readonly string[]): Promise<BenchRow[]> {
  const runs = Number(args[0] ?? 100_000)
  const type = args[1] ?? 'sqlite'
  const folder = mkdtempSync(join(tmpdir(), 'zenml-metadata-size-'))
  try {
    if (!isServer(type)) {
      const location = { type: 'sqlite', path: join(folder, 'metadata.db') } as const
      await timed(`filled with ${runs} runs`, () => fillSqlite(location.path, runs))
      console.log(`${(statSync(location.path).size / 1e6).toFixed(0)} MB`)
      return await measure(location, runs)
    }
    await using server = await startServer(type, { durable: true, options: memory[type] })
    const { host, port, user, password } = server
    const location = { type, host, port, user, password, database: 'zenml_size' } as const
    await timed(`filled with ${runs} runs`, () => fillServer(location, runs))
    return (await measure(location, runs)).map(({ bar, value }) => ({ bar: `${bar} (${type})`, value }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isServer(type: string): type is ServerType {
  return (serverTypes as readonly string[]).includes(type)
}

/** Indexes are made at the end and nothing is safe from a crash: minutes instead of hours. */
async function fillSqlite(path: string, runs: number): Promise<void> {
  const sqlite = new Sqlite(path)
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -2000000', 'temp_store = MEMORY'])
    sqlite.pragma(pragma)
  const isIndex = (statement: string): boolean => statement.startsWith('CREATE INDEX')
  for (const statement of schemaStatements) if (!isIndex(statement)) sqlite.exec(statement)
  sqlite.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
  for (const { name, kind } of simpleTypes)
    sqlite.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, kind)
  await fillWithRuns(sqliteDatabase(sqlite), runs)
  for (const statement of schemaStatements) if (isIndex(statement)) sqlite.exec(statement)
  sqlite.pragma('journal_mode = WAL')
  sqlite.close()
}

async function measure(location: DatabaseLocation, runs: number): Promise<BenchRow[]> {
  const opening: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const database = await openDatabase(location)
    opening.push(performance.now() - started)
    await database[Symbol.asyncDispose]()
  }
  await using database = await openDatabase(location)
  const records = runRecords(database)
  const lists: { readonly [name: string]: () => Promise<readonly unknown[]> } = {
    newest: () => records.listRuns(),
    oldest: () => records.listRuns({ ascending: true }),
    'of the largest pipeline': () => records.listRuns({ pipeline: 'pipeline0' }),
    'of a small pipeline': () => records.listRuns({ pipeline: pipelineOf(7) }),
    complete: () => records.listRuns({ status: 'complete' }),
    failed: () => records.listRuns({ status: 'failed' }),
    canceled: () => records.listRuns({ status: 'canceled' }),
    running: () => records.listRuns({ status: 'running' }),
    'failed of the largest pipeline': () => records.listRuns({ pipeline: 'pipeline0', status: 'failed' }),
    'from the middle': () => records.listRuns({ behind: { run: runOf(runs >> 1) } }),
  }
  const pages: number[] = []
  for (const [name, list] of Object.entries(lists)) pages.push(await asked(`run list, ${name}`, list))
  const some = (round: number): number => Math.floor(((round * 0.618_033_988_7) % 1) * runs)
  const rows = {
    'run list page (the slowest), ms': Math.max(...pages),
    'run detail, ms': await asked('run detail', (round) => found(records.getRun(runOf(some(round))))),
    'lookup by identity, ms': await asked('lookup by identity', (round) =>
      byKey(records, keyOf(some(round), round % 10)),
    ),
    'two-hop lineage, ms': await asked('two-hop lineage', (round) =>
      records.lineage(`sha256:${outputOf(some(round), 5, 0)}` as Digest, 'both', 2),
    ),
    'opening the metadata store, ms': median(opening),
  }
  // Nothing of these is in the bars, but people wait for it.
  await asked('pipelines', () => records.listPipelines(), 3)
  await asked('steps', () => records.listSteps(), 3)
  await asked('unfinished runs', () => records.unfinishedRuns())
  await asked('artifacts of a type', () => records.listArtifacts({ type: 'Examples' }))
  await asked('a run by the start of its id', (round) => records.resolveRun(runOf(some(round)).slice(0, 12)))
  return Object.entries(rows).map(([bar, value]) => ({ bar, value: round(value) }))
}

async function byKey(records: RunRecords, hex: string): Promise<unknown> {
  const key = `sha256:${hex}` as Digest
  return await found(Promise.resolve((await records.findByKeys([key])).get(key)?.[0]))
}

async function found<T>(answer: Promise<T | undefined>): Promise<T> {
  const value = await answer
  if (value === undefined) throw new Error('a question found nothing')
  return value
}

async function asked(name: string, ask: (round: number) => Promise<unknown>, times = rounds): Promise<number> {
  await ask(0)
  const values: number[] = []
  for (let round = 1; round <= times; round++) {
    const started = performance.now()
    await ask(round)
    values.push(performance.now() - started)
  }
  const middle = median(values)
  console.log(
    `${name.padEnd(36)} ${middle.toFixed(2)} ms (median of ${times}; slowest ${Math.max(...values).toFixed(2)})`,
  )
  return middle
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now()
  await work()
  console.log(`${what} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
