import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { type Digest, sha256 } from '../../src/base/digest.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { runRecords } from '../../src/metadata/run-records.ts'
import type { RunStart } from '../../src/metadata/runs.ts'
import { selectOne } from '../../src/metadata/sql/work.ts'
import type { PartialResults, ReusedStep, StepEnd } from '../../src/metadata/step-facts.ts'
import type { StoredArtifact } from '../../src/model/artifact.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import type { Verification } from '../../src/model/verification.ts'
import { example } from '../fingerprint/example.ts'
import { isRunning, place } from '../support/databases.ts'

const bases = { Examples: 'mlmd.Dataset', Model: 'mlmd.Model' }
const identity = (key: string) => ({ key: sha256(key), fields: {}, fingerprint: example })
const artifact = (type: string, content: string): StoredArtifact => ({
  ...{ type, digest: sha256(content), uri: `file:///store/${content}`, properties: { rows: 3 } },
  size: 5_000_000_000,
})
const run = (id: string, pipeline = 'penguins'): RunStart => ({
  ...{
    id,
    pipeline,
    seed: 2 ** 40,
    startedAt: 1_791_234_567_891,
    environment: { node: '20' },
    spec: {} as PipelineSpec,
  },
  code: { commit: 'c', tree: 't', dirty: false, ref: null, remote: null, branch: 'main' },
  steps: ['split', 'train'].map((name) => ({ name, source: `steps.ts#${name}` })),
  process: { host: 'h', pid: 1, started: 's' },
})
const step = (name: string, inputs: { readonly [name: string]: StoredArtifact } = {}) => ({
  ...{ name, source: `steps.ts#${name}`, parameters: { rate: 0.1 }, identity: identity(name), inputs, bases },
  startedAt: 1_791_234_567_900,
})
const ended = (name: string, outputs: { readonly [name: string]: StoredArtifact }) => ({
  ...{ outcome: 'executed' as const, endedAt: 1_791_234_568_000, identity: identity(name), outputs, bases },
  ...{ log: sha256('log'), metrics: { loss: 0.25 }, touches: [], error: null },
})

describe.each(['sqlite', 'mysql', 'postgres'] as const)('records on %s', (type) => {
  const test = it.skipIf(type !== 'sqlite' && !isRunning(type))

  test('what is recorded is read as it was, and found by key, run, digest, prefix and lineage', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const records = runRecords(store)
    const data = artifact('Examples', 'data')
    const model = artifact('Model', 'model')
    await records.startRun(run('aa11'))
    expect((await records.unfinishedRuns()).map(({ id }) => id)).toEqual(['aa11'])
    const split = await records.startStep('aa11', { ...step('split'), refused: ['Output "x" is missing.'] })
    await records.endStep(split, ended('split', { train: data, again: data, eval: artifact('Examples', 'eval') }))
    const train = await records.startStep('aa11', step('train', { examples: data }))
    await records.endStep(train, ended('train', { model }))
    await records.endRun('aa11', { status: 'complete', endedAt: 1_791_234_569_000, error: null })
    const reused = (name: string, from: number, outputs: ReusedStep['outputs'], inputs = {}): ReusedStep => ({
      ...step(name, inputs),
      ...{ outputs, from, at: 1_791_234_570_000, metrics: {}, touches: [], log: null },
    })
    const steps = [
      reused('split', split, { train: data }),
      reused('train', train, { model: { ...model, uri: 'file:///moved/model' } }, { examples: data }),
    ]
    await records.recordReusedRun(run('bb22'), steps, 1_791_234_571_000)

    const first = (await records.getRun('aa11'))!
    expect(first).toMatchObject({ ...{ pipeline: 'penguins', status: 'complete', seed: 2 ** 40 }, reuse: true })
    expect(first).toMatchObject({ startedAt: 1_791_234_567_891, endedAt: 1_791_234_569_000, error: null })
    expect(first.steps).toMatchObject([
      {
        ...{ name: 'split', outcome: 'executed', execution: split, log: sha256('log'), metrics: { loss: 0.25 } },
        ...{ refused: ['Output "x" is missing.'], inputs: {}, parameters: { rate: 0.1 } },
        outputs: { train: data, again: data, eval: artifact('Examples', 'eval') },
      },
      { name: 'train', inputs: { examples: data }, outputs: { model: { uri: 'file:///moved/model' } } },
    ])
    const second = (await records.getRun('bb22'))!
    expect(second.steps.map(({ outcome, reusedFrom }) => [outcome, reusedFrom])).toEqual([
      ['reused', split],
      ['reused', train],
    ])
    const found = await records.findByKeys([sha256('split'), sha256('train'), sha256('none')])
    expect([...found.values()].map((some) => some.map(({ execution }) => execution))).toEqual([[split], [train], []])
    expect(found.get(sha256('split'))![0]!.outputs).toMatchObject({ train: data, again: data })
    expect((await records.listRuns()).map(({ id }) => id)).toEqual(['bb22', 'aa11'])
    expect((await records.listRuns({ ascending: true, behind: { run: 'aa11' } })).map(({ id }) => id)).toEqual(['bb22'])
    expect(await records.listRuns({ pipeline: 'penguins', status: 'complete', behind: { run: 'bb22' } })).toMatchObject(
      [{ id: 'aa11', commit: 'c', tree: 't', dirty: false }],
    )
    expect(await records.listRuns({ status: 'failed' })).toEqual([])
    expect(await records.listPipelines()).toMatchObject([{ name: 'penguins', runs: 2, lastRun: 'bb22' }])
    expect(await records.listSteps()).toEqual([
      { name: 'split', source: 'steps.ts#split', pipelines: ['penguins'], executions: 2, lastRun: 'bb22' },
      { name: 'train', source: 'steps.ts#train', pipelines: ['penguins'], executions: 2, lastRun: 'bb22' },
    ])
    expect(await records.resolveRun('aa')).toBe('aa11')
    expect(await records.resolveRun('@latest')).toBe('bb22')
    expect(await records.resolveArtifact('bb22/train.model')).toBe(model.digest)
    expect(await records.resolveArtifact(data.digest.slice(0, 20))).toBe(data.digest)
    expect(await records.getArtifact(model.digest)).toMatchObject({
      ...{ type: 'Model', size: 5_000_000_000, properties: { rows: 3 } },
      producer: { run: 'aa11', step: 'train', output: 'model', execution: train },
    })
    expect((await records.listArtifacts({ type: 'Examples', limit: 1 })).map(({ type: name }) => name)).toEqual([
      'Examples',
    ])
    const lineage = await records.lineage(model.digest, 'up')
    expect(lineage.executions.map(({ step: name, source }) => [name, source])).toEqual([
      ['split', 'steps.ts#split'],
      ['train', 'steps.ts#train'],
    ])
    expect(lineage.edges.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      ...['input examples', 'output again', 'output model', 'output train'],
    ])
    const asked = await records.findEarlier([
      { pipeline: 'penguins', step: 'train' },
      { pipeline: 'none', step: 'train' },
      { pipeline: 'penguins', step: 'split', before: train },
    ])
    expect(asked.map((one) => one?.run)).toEqual(['bb22', undefined, 'aa11'])
    const verification = {
      ...{ run: 'aa11', verdict: 'reproduced' as const, at: 1_791_234_572_000 },
      partial: false,
    } as const
    const verified: Verification = { ...verification, environment: {}, notes: [], steps: [] }
    expect(await records.recordVerification({ ...verified, verdict: 'differs' })).toBe(true)
    expect(await records.recordVerification(verified)).toBe(true)
    expect(await records.recordVerification({ ...verified, run: 'cc' })).toBe(false)
    expect((await records.getRun('aa11'))!.verification).toEqual(verified)
    await records.startRun(run('cc33'))
    await records.startStep('cc33', step('split'))
    await records.skipSteps('cc33', [{ name: 'train', outcome: 'skipped' }])
    await records.markLost('cc33', 1_791_234_573_000, { code: 'ZEN_RUN_LOST', message: 'gone' } as never)
    expect((await records.getRun('cc33'))!.steps.map(({ outcome }) => outcome)).toEqual(['failed', 'skipped'])
    expect((await records.findFailed([sha256('split')])).get(sha256('split'))).toMatchObject([{ run: 'cc33' }])
  })

  test('what an execution kept when it did not complete is found by its increment alone, and is no artifact', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const records = runRecords(store)
    const increment = sha256('increment')
    const named = ['1', '3'].map((name) => ({ name, source: `steps.ts#${name}` }))
    await records.startRun({ ...run('aa11'), steps: named })
    const execute = async (name: string, end: Partial<StepEnd>): Promise<number> => {
      const execution = await records.startStep('aa11', { ...step(name), startedAt: Number(name), increment })
      const whole = { ...ended(name, {}), ...end }
      await records.endStep(execution, whole)
      // A server that went away as it was told is told again.
      await records.endStep(execution, whole)
      return execution
    }
    const partial = (content: string): PartialResults => ({
      done: content.length,
      unit: 'items',
      outputs: { examples: artifact('Examples', content) },
      observed: { seed: 7, files: { 'list.txt': sha256(content), 'gone.txt': null } },
      touches: [],
    })
    const complete = await execute('1', { outputs: { examples: artifact('Examples', 'whole') } })
    await execute('2', { outcome: 'failed', error: { code: 'ZEN_STEP_ERROR', message: 'down' } })
    const failed = await execute('3', { outcome: 'failed', partial: partial('half') })
    const canceled = await execute('4', { outcome: 'canceled', partial: partial('more') })
    await records.startStep('aa11', { ...step('5'), increment })
    const { steps } = (await records.getRun('aa11'))!
    expect(steps.map(({ kept }) => kept)).toEqual([null, { done: 4, unit: 'items' }])
    expect(await records.findPrevious(increment, 9)).toMatchObject([
      { execution: canceled, run: 'aa11', complete: false, ...partial('more') },
      { execution: failed, run: 'aa11', complete: false, ...partial('half') },
      { execution: complete, run: 'aa11', complete: true, outputs: { examples: artifact('Examples', 'whole') } },
    ])
    expect((await records.findPrevious(increment, 1)).map(({ execution }) => execution)).toEqual([canceled])
    expect(await records.findPrevious(sha256('other'), 9)).toEqual([])
    for (const key of ['3', '4']) expect([...(await records.findByKeys([sha256(key)])).values()]).toEqual([[]])
    expect((await records.listArtifacts()).map(({ digest }) => digest)).toEqual([sha256('whole')])
    await expect(records.resolveArtifact(sha256('half'))).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_UNKNOWN' })
  })

  test('names that differ in case only are never taken for each other', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const records = runRecords(store)
    await records.startRun(run('aa11', 'penguins'))
    const second = await records.startRun(run('bb22', 'Penguins')).then(
      () => 'recorded',
      (error: { code: string }) => error.code,
    )
    expect(['recorded', 'ZEN_METADATA_NAME']).toContain(second)
    const upper = second === 'recorded' ? ['bb22'] : []
    expect((await records.listRuns({ pipeline: 'Penguins' })).map(({ id }) => id)).toEqual(upper)
    expect((await records.listRuns({ pipeline: 'penguins' })).map(({ id }) => id)).toEqual(['aa11'])
    expect(await records.findEarlier([{ pipeline: 'PENGUINS', step: 'split' }])).toEqual([undefined])
  })

  test('eight processes that record fifty runs each at once make every shared context, type and artifact once', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))
    const folder = mkdtempSync(join(modules, '.zenml-writers-'))
    try {
      const source = (path: string): string =>
        JSON.stringify(fileURLToPath(new URL(`../../src/metadata/${path}`, import.meta.url)))
      await build({
        stdin: {
          contents: `import { readFileSync } from 'node:fs'
import { openDatabase } from ${source('open.ts')}
import { runRecords } from ${source('run-records.ts')}
const { location, run, step } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
await using store = await openDatabase(location)
const records = runRecords(store)
for (let index = 0; index < 50; index++) await records.recordReusedRun({ ...run, id: process.argv[3] + index }, [step], 1700)`,
          resolveDir: '/',
          loader: 'ts',
        },
        ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
        outfile: join(folder, 'writer.mjs'),
      })
      const shared: ReusedStep = {
        ...step('train', { examples: artifact('Examples', 'data') }),
        outputs: { model: artifact('Model', 'model') },
        ...{ from: 1, at: 1600, metrics: {}, touches: [], log: null as Digest | null },
      }
      writeFileSync(
        join(folder, 'work.json'),
        JSON.stringify({ location: database.location, run: run('', 'shared'), step: shared }),
      )
      const ends = await Promise.all(
        [...'abcdefgh'].map(
          (name) =>
            new Promise<string>((resolve) =>
              execFile(
                process.execPath,
                [join(folder, 'writer.mjs'), join(folder, 'work.json'), name],
                (error, _stdout, stderr) => resolve(error === null ? '' : stderr),
              ),
            ),
        ),
      )
      expect(ends).toEqual(ends.map(() => ''))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const count = async (text: string): Promise<number> =>
      (await store.read(() => selectOne<{ number: number }>(`SELECT COUNT(*) AS number FROM ${text}`)))!.number
    const inContext = (name: string): string =>
      `Association a JOIN Context c ON c.id = a.context_id JOIN Type t ON t.id = c.type_id WHERE t.name = '${name}'`
    // Nine simple ones, four of contexts, one of executions, two of artifacts.
    expect(await count('Type')).toBe(16)
    expect(await count(`Context WHERE name = 'shared'`)).toBe(1)
    // Pipeline, two nodes, and a run each; what was reused is in no context of its key.
    expect(await count('Context')).toBe(3 + 400)
    expect(await count('Artifact')).toBe(2)
    expect(await count('ArtifactProperty')).toBe(6)
    expect(await count('Execution')).toBe(400)
    for (const name of ['pipeline', 'node', 'pipeline_run']) expect(await count(inContext(name))).toBe(400)
    expect(await runRecords(store).listRuns({ pipeline: 'shared', limit: 1000 })).toHaveLength(400)
  })
})
