import { createHash } from 'node:crypto'
import { artifactState, eventType, executionState } from '../../packages/zenml/src/metadata/nodes.ts'
import { insertProperties, type PropertiesById } from '../../packages/zenml/src/metadata/properties.ts'
import type { SqlDatabase } from '../../packages/zenml/src/metadata/sql/database.ts'
import { insert, type SqlValue } from '../../packages/zenml/src/metadata/sql/work.ts'
import { json } from '../../packages/zenml/src/metadata/stored-json.ts'
import { typeIds } from '../../packages/zenml/src/metadata/types.ts'

const stepNames = Array.from({ length: 10 }, (_, index) => `step${index}`)
const pipelines = 20
/** Runs whose rows are written in one transaction. */
const together = 250
const start = 1_700_000_000_000

/** The id of the run with a number. */
export const runOf = (number: number): string => hash('run', number).slice(0, 16)
/** When the run with a number started: one a minute. */
export const timeOf = (number: number): number => start + number * 60_000
/** Half of the runs are of the first pipeline. */
export const pipelineOf = (number: number): string => `pipeline${number % 2 === 0 ? 0 : number % pipelines}`
/** The key of an execution; each tenth run reuses all of the one before it. The last step is the same in all runs. */
export const keyOf = (run: number, step: number): string =>
  hash('key', step === stepNames.length - 1 ? step : executedAs(run) * 10 + step)
/** The digest of an output; a step has two, the first has four. */
export const outputOf = (run: number, step: number, output: number): string =>
  hash('output', (executedAs(run) * 10 + step) * 4 + output)

/** Milliseconds, different ones in runs beside each other. */
const durationOf = (run: number): number => 10_000 + ((run * 7919) % 60_000)
const isReused = (run: number): boolean => run % 10 === 9
const executedAs = (run: number): number => (isReused(run) ? run - 1 : run)
const statusOf = (run: number): string => (run % 100 === 57 ? 'failed' : run % 1000 === 31 ? 'canceled' : 'complete')

/**
 * Fills a new database as that many runs of ten steps would: ten executions, about 20 artifacts and 40 events each. Rows have ids of
 * their own, so a sequence of PostgreSQL does not know of them. `into` takes them where there is a faster way than that of the database.
 */
export async function fillWithRuns(
  database: SqlDatabase,
  runs: number,
  into: Pick<SqlDatabase, 'write'> = database,
): Promise<void> {
  const types = await database.write(() =>
    typeIds([
      ...(['pipeline', 'pipeline_run', 'node', 'execution_cache'] as const).map((name) => ({
        kind: 'context' as const,
        name,
      })),
      ...stepNames.map((name) => ({ kind: 'execution' as const, name: sourceOf(name) })),
      { kind: 'artifact', name: 'Examples', base: 'mlmd.Dataset' },
    ]),
  )
  const rows = newRows()
  const ids = { context: 0, execution: 0, artifact: 0, event: 0 }
  const fixed = new Map<string, number>()
  const context = (
    type: 'pipeline' | 'pipeline_run' | 'node' | 'execution_cache',
    name: string,
    now: number,
  ): number => {
    const id = ++ids.context
    rows.contexts.push([id, types.get('context', type), name, now, now])
    return id
  }
  for (let pipeline = 0; pipeline < pipelines; pipeline++) {
    fixed.set(`pipeline${pipeline}`, context('pipeline', `pipeline${pipeline}`, start))
    for (const step of stepNames)
      fixed.set(`pipeline${pipeline}.${step}`, context('node', `pipeline${pipeline}.${step}`, start))
  }
  /** What the run before made, for the next one to reuse. */
  let before: { readonly artifacts: number[][]; readonly executions: number[] } | undefined
  const caches = new Map([[keyOf(0, 9), context('execution_cache', keyOf(0, 9), start)]])
  for (let run = 0; run < runs; run++) {
    const now = timeOf(run)
    const id = runOf(run)
    const reused = isReused(run) ? before : undefined
    const pipeline = pipelineOf(executedAs(run))
    const runContext = context('pipeline_run', id, now)
    rows.parents.push([runContext, fixed.get(pipeline)!])
    rows.ofContexts.push([runContext, runFacts(run, pipeline, now)])
    const made = { artifacts: [] as number[][], executions: [] as number[] }
    for (const [index, step] of stepNames.entries()) {
      const execution = ++ids.execution
      const cacheOf = (key: string): number => caches.get(key) ?? context('execution_cache', key, now)
      const state = reused === undefined ? executionState.complete : executionState.cached
      rows.executions.push([execution, types.get('execution', sourceOf(step)), state, now, now])
      rows.ofExecutions.push([execution, executionFacts(run, index, now, reused?.executions[index])])
      const contexts = [fixed.get(pipeline)!, runContext, fixed.get(`${pipeline}.${step}`)!]
      if (reused === undefined) contexts.push(cacheOf(keyOf(run, index)))
      for (const one of contexts) rows.associations.push([one, execution])
      const event = (artifact: number, type: number, name: string): void => {
        const eventId = ++ids.event
        rows.events.push([eventId, artifact, execution, type, now])
        rows.paths.push([eventId, false, null, name], [eventId, true, 0, null])
      }
      const inputs = made.artifacts[index - 1]?.slice(0, 2) ?? []
      for (const [number, artifact] of inputs.entries()) event(artifact, eventType.input, `input${number}`)
      const outputs =
        reused?.artifacts[index] ??
        Array.from({ length: index === 0 ? 4 : 2 }, (_, output) => {
          const artifact = ++ids.artifact
          const digest = outputOf(run, index, output)
          const uri = `file:///store/${digest}`
          rows.artifacts.push([artifact, types.get('artifact', 'Examples'), uri, artifactState.live, digest, now, now])
          rows.ofArtifacts.push([artifact, { digest: `sha256:${digest}`, size: 4096, properties: '{"rows":100}' }])
          for (const one of contexts) rows.attributions.push([one, artifact])
          return artifact
        })
      for (const [number, artifact] of outputs.entries()) {
        event(artifact, eventType.output, `output${number}`)
        if (reused !== undefined) rows.attributions.push([runContext, artifact])
      }
      made.artifacts.push(outputs)
      made.executions.push(execution)
    }
    before = made
    if ((run + 1) % together === 0 || run + 1 === runs) await flush(into, rows)
  }
}

/** Rows to be written, by table. */
interface Rows {
  readonly contexts: SqlValue[][]
  readonly parents: SqlValue[][]
  readonly executions: SqlValue[][]
  readonly artifacts: SqlValue[][]
  readonly events: SqlValue[][]
  readonly paths: SqlValue[][]
  readonly associations: SqlValue[][]
  readonly attributions: SqlValue[][]
  readonly ofContexts: PropertiesById[number][]
  readonly ofExecutions: PropertiesById[number][]
  readonly ofArtifacts: PropertiesById[number][]
}

function newRows(): Rows {
  return {
    ...{ contexts: [], parents: [], executions: [], artifacts: [], events: [], paths: [] },
    ...{ associations: [], attributions: [], ofContexts: [], ofExecutions: [], ofArtifacts: [] },
  }
}

const times = ['create_time_since_epoch', 'last_update_time_since_epoch']
const tables = [
  ['Context', 'contexts', ['id', 'type_id', 'name', ...times]],
  ['ParentContext', 'parents', ['context_id', 'parent_context_id']],
  ['Execution', 'executions', ['id', 'type_id', 'last_known_state', ...times]],
  ['Artifact', 'artifacts', ['id', 'type_id', 'uri', 'state', 'name', ...times]],
  ['Event', 'events', ['id', 'artifact_id', 'execution_id', 'type', 'milliseconds_since_epoch']],
  ['EventPath', 'paths', ['event_id', 'is_index_step', 'step_index', 'step_key']],
  ['Association', 'associations', ['context_id', 'execution_id']],
  ['Attribution', 'attributions', ['context_id', 'artifact_id']],
] as const

async function flush(database: Pick<SqlDatabase, 'write'>, rows: Rows): Promise<void> {
  await database.write(function* () {
    for (const [table, field, columns] of tables) yield* insert({ table, columns, rows: rows[field] })
    yield* insertProperties('Context', rows.ofContexts)
    yield* insertProperties('Execution', rows.ofExecutions)
    yield* insertProperties('Artifact', rows.ofArtifacts)
  })
  for (const list of Object.values(rows)) list.length = 0
}

function runFacts(run: number, pipeline: string, now: number): PropertiesById[number][1] {
  const steps = stepNames.map((name) => ({ name, source: sourceOf(name) }))
  const tree = hash('tree', run).slice(0, 40)
  return {
    ...{ pipeline, status: statusOf(run), seed: run, started_at: now, ended_at: now + durationOf(run) },
    duration: { double: durationOf(run) },
    code: json({ commit: tree, tree, dirty: false, ref: null, remote: null, branch: 'main' }),
    spec: json({ version: 1, name: pipeline, seed: 0, backend: { type: 'local' }, datasources: {}, steps: {} }),
    environment: json({ node: '20.20.2', platform: 'linux', arch: 'x64' }),
    steps: json(steps),
    process: json({ host: 'bench', pid: 1, started: '' }),
  }
}

/** Identities differ in their keys alone, and making one text a million times is most of the time: the key is put in. */
const identities = stepNames.map((step) => {
  const fingerprint = {
    format: 2,
    code: { digest: 'KEY', source: sourceOf(step), bundler: 'esbuild 0.28.2', files: { 'steps/work.ts': 'KEY' } },
    packages: ['one', 'two', 'three'].map((name) => ({ name, version: '1.0.0', integrity: 'sha512-KEY' })),
    ...{ parameters: { rate: 0.1 }, inputs: {}, outputs: { output0: 'Examples' }, variables: {} },
    environment: { node: '20.20.2', platform: 'linux', arch: 'x64' },
    observed: { seed: null, files: {} },
  }
  return json({ key: 'KEY', fields: { code: 'KEY', packages: 'KEY', parameters: 'KEY' }, fingerprint })
})

function executionFacts(run: number, step: number, now: number, reusedFrom?: number): PropertiesById[number][1] {
  const key = `sha256:${keyOf(run, step)}`
  return {
    ...{ run: runOf(run), step: stepNames[step], parameters: '{"rate":0.1}', started_at: now, ended_at: now + 1_000 },
    identity: identities[step]!.replaceAll('KEY', key),
    outcome: reusedFrom === undefined ? 'executed' : 'reused',
    ...{ metrics: '{"loss":0.25}', log: key, reused_from: reusedFrom },
  }
}

function sourceOf(step: string): string {
  return `steps/work.ts#${step}`
}

function hash(kind: string, number: number): string {
  return createHash('sha256').update(`${kind} ${number}`).digest('hex')
}
