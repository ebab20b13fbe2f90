// ML Metadata: PutExecution with 2 new artifacts, 1 input, 5 properties and 4 contexts, beside what the real C++ core does on this
// kind of machine (206 a second on a SQLite file); the statements that a call takes; and the same from many callers at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Value } from '../packages/zenml/src/metadata/api/messages.ts'
import { type MetadataService, metadataService } from '../packages/zenml/src/metadata/api/service.ts'
import { schemaStatements, schemaVersion, simpleTypes } from '../packages/zenml/src/metadata/schema-10.ts'
import type { SqlDatabase } from '../packages/zenml/src/metadata/sql/database.ts'
import { sqliteDatabase } from '../packages/zenml/src/metadata/sql/sqlite.ts'
import type { Work } from '../packages/zenml/src/metadata/sql/work.ts'
import { type BenchRow, round } from './support/measure.ts'

const calls = 600
const realCore = 206

export async function run(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-metadata-'))
  try {
    const sqlite = new Sqlite(join(directory, 'metadata.db'))
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('journal_mode = WAL')
    for (const statement of schemaStatements) sqlite.exec(statement)
    sqlite.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
    for (const { name, kind } of simpleTypes)
      sqlite.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, kind)
    await using database = sqliteDatabase(sqlite)
    const counted = counting(database)
    const service = metadataService(counted.database)
    const put = await prepare(service)
    for (let index = 0; index < 50; index++) await put(index)

    counted.reset()
    const alone = await timed(async () => {
      for (let index = 0; index < calls; index++) await put(50 + index)
    })
    const statements = counted.count() / calls
    const together = await timed(async () => {
      await Promise.all(Array.from({ length: calls }, (_, index) => put(10_000 + index)))
    })
    console.log(
      `PutExecution on a SQLite file, synchronous=FULL: ${alone.toFixed(0)} a second one by one, ${together.toFixed(0)} together; ${statements} statements a call`,
    )
    return [
      { bar: 'PutExecution on SQLite: real core / ours', value: round(realCore / alone) },
      { bar: 'PutExecution on SQLite, many callers: real core / ours', value: round(realCore / together) },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (calls * 1000) / (performance.now() - started)
}

/** Types, an input and three contexts that are there; gives a function that puts one execution. */
async function prepare(service: MetadataService): Promise<(index: number) => Promise<unknown>> {
  const call = async (rpc: string, request: object): Promise<{ readonly [field: string]: number & number[] }> =>
    (await service.call(rpc, request)) as never
  const { typeId: data } = await call('PutArtifactType', { artifactType: { name: 'Data' } })
  const { typeId: trainer } = await call('PutExecutionType', {
    executionType: { name: 'Trainer', properties: new Map(names.map((name) => [name, 'STRING'])) },
  })
  const contextTypes: number[] = []
  for (const name of ['pipeline', 'pipeline_run', 'node', 'execution_cache'])
    contextTypes.push((await call('PutContextType', { contextType: { name } }))['typeId']!)
  const { artifactIds } = await call('PutArtifacts', { artifacts: [{ typeId: data, uri: 'input' }] })
  const properties = new Map(names.map((name): [string, Value] => [name, { stringValue: `value of ${name}` }]))
  return (index) =>
    service.call('PutExecution', {
      execution: { typeId: trainer, lastKnownState: 'COMPLETE', properties },
      artifactEventPairs: [
        { event: { artifactId: artifactIds![0], type: 'INPUT', path: { steps: [{ key: 'examples' }, { index: 0 }] } } },
        ...['model', 'report'].map((key) => ({
          artifact: { typeId: data, uri: `${key}-${index}`, state: 'LIVE' },
          event: { type: 'OUTPUT', path: { steps: [{ key }, { index: 0 }] } },
        })),
      ],
      contexts: ['p', `run-${index >> 3}`, 'p.train', `cache-${index}`].map((name, at) => ({
        typeId: contextTypes[at]!,
        name,
      })),
      options: { reuseContextIfAlreadyExist: true },
    })
}

const names = ['learning_rate', 'epochs', 'layers', 'optimizer', 'seed']

/** The same database, with a count of the statements. */
function counting(database: SqlDatabase): { database: SqlDatabase; count(): number; reset(): void } {
  let count = 0
  const counted = <T>(work: () => Work<T>): (() => Work<T>) =>
    function* () {
      const inner = work()
      let next = inner.next()
      while (next.done !== true) {
        count++
        let answer: Parameters<typeof inner.next>[0]
        try {
          answer = yield next.value
        } catch (error) {
          next = inner.throw(error)
          continue
        }
        next = inner.next(answer)
      }
      return next.value
    }
  return {
    database: {
      type: database.type,
      write: (work) => database.write(counted(work)),
      read: (work) => database.read(counted(work)),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    },
    count: () => count,
    reset: () => {
      count = 0
    },
  }
}
