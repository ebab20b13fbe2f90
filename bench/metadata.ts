// ML Metadata: PutExecution with 2 new artifacts, 1 input, 5 properties and 4 contexts, beside what the real C++ core does on this
// kind of machine; the same from many callers at once; and the statements and round trips of usual calls. `metadata:mysql` and
// `metadata:postgres` start a server that writes to the disk at each commit (`innodb_flush_log_at_trx_commit=1`; `fsync` and
// `synchronous_commit` on), as SQLite does here (`synchronous=FULL`).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MetadataService, metadataService } from '../packages/zenml/src/metadata/api/service.ts'
import { openDatabase } from '../packages/zenml/src/metadata/open.ts'
import type { DatabaseType } from '../packages/zenml/src/metadata/sql/database.ts'
import type { DatabaseLocation } from '../packages/zenml/src/metadata/sql/location.ts'
import { change } from '../packages/zenml/src/metadata/sql/work.ts'
import { usualPutExecution } from '../packages/zenml/test/support/put-execution.ts'
import { startServer } from '../packages/zenml/test/support/servers.ts'
import { type BenchRow, round } from './support/measure.ts'

const calls = 600
/** Calls before the measurement: the core is compiled ahead, JavaScript while it runs. */
const warmUp = 600
/** Calls a second of the real core, measured on this kind of machine, one caller; it was not measured on PostgreSQL. */
const realCore: { readonly [type in DatabaseType]?: number } = { sqlite: 206, mysql: 121 }

export async function run(args: readonly string[]): Promise<BenchRow[]> {
  const type = (args[0] ?? 'sqlite') as DatabaseType
  await using place = await placeFor(type)
  let statements = 0
  let trips = 0
  await using database = await openDatabase(place.location, {
    onStatement: (_text, joined) => {
      statements++
      if (!joined) trips++
    },
  })
  const service = metadataService(database)
  const { put } = await usualPutExecution(service)
  for (let index = 0; index < warmUp; index++) await put(`warm ${index}`)

  const alone = await timed(async () => {
    for (let index = 0; index < calls; index++) await put(`alone ${index}`)
  })
  const together = await timed(async () => {
    await Promise.all(Array.from({ length: calls }, (_, index) => put(`together ${index}`)))
  })
  const commits = await timed(async () => {
    for (let index = 0; index < calls; index++)
      await database.write(() => change('UPDATE Execution SET last_known_state = ? WHERE id = 1', [index % 5]))
  })
  console.log(
    `PutExecution on ${type}, durable at each commit: ${alone.toFixed(0)} a second one by one, ${together.toFixed(0)} from many callers; what the disk allows, one changed row a transaction: ${commits.toFixed(0)}`,
  )
  console.log(`${'call'.padEnd(32)}statements  round trips (BEGIN and COMMIT included)`)
  for (const [name, call] of Object.entries(await usualCalls(service))) {
    // Twice: the first of a kind may find the connection in the mood for the other kind.
    await call()
    ;[statements, trips] = [0, 0]
    await call()
    console.log(
      `${name.padEnd(32)}${String(statements).padStart(10)}${type === 'sqlite' ? '' : String(trips).padStart(13)}`,
    )
  }
  const peer = realCore[type]
  if (peer === undefined) return []
  return [
    { bar: `PutExecution on ${type}: real core / ours`, value: round(peer / alone) },
    { bar: `PutExecution on ${type}, many callers: real core / ours`, value: round(peer / together) },
  ]
}

/** Calls whose statements are counted, with types that the service has read before. */
async function usualCalls(service: MetadataService): Promise<{ readonly [name: string]: () => Promise<unknown> }> {
  const { put } = await usualPutExecution(service)
  let counted = 0
  const { artifacts } = (await service.call('GetArtifactsByURI', { uris: ['input'] })) as {
    artifacts: readonly { readonly id: number; readonly typeId: number }[]
  }
  const { id, typeId } = artifacts[0]!
  const call = (rpc: string, request: object) => () => service.call(rpc, request)
  return {
    PutExecution: () => put(`counted ${counted++}`),
    'PutArtifacts (1 new)': call('PutArtifacts', { artifacts: [{ typeId, uri: 'new' }] }),
    'PutArtifactType (there)': call('PutArtifactType', { artifactType: { name: 'Data' } }),
    'PutLineageSubgraph (1 artifact)': call('PutLineageSubgraph', { artifacts: [{ typeId, uri: 'new' }] }),
    GetArtifactsByID: call('GetArtifactsByID', { artifactIds: [id] }),
    GetEventsByExecutionIDs: call('GetEventsByExecutionIDs', { executionIds: [1] }),
    GetContextsByExecution: call('GetContextsByExecution', { executionId: 1 }),
  }
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
