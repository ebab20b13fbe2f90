import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Digest, sha256 } from '../../src/base/digest.ts'
import type { ReusedStep, StepStart } from '../../src/metadata/executions.ts'
import { type MetadataStore, openMetadata } from '../../src/metadata/open.ts'
import { type RunRecords, runRecords } from '../../src/metadata/run-records.ts'
import type { RunStart } from '../../src/metadata/runs.ts'
import type { StoredArtifact } from '../../src/model/artifact.ts'
import type { Identity } from '../../src/model/fingerprint.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import { example } from '../fingerprint/example.ts'

let folder: string
let store: MetadataStore
let records: RunRecords
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zenml-records-'))
  store = await openMetadata({ type: 'sqlite', path: join(folder, 'metadata.db') })
  records = runRecords(store)
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const key = sha256('key')
const identity: Identity = { key, fields: {}, fingerprint: example }
const hex = (digest: Digest): string => digest.slice('sha256:'.length)

function run(id: string, pipeline = 'penguins'): RunStart {
  return {
    id,
    pipeline,
    seed: 7,
    startedAt: 1000,
    code: { commit: 'c', tree: 't', dirty: false, ref: null, remote: null, branch: 'main' },
    spec: {} as PipelineSpec,
    environment: {},
    steps: ['split', 'train', 'evaluate'].map((name) => ({ name, source: `steps.ts#${name}` })),
    process: { host: 'h', pid: 1, started: 's' },
  }
}

function artifact(type: string, content: string): StoredArtifact {
  return { type, digest: sha256(content), uri: `file:///store/${content}`, size: 5, properties: { rows: 3 } }
}

function step(name: string, inputs: StepStart['inputs'] = {}): StepStart {
  const bases = { Examples: 'mlmd.Dataset', Model: 'mlmd.Model' }
  return { name, source: `steps.ts#${name}`, parameters: {}, identity, inputs, bases, startedAt: 1100 }
}

async function execute(
  id: string,
  name: string,
  inputs: StepStart['inputs'],
  outputs: StepStart['inputs'],
): Promise<number> {
  const { bases } = step(name)
  const execution = await records.startStep(id, step(name, inputs))
  const end = {
    outcome: 'executed',
    endedAt: 1200,
    identity,
    outputs,
    bases,
    log: null,
    metrics: {},
    touches: [],
    error: null,
  } as const
  await records.endStep(execution, end)
  return execution
}

const rows = (text: string): Promise<unknown[]> =>
  store.read((database: Database) => database.prepare(text).raw().all())

it('a run is in ML Metadata as other tools expect it: types and bases, contexts, events with paths, states', async () => {
  const data = artifact('Examples', 'data')
  await records.startRun(run('aa'))
  const split = await execute('aa', 'split', {}, { train: data })
  const failing = await records.startStep('aa', step('train', { examples: data, again: data }))
  await records.endStep(failing, {
    ...{ outcome: 'failed', endedAt: 1300, identity, outputs: {}, bases: {}, log: null, metrics: {}, touches: [] },
    error: { code: 'ZEN_STEP_ERROR', message: 'no' } as never,
  })
  await records.endRun('aa', { status: 'failed', endedAt: 1400, error: null })
  await records.startRun(run('bb'))
  const reused: ReusedStep = {
    ...step('split'),
    outputs: { train: data },
    from: split,
    at: 1500,
    metrics: {},
    touches: [],
    log: null,
  }
  await records.reuseSteps('bb', [reused])

  expect(await rows('SELECT id, name, type_kind, version FROM Type WHERE id > 9 ORDER BY id')).toEqual([
    [10, 'pipeline', 2, null],
    [11, 'pipeline_run', 2, null],
    [12, 'node', 2, null],
    [13, 'execution_cache', 2, null],
    [14, 'steps.ts#split', 0, null],
    [15, 'Examples', 1, null],
    [16, 'steps.ts#train', 0, null],
  ])
  expect(await rows('SELECT type_id, parent_type_id FROM ParentType')).toEqual([[15, 1]])
  expect(await rows('SELECT t.name, c.name FROM Context c JOIN Type t ON t.id = c.type_id ORDER BY c.id')).toEqual([
    ['pipeline', 'penguins'],
    ['pipeline_run', 'aa'],
    ['node', 'penguins.split'],
    ['node', 'penguins.train'],
    ['node', 'penguins.evaluate'],
    ['execution_cache', hex(key)],
    ['pipeline_run', 'bb'],
  ])
  expect(await rows('SELECT context_id, parent_context_id FROM ParentContext')).toEqual([
    [2, 1],
    [7, 1],
  ])
  // COMPLETE 3, FAILED 4, CACHED 5; LIVE 2; INPUT 3, OUTPUT 4.
  expect(await rows('SELECT id, type_id, last_known_state, last_update_time_since_epoch FROM Execution')).toEqual([
    [1, 14, 3, 1200],
    [2, 16, 4, 1300],
    [3, 14, 5, 1500],
  ])
  expect(await rows('SELECT id, type_id, uri, state, name FROM Artifact')).toEqual([
    [1, 15, 'file:///store/data', 2, hex(data.digest)],
  ])
  expect(await rows('SELECT id, artifact_id, execution_id, type, milliseconds_since_epoch FROM Event')).toEqual([
    [1, 1, 1, 4, 1200],
    [2, 1, 2, 3, 1100],
    [3, 1, 3, 4, 1500],
  ])
  expect(await rows('SELECT event_id, is_index_step, step_index, step_key FROM EventPath ORDER BY rowid')).toEqual([
    [1, 0, null, 'train'],
    [1, 1, 0, null],
    [2, 0, null, 'examples'],
    [2, 1, 0, null],
    [2, 0, null, 'again'],
    [2, 1, 0, null],
    [3, 0, null, 'train'],
    [3, 1, 0, null],
  ])
  expect(await rows('SELECT context_id FROM Association WHERE execution_id = 3 ORDER BY context_id')).toEqual([
    [1],
    [3],
    [6],
    [7],
  ])
  expect(await rows('SELECT context_id FROM Attribution WHERE artifact_id = 1 ORDER BY context_id')).toEqual([
    [1],
    [2],
    [3],
    [4],
    [6],
    [7],
  ])
  const values = `SELECT count(*) FROM (SELECT * FROM ArtifactProperty UNION ALL SELECT * FROM ExecutionProperty UNION ALL SELECT * FROM ContextProperty)
    WHERE (int_value IS NULL) + (double_value IS NULL) + (string_value IS NULL) + (proto_value IS NULL) + (bool_value IS NULL) <> 4`
  expect(await rows(values)).toEqual([[0]])
  expect([...(await records.findByKeys([key])).values()].flat().map(({ execution }) => execution)).toEqual([1])
})

it('a run that ended while another process thought it lost keeps how it ended', async () => {
  await records.startRun(run('aa'))
  await records.startRun(run('bb'))
  await records.startStep('bb', step('split'))
  expect((await records.unfinishedRuns()).map(({ id }) => id).sort()).toEqual(['aa', 'bb'])
  await records.endRun('aa', { status: 'complete', endedAt: 1300, error: null })
  const lost = { code: 'ZEN_RUN_LOST', message: 'gone' } as never
  for (const id of ['aa', 'bb']) await records.markLost(id, 1400, lost)
  expect([(await records.getRun('aa'))!.status, (await records.getRun('bb'))!.status]).toEqual(['complete', 'failed'])
  expect((await records.getRun('bb'))!.steps[0]!.outcome).toBe('failed')
  expect(await records.unfinishedRuns()).toEqual([])
})

it('steps that are skipped one after the other are all remembered', async () => {
  await records.startRun(run('aa'))
  await records.skipSteps('aa', [{ name: 'train', outcome: 'skipped' }])
  await records.skipSteps('aa', [{ name: 'evaluate', outcome: 'canceled' }])
  expect((await records.getRun('aa'))!.steps.map(({ outcome }) => outcome)).toEqual([null, 'skipped', 'canceled'])
})

it('names are values and never part of a statement', async () => {
  const hostile = `p'; DROP TABLE Type; -- %_"\n\u{1F427}`
  await records.startRun(run('aa', hostile))
  await execute('aa', hostile, { [hostile]: artifact(hostile, 'in') }, { [hostile]: artifact('Model', 'out') })
  expect((await records.listRuns({ pipeline: hostile })).map(({ id }) => id)).toEqual(['aa'])
  expect(await records.listRuns({ pipeline: `' OR '1'='1` })).toEqual([])
  expect((await records.listArtifacts({ type: hostile })).map(({ type }) => type)).toEqual([hostile])
  expect((await records.lineage(sha256('out'), 'up')).edges.map(({ name }) => name)).toEqual([hostile, hostile])
  for (const prefix of ['%', '', `' OR 1=1 --`, 'a%'])
    await expect(records.resolveRun(prefix)).rejects.toMatchObject({ code: 'ZEN_RUN_UNKNOWN' })
  for (const name of ['%', '', '/', `aa/x'.y`])
    await expect(records.resolveArtifact(name)).rejects.toMatchObject({ code: expect.stringMatching(/UNKNOWN$/) })
})

it('what every run asks is found by an index, and no table is read from end to end', async () => {
  const asked: string[] = []
  await store.read((database) => {
    const prepare = database.prepare.bind(database)
    database.prepare = ((text: string) => {
      if (text.startsWith('SELECT')) asked.push(text)
      return prepare(text)
    }) as typeof database.prepare
  })
  await records.startRun(run('aa'))
  await execute('aa', 'split', {}, { train: artifact('Examples', 'data') })
  await records.findByKeys([key])
  await records.unfinishedRuns()
  await records.getRun('aa')
  await records.resolveRun('aa')
  await records.lineage(sha256('data'), 'both')
  await records.resolveArtifact(hex(sha256('data')).slice(0, 8))
  const plans = await store.read((database) =>
    asked.map((text) => {
      const count = (text.match(/\?/g) ?? []).length
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...Array.from({ length: count }, () => '[]'))
      return {
        text,
        scans: (plan as { detail: string }[]).filter(({ detail }) => /^SCAN (?!json_each|Type)/.test(detail)),
      }
    }),
  )
  expect(plans.length).toBeGreaterThan(5)
  expect(plans.filter(({ scans }) => scans.length > 0)).toEqual([])
})
