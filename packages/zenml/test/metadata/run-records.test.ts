import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Digest, sha256 } from '../../src/base/digest.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { type RunRecords, runRecords } from '../../src/metadata/run-records.ts'
import type { RunStart } from '../../src/metadata/runs.ts'
import type { SqlDatabase } from '../../src/metadata/sql/database.ts'
import { type Query, type Statement, select, type Work } from '../../src/metadata/sql/work.ts'
import type { ReusedStep, StepStart } from '../../src/metadata/step-facts.ts'
import type { StoredArtifact } from '../../src/model/artifact.ts'
import type { Identity } from '../../src/model/fingerprint.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import { example } from '../fingerprint/example.ts'

let folder: string
let store: SqlDatabase
let records: RunRecords
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zenml-records-'))
  store = await openDatabase({ type: 'sqlite', path: join(folder, 'metadata.db') })
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

const rows = async (text: string): Promise<unknown[]> =>
  (await store.read(() => select(text))).map((row) => Object.values(row))

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
  expect(
    await rows('SELECT t.name AS type_name, c.name FROM Context c JOIN Type t ON t.id = c.type_id ORDER BY c.id'),
  ).toEqual([
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
  const asked: Query[] = []
  const watched = runRecords(watchedDatabase(store, (statement) => 'text' in statement && asked.push(statement)))
  const data = artifact('Examples', 'data')
  await watched.startRun(run('aa'))
  const split = await watched.startStep('aa', step('split'))
  const { bases } = step('split')
  const end = {
    endedAt: 1200,
    identity,
    outputs: { train: data },
    bases,
    log: null,
    metrics: {},
    touches: [],
    error: null,
  }
  await watched.endStep(split, { outcome: 'executed', ...end })
  const reused = {
    ...step('split'),
    outputs: { train: data },
    from: split,
    at: 1500,
    metrics: {},
    touches: [],
    log: null,
  }
  await watched.recordReusedRun(run('bb'), [reused], 1600)
  await watched.skipSteps('aa', [{ name: 'train', outcome: 'skipped' }])
  await watched.markLost('aa', 1700, { code: 'ZEN_RUN_LOST', message: 'gone' } as never)
  await watched.findByKeys([key])
  await watched.findFailed([key])
  await watched.findPrevious(key, 3)
  await watched.findEarlier([{ pipeline: 'penguins', step: 'split', before: 9 }])
  await watched.unfinishedRuns()
  await watched.getRun('aa')
  for (const prefix of ['aa', '@latest']) await watched.resolveRun(prefix)
  for (const query of [{}, { pipeline: 'penguins' }, { behind: { run: 'bb' } }, { ascending: true }] as const)
    await watched.listRuns(query)
  await watched.listRuns({ pipeline: 'penguins', status: 'complete', behind: { run: 'bb' } })
  await watched.listPipelines()
  await watched.lineage(sha256('data'), 'both')
  await watched.listArtifacts({ type: 'Examples' })
  for (const name of [hex(sha256('data')).slice(0, 8), 'aa/split.train']) await watched.resolveArtifact(name)
  const file = new Sqlite(join(folder, 'metadata.db'), { readonly: true })
  const plans = asked.map(({ text, values }) => {
    const plan = file.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values.map((value) => (value === true ? 1 : value)))
    // Lists are read along a key, until the page is full; results of a few rows may be gone through.
    const inOrder = /LIMIT \?$/.test(text) ? /^SCAN (p|r) USING (COVERING )?INDEX|^SCAN r$/ : /^$/
    return {
      text,
      scans: (plan as { detail: string }[])
        .map(({ detail }) => detail)
        .filter((detail) => /^SCAN (?!t$|Type|MLMDEnv|q\d|\(subquery|CONSTANT)/.test(detail) && !inOrder.test(detail)),
    }
  })
  file.close()
  expect(plans.length).toBeGreaterThan(50)
  expect(plans.filter(({ scans }) => scans.length > 0)).toEqual([])
})

it('a run of six reused steps is recorded by as many statements as one of sixty, and read by as many', async () => {
  const data = artifact('Examples', 'data')
  await records.startRun(run('aa'))
  const from = await execute('aa', 'split', {}, { train: data })
  let statements = 0
  const counted = runRecords(watchedDatabase(store, () => statements++))
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    statements = 0
    await work()
    return statements
  }
  const counts: { [operation: string]: number }[] = []
  for (const [id, length] of [
    ['bb', 6],
    ['cc', 60],
  ] as const) {
    const steps = Array.from({ length }, (_, index): ReusedStep => {
      const outputs = { train: data, other: artifact('Model', `${id} ${index}`) }
      const inputs = { examples: data }
      return { ...step(`step${index}`, inputs), outputs, from, at: 1500, metrics: {}, touches: [], log: null }
    })
    const started = { ...run(id), steps: steps.map(({ name, source }) => ({ name, source })) }
    // Types of steps are made one by one, but once.
    await records.recordReusedRun({ ...started, id: `${id}0` }, steps, 1600)
    counts.push({
      recordReusedRun: await count(() => counted.recordReusedRun(started, steps, 1600)),
      getRun: await count(() => counted.getRun(id)),
      findByKeys: await count(() => counted.findByKeys([key])),
    })
    expect((await records.getRun(id))!.steps.map(({ outcome }) => outcome)).toEqual(steps.map(() => 'reused'))
  }
  expect(counts[1]).toEqual(counts[0])
  expect(counts[0]!['recordReusedRun']).toBeLessThan(25)
  expect(counts[0]!['getRun']).toBeLessThan(10)
  expect(counts[0]!['findByKeys']).toBeLessThan(6)
})

it('numbers beyond 32 bits are kept exactly and not as int_value, and databases that have them there are read alike', async () => {
  const started = { ...run('aa'), startedAt: 1_791_234_567_891, seed: Number.MAX_SAFE_INTEGER }
  await records.startRun(started)
  const execution = await records.startStep('aa', { ...step('split'), startedAt: 2 ** 31 })
  await records.endRun('aa', { status: 'complete', endedAt: 1_791_234_567_892, error: null })
  const wide = (table: string): string => `SELECT name FROM ${table} WHERE abs(int_value) > 2147483647`
  expect(await rows(`${wide('ContextProperty')} UNION ALL ${wide('ExecutionProperty')}`)).toEqual([])
  const before = await records.getRun('aa')
  expect(before).toMatchObject({ startedAt: started.startedAt, endedAt: 1_791_234_567_892, seed: started.seed })
  expect(before!.steps[0]).toMatchObject({ execution, startedAt: 2 ** 31 })
  const old = new Sqlite(join(folder, 'metadata.db'))
  for (const table of ['ContextProperty', 'ExecutionProperty'])
    old.exec(
      `UPDATE ${table} SET int_value = CAST(double_value AS INTEGER), double_value = NULL WHERE double_value IS NOT NULL`,
    )
  old.close()
  expect(await records.getRun('aa')).toEqual(before)
  await records.endRun('aa', { status: 'failed', endedAt: 1_791_234_567_893, error: null })
  expect((await records.getRun('aa'))!.endedAt).toBe(1_791_234_567_893)
})

it('runs are listed page by page in both orders, by pipeline and by status, however rare', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => (index + 16).toString(16))
  for (const [index, id] of ids.entries()) {
    await records.startRun(run(id, index % 3 === 0 ? 'penguins' : 'flights'))
    const status = index % 7 === 0 ? 'failed' : 'complete'
    await records.endRun(id, { status, endedAt: 1100 + index, error: null })
  }
  const pages = async (query: Parameters<RunRecords['listRuns']>[0]): Promise<string[]> => {
    const found: string[] = []
    for (;;) {
      const before = found.at(-1)
      const page = await records.listRuns({
        ...query,
        limit: 4,
        ...(before === undefined ? {} : { behind: { run: before } }),
      })
      found.push(...page.map(({ id }) => id))
      if (page.length < 4) return found
    }
  }
  const filters = [
    [{}, () => true],
    [{ pipeline: 'penguins' }, (index: number) => index % 3 === 0],
    [{ status: 'failed' }, (index: number) => index % 7 === 0],
    [{ pipeline: 'flights', status: 'complete' }, (index: number) => index % 3 > 0 && index % 7 > 0],
    [{ pipeline: 'flights', status: 'running' }, () => false],
  ] as const
  for (const [query, holds] of filters) {
    const expected = ids.filter((_id, index) => holds(index))
    expect(await pages({ ...query, ascending: true })).toEqual(expected)
    expect(await pages(query)).toEqual([...expected].reverse())
  }
  expect(await records.listPipelines()).toMatchObject([
    { name: 'flights', runs: 20, lastRun: ids.at(-1), lastStatus: 'complete' },
    { name: 'penguins', runs: 10, lastRun: ids.at(-3), lastStatus: 'complete' },
  ])
  await expect(records.listRuns({ behind: { run: 'ff' } })).rejects.toMatchObject({ code: 'ZEN_RUN_UNKNOWN' })
})

it('what is recorded once more, since its answer was lost on the way, is recorded once', async () => {
  const data = artifact('Examples', 'data')
  await records.startRun(run('aa'))
  const split = await records.startStep('aa', step('split'))
  expect(await records.startStep('aa', step('split'))).toBe(split)
  const { bases } = step('split')
  const end = {
    endedAt: 1200,
    identity,
    outputs: { train: data },
    bases,
    log: null,
    metrics: {},
    touches: [],
    error: null,
  }
  const reused = {
    ...step('split'),
    outputs: { train: data },
    from: split,
    at: 1500,
    metrics: {},
    touches: [],
    log: null,
  }
  for (let times = 0; times < 2; times++) {
    await records.endStep(split, { outcome: 'executed', ...end })
    await records.recordReusedRun(run('bb'), [reused], 1600)
  }
  expect(await rows('SELECT id, last_known_state FROM Execution')).toEqual([
    [split, 3],
    [split + 1, 5],
  ])
  expect(await rows('SELECT COUNT(*) FROM EventPath')).toEqual([[4]])
})

it('lineage goes as far as it is told', async () => {
  await records.startRun(run('aa'))
  await execute('aa', 'split', { raw: artifact('Raw', 'raw') }, { data: artifact('Examples', 'data') })
  await execute('aa', 'train', { data: artifact('Examples', 'data') }, { model: artifact('Model', 'model') })
  await execute('aa', 'evaluate', { model: artifact('Model', 'model') }, { metrics: artifact('Metrics', 'metrics') })
  const steps = async (digest: Digest, direction: 'up' | 'down' | 'both', hops?: number): Promise<string[]> =>
    (await records.lineage(digest, direction, hops)).executions.map(({ step: name }) => name)
  expect(await steps(sha256('metrics'), 'up')).toEqual(['split', 'train', 'evaluate'])
  expect(await steps(sha256('metrics'), 'up', 2)).toEqual(['train', 'evaluate'])
  expect(await steps(sha256('data'), 'both', 1)).toEqual(['split', 'train'])
})

/** The same database, with every statement told before it runs. */
function watchedDatabase(database: SqlDatabase, tell: (statement: Statement) => unknown): SqlDatabase {
  function* watched<T>(work: () => Work<T>): Work<T> {
    const inner = work()
    let next = inner.next()
    while (next.done !== true) {
      for (const statement of 'batch' in next.value ? next.value.batch : [next.value]) tell(statement)
      next = inner.next(yield next.value)
    }
    return next.value
  }
  return {
    ...database,
    write: (work) => database.write(() => watched(work)),
    read: (work) => database.read(() => watched(work)),
  }
}
