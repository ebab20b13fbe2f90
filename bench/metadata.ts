// ML Metadata: PutExecution with 2 new artifacts, 1 input, 5 properties and 4 contexts, beside what the real C++ core does on this
// kind of machine; the statements that a call takes; and the same from many callers at once. `metadata:mysql` and
// `metadata:postgres` start a server that writes to the disk at each commit.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Value } from '../packages/zenml/src/metadata/api/messages.ts'
import { type MetadataService, metadataService } from '../packages/zenml/src/metadata/api/service.ts'
import { openDatabase } from '../packages/zenml/src/metadata/open.ts'
import type { DatabaseType } from '../packages/zenml/src/metadata/sql/database.ts'
import type { DatabaseLocation } from '../packages/zenml/src/metadata/sql/location.ts'
import { startServer } from '../packages/zenml/test/support/servers.ts'
import { type BenchRow, round } from './support/measure.ts'

const calls = 600
/** Calls a second of the real core, measured on this kind of machine, one caller; it was not measured on PostgreSQL. */
const realCore: { readonly [type in DatabaseType]?: number } = { sqlite: 206, mysql: 121 }

export async function run(args: readonly string[]): Promise<BenchRow[]> {
  const type = (args[0] ?? 'sqlite') as DatabaseType
  await using place = await placeFor(type)
  let statements = 0
  await using database = await openDatabase(place.location, { onStatement: () => statements++ })
  const service = metadataService(database)
  const put = await prepare(service)
  for (let index = 0; index < 50; index++) await put(index)

  statements = 0
  const alone = await timed(async () => {
    for (let index = 0; index < calls; index++) await put(50 + index)
  })
  const each = round(statements / calls)
  const together = await timed(async () => {
    await Promise.all(Array.from({ length: calls }, (_, index) => put(10_000 + index)))
  })
  console.log(
    `PutExecution on ${type}, durable at each commit: ${alone.toFixed(0)} a second one by one, ${together.toFixed(0)} from many callers; ${each} statements a call, BEGIN and COMMIT included`,
  )
  const peer = realCore[type]
  if (peer === undefined) return []
  return [
    { bar: `PutExecution on ${type}: real core / ours`, value: round(peer / alone) },
    { bar: `PutExecution on ${type}, many callers: real core / ours`, value: round(peer / together) },
  ]
}

async function placeFor(type: DatabaseType): Promise<AsyncDisposable & { readonly location: DatabaseLocation }> {
  if (type === 'sqlite') {
    const directory = mkdtempSync(join(tmpdir(), 'zenml-metadata-'))
    return {
      location: { type, path: join(directory, 'metadata.db') },
      [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
    }
  }
  const server = await startServer(type, { durable: true })
  const { host, port, user, password } = server
  return {
    location: { type, host, port, user, password, database: 'bench' },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
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
