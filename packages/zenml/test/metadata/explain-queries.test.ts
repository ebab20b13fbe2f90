import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { artifactStore } from '../../src/artifacts/artifact-store.ts'
import { localBlobStorage } from '../../src/artifacts/local-blob-storage.ts'
import { sha256 } from '../../src/base/digest.ts'
import { identify } from '../../src/fingerprint/identify.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { type RunRecords, runRecords } from '../../src/metadata/run-records.ts'
import type { RunStart } from '../../src/metadata/runs.ts'
import type { Identity } from '../../src/model/fingerprint.ts'
import { explainRun } from '../../src/run/explain.ts'
import { example } from '../fingerprint/example.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-explain-'))
  folders.push(folder)
  return folder
}

const stepCount = 10
const names = Array.from({ length: stepCount }, (_, index) => `step${index}`)
const idOf = (run: number): string => (run + 1).toString(16).padStart(16, '0')
const identityOf = (step: string, epochs: number): Identity =>
  identify({
    ...example,
    code: { ...example.code, digest: sha256(step) },
    parameters: { epochs },
    observed: { seed: null, files: {} },
  })

const startOf = (run: number): RunStart => ({
  id: idOf(run),
  pipeline: 'many',
  seed: 0,
  startedAt: run,
  code: { commit: null, tree: null, dirty: false, ref: null, remote: null, branch: null },
  spec: { version: 1, name: 'many', seed: 0, backend: { type: 'local' }, datasources: {}, steps: {} },
  environment: {},
  steps: names.map((name) => ({ name, source: 'steps/train.ts#train' })),
  process: { host: 'here', pid: 1, started: '' },
})
const factsOf = (name: string, epochs: number) => ({
  name,
  source: 'steps/train.ts#train',
  parameters: { epochs },
  identity: identityOf(name, epochs),
  inputs: {},
  bases: {},
})
const endAt = (endedAt: number) =>
  ({ outcome: 'executed', endedAt, outputs: {}, bases: {}, log: null, metrics: {}, touches: [], error: null }) as const

/** Records a run; `reusedFrom` by step, or all steps executed. */
async function record(records: RunRecords, run: number, epochs: number, from?: ReadonlyMap<string, number>) {
  const start = startOf(run)
  const made = new Map<string, number>()
  if (from !== undefined) {
    const steps = names.map((name) => ({
      ...factsOf(name, epochs),
      ...{ outputs: {}, from: from.get(name)!, at: run, metrics: {}, touches: [], log: null },
    }))
    await records.recordReusedRun(start, steps, run)
    return made
  }
  await records.startRun(start)
  for (const name of names) {
    const execution = await records.startStep(start.id, { ...factsOf(name, epochs), startedAt: run })
    made.set(name, execution)
    await records.endStep(execution, { ...endAt(run), identity: identityOf(name, epochs) })
  }
  await records.endRun(start.id, { status: 'complete', endedAt: run, error: null })
  return made
}

it('a run of ten steps is explained by as many questions to the store after many runs as after few', async () => {
  const folder = place()
  await using store = await openDatabase({ type: 'sqlite', path: join(folder, 'metadata.db') })
  const records = runRecords(store)
  const artifacts = artifactStore(localBlobStorage(join(folder, 'artifacts')))
  let questions = 0
  // The real records, counted.
  const counted = Object.fromEntries(
    Object.entries(records).map(([name, method]) => [
      name,
      (...args: never[]) => {
        questions++
        return (method as (...given: never[]) => unknown)(...args)
      },
    ]),
  ) as unknown as RunRecords
  const counts: number[] = []
  let run = 0
  for (const target of [3, 60]) {
    const executed = await record(records, run++, run)
    const epochs = run
    while (run < target) await record(records, run++, epochs, executed)
    await record(records, run++, target * 1_000)
    questions = 0
    const { steps } = await explainRun({ records: counted, artifacts, root: folder }, idOf(run - 1))
    counts.push(questions)
    expect(steps).toHaveLength(stepCount)
    for (const step of steps) {
      expect(step).toMatchObject({ cause: 'changed', changes: [{ field: 'parameters', path: 'epochs' }] })
      expect(step.reason).toContain(`since run ${idOf(run - 2).slice(0, 6)}`)
    }
  }
  expect(counts[1]).toBe(counts[0])
  expect(counts[0]).toBeLessThan(stepCount)
})

it('the nearest earlier execution is found by index alone, and failed or later ones are passed over', async () => {
  const folder = place()
  await using store = await openDatabase({ type: 'sqlite', path: join(folder, 'metadata.db') })
  const records = runRecords(store)
  const first = await record(records, 0, 1)
  await record(records, 1, 2)
  await records.startRun(startOf(2))
  const failing = await records.startStep(idOf(2), { ...factsOf('step0', 3), startedAt: 2 })
  const error = { code: 'ZEN_STEP_ERROR', message: 'no' }
  await records.endStep(failing, { ...endAt(2), outcome: 'failed', identity: identityOf('step0', 3), error })
  const { key } = identityOf('step0', 3)
  expect((await records.findFailed([key])).get(key)).toMatchObject([{ execution: failing, run: idOf(2) }])
  const ask = async (before?: number) =>
    (await records.findEarlier([{ pipeline: 'many', step: 'step0', ...(before === undefined ? {} : { before }) }]))[0]
  expect(await ask()).toMatchObject({ run: idOf(1), step: 'step0' })
  expect(await ask((await ask())!.execution)).toMatchObject({ run: idOf(0), execution: first.get('step0') })
  expect(await ask(first.get('step0')!)).toBeUndefined()
  const unknown = [
    { pipeline: 'many', step: 'none' },
    { pipeline: 'none', step: 'step0' },
  ]
  expect(await records.findEarlier(unknown)).toEqual([undefined, undefined])
})

it('a change is followed up through a graph of a billion ways, and the sentence names where it began and no step between', async () => {
  const folder = place()
  await using store = await openDatabase({ type: 'sqlite', path: join(folder, 'metadata.db') })
  const records = runRecords(store)
  const artifacts = artifactStore(localBlobStorage(join(folder, 'artifacts')))
  const layers = Array.from({ length: 30 }, (_, layer) => [`a${layer}`, `b${layer}`])
  for (const run of [0, 1]) {
    const start = { ...startOf(run), steps: layers.flat().map((name) => ({ name, source: 'steps/train.ts#train' })) }
    await records.startRun(start)
    for (const [layer, pair] of layers.entries()) {
      for (const name of pair) {
        // Both steps of a layer read both of the layer before; the first layer has another parameter.
        const inputs = Object.fromEntries(
          (layers[layer - 1] ?? []).map((from) => [from, { digest: sha256(`${from} ${run}`), from: `${from}.value` }]),
        )
        const parameters = { epochs: layer === 0 ? run : 0 }
        const identity = identify({ ...example, inputs, parameters, observed: { seed: null, files: {} } })
        const facts = { ...factsOf(name, 0), identity, parameters, startedAt: run }
        const execution = await records.startStep(start.id, facts)
        await records.endStep(execution, { ...endAt(run), identity })
      }
    }
    await records.endRun(start.id, { status: 'complete', endedAt: run, error: null })
  }
  const { steps } = await explainRun({ records, artifacts, root: folder }, idOf(1))
  const told = steps.find(({ name }) => name === 'b29')!
  expect(told.changes).toMatchObject([
    { field: 'inputs', path: 'a28', because: { step: 'a28', origin: { step: 'a0' } } },
    { field: 'inputs', path: 'b28', because: { step: 'b28', origin: { step: 'a0' } } },
  ])
  expect(told.reason).toBe(
    `b29 ran again because input a28 changed and input b28 changed since run ${idOf(0).slice(0, 6)}: a0 ran again because parameter epochs changed from 0 to 1.`,
  )
})
