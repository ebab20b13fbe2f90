// Questions to a metadata store of 100k runs, 1M executions, 2M artifacts and 4M events. `metadata-size:1000` has 1000 runs,
// `metadata-size:1000:mysql` or `:postgres` asks a server that is started for it; `metadata-size:100000:sqlite:FILE` keeps the store in
// FILE, and asks the one that is there.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Digest } from '../packages/zenml/src/base/digest.ts'
import { openDatabase } from '../packages/zenml/src/metadata/open.ts'
import type { RunPosition, RunQuery } from '../packages/zenml/src/metadata/run-orders.ts'
import { type RunRecords, runRecords } from '../packages/zenml/src/metadata/run-records.ts'
import { schemaStatements, schemaVersion, simpleTypes } from '../packages/zenml/src/metadata/schema-10.ts'
import type { DatabaseLocation } from '../packages/zenml/src/metadata/sql/location.ts'
import { sqliteDatabase } from '../packages/zenml/src/metadata/sql/sqlite.ts'
import { select } from '../packages/zenml/src/metadata/sql/work.ts'
import { type ServerType, serverTypes, startServer } from '../packages/zenml/test/support/servers.ts'
import { fillServer } from './support/fill-server.ts'
import { fillWithRuns, keyOf, outputOf, pipelineOf, runOf, timeOf } from './support/many-runs.ts'
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
      const location = { type: 'sqlite', path: args[2] ?? join(folder, 'metadata.db') } as const
      if (!existsSync(location.path)) await timed(`filled with ${runs} runs`, () => fillSqlite(location.path, runs))
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

export async function measure(location: DatabaseLocation, runs: number): Promise<BenchRow[]> {
  const opening: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const database = await openDatabase(location)
    opening.push(performance.now() - started)
    await database[Symbol.asyncDispose]()
  }
  await using database = await openDatabase(location)
  const records = runRecords(database)
  const some = (round: number): number => Math.floor(((round * 0.618_033_988_7) % 1) * runs)
  const middle = { run: runOf(runs >> 1) }
  const since = timeOf(runs >> 1)
  const lists: { [name: string]: RunQuery } = {
    newest: {},
    oldest: { ascending: true },
    'from the middle': { behind: middle },
    'the last page': { behind: { run: runOf(40) } },
    'of the largest pipeline': { pipeline: 'pipeline0' },
    'of the largest pipeline, the last page': { pipeline: 'pipeline0', behind: { run: runOf(40) } },
    'of a small pipeline': { pipeline: pipelineOf(7) },
    complete: { status: 'complete' },
    failed: { status: 'failed' },
    canceled: { status: 'canceled' },
    running: { status: 'running' },
    'failed of the largest pipeline': { pipeline: 'pipeline0', status: 'failed' },
    'of an hour': { since, until: since + 3_600_000 },
    'until the middle': { until: since },
    'since the middle, oldest first': { since, ascending: true },
    'of a small pipeline until the middle': { pipeline: pipelineOf(7), until: since },
    'complete of a small pipeline since the middle': { pipeline: pipelineOf(7), status: 'complete', since },
  }
  for (const sort of ['finished', 'duration', 'pipeline', 'status'] as const) {
    lists[`by ${sort}`] = { sort }
    lists[`by ${sort}, the other way`] = { sort, ascending: sort === 'finished' || sort === 'duration' }
    lists[`by ${sort}, behind the middle`] = { sort, behind: middle }
    lists[`by ${sort}, the last page`] = { sort, behind: lastBut(40, runs, sort) }
    lists[`by ${sort}, of the largest pipeline`] = { sort, pipeline: 'pipeline0' }
    lists[`by ${sort}, of a small pipeline`] = { sort, pipeline: pipelineOf(7) }
    lists[`by ${sort}, failed`] = { sort, status: 'failed' }
    lists[`by ${sort}, complete until the middle`] = { sort, status: 'complete', until: since }
  }
  const pages = new Map<string, number>()
  for (const [name, query] of Object.entries(lists))
    pages.set(name, await asked(`run list, ${name}`, 50, () => records.pageOfRuns(query)))
  const sorted = [...pages].filter(([name]) => name.startsWith('by ')).map(([, value]) => value)
  const lasts = [...pages].filter(([name]) => name.endsWith('last page')).map(([, value]) => value)
  const lineage = (direction: 'up' | 'down' | 'both') => (round: number) =>
    records.lineage(`sha256:${outputOf(some(round), 5, 0)}` as Digest, direction, 2)
  const rows = {
    'run list page (the slowest), ms': Math.max(...pages.values()),
    'sorted run list page (the slowest), ms': Math.max(...sorted),
    'last page of a run list (the slowest), ms': Math.max(...lasts),
    'latest runs of a pipeline, ms': await asked('latest runs of a pipeline', 50, (round) =>
      records.listRuns({ pipeline: pipelineOf(some(round)), limit: 5 }),
    ),
    'run detail, ms': await asked('run detail', 50, (round) => found(records.getRun(runOf(some(round))))),
    'lookup by identity, ms': await asked('lookup by identity', 2, (round) =>
      byKey(records, keyOf(some(round), round % 9)),
    ),
    'two-hop lineage, ms': await asked('two-hop lineage', 100, lineage('both')),
    'two-hop lineage up, ms': await asked('two-hop lineage up', 100, lineage('up')),
    'two-hop lineage down, ms': await asked('two-hop lineage down', 100, lineage('down')),
    'opening the metadata store, ms': median(opening),
  }
  // What the machine and its neighbours take of each way to the database, so that figures of two days can be compared.
  await asked('a statement that asks nothing', undefined, () => database.read(() => select('SELECT 1')))
  // Nothing of these is in the bars, but people wait for it.
  await asked('identity that each run executed', undefined, () => byKey(records, keyOf(0, 9), 20))
  await asked('pipelines', undefined, () => records.listPipelines(), 3)
  await asked('steps', undefined, () => records.listSteps(), 3)
  await asked('unfinished runs', undefined, () => records.unfinishedRuns())
  await asked('artifacts of a type', undefined, () => records.listArtifacts({ type: 'Examples' }))
  await asked('a run by the start of its id', undefined, (round) => records.resolveRun(runOf(some(round)).slice(0, 12)))
  return Object.entries(rows).map(([bar, value]) => ({ bar, value: round(value) }))
}

/** The run behind which the last page is, of lists whose order follows from the generator; undefined for none. */
function lastBut(page: number, runs: number, sort: 'finished' | 'duration' | 'pipeline' | 'status'): RunPosition {
  if (sort === 'finished') return { run: runOf(page) }
  // The shortest, and the oldest of the last pipeline and of the last status.
  if (sort === 'duration') return { run: runOf(0), key: 10_000.5 }
  return { run: runOf(sort === 'pipeline' ? 7 + 20 * page : 57 + 100 * Math.min(page, Math.floor(runs / 200))) }
}

async function byKey(records: RunRecords, hex: string, limit?: number): Promise<unknown> {
  const key = `sha256:${hex}` as Digest
  const executions = await records.findByKeys([key], limit === undefined ? {} : { limit })
  return await found(Promise.resolve(executions.get(key)?.[0]))
}

async function found<T>(answer: Promise<T | undefined>): Promise<T> {
  const value = await answer
  if (value === undefined) throw new Error('a question found nothing')
  return value
}

async function asked(
  name: string,
  bar: number | undefined,
  ask: (round: number) => Promise<unknown>,
  times = rounds,
): Promise<number> {
  await ask(0)
  const values: number[] = []
  for (let round = 1; round <= times; round++) {
    const started = performance.now()
    await ask(round)
    values.push(performance.now() - started)
  }
  const middle = median(values)
  const ratio = bar === undefined ? '' : `, ${(middle / bar).toFixed(2)} of ${bar} ms`
  const slowest = Math.max(...values).toFixed(2)
  console.log(`${name.padEnd(58)} ${middle.toFixed(2)} ms (median of ${times}; slowest ${slowest})${ratio}`)
  return middle
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now()
  await work()
  console.log(`${what} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
