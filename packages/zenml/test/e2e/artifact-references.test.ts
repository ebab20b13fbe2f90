import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

let project: TestProject
beforeAll(() => {
  project = testProject()
  const rows = (count: number, from: number): string =>
    `id,x,y\n${Array.from({ length: count }, (_, row) => `${from + row},${(row * 37) % 101},${((row * 37) % 101) * 2 + 1}`).join('\n')}\n`
  project.write({
    'data/known.csv': rows(120, 0),
    'data/fresh.csv': rows(20, 1000),
    'train.ts': `
import { evaluate, trainingPipeline, trainLinear } from 'zenml/steps'

export default trainingPipeline({
  name: 'known',
  source: { path: 'data/known.csv' },
  preprocess: { label: 'y', features: ['x'] },
  train: (inputs) => trainLinear(inputs),
  evaluate: (inputs) => evaluate(inputs),
})
`,
    'guarded.ts': `
import { evaluate, trainingPipeline, trainLinear } from 'zenml/steps'

export default trainingPipeline({
  name: 'guarded',
  source: { path: 'data/known.csv' },
  preprocess: { label: 'y', features: ['x'] },
  train: (inputs) => trainLinear(inputs, { l2: 0 }),
  evaluate: (inputs) => evaluate(inputs),
  gate: { noWorseThanBaseline: { rmse: 0.01 } },
})
`,
    'forecast.ts': `
import { batchInferencePipeline, predict } from 'zenml/steps'

export default batchInferencePipeline({
  name: 'forecast',
  source: { path: 'data/fresh.csv' },
  from: 'known',
  trainer: 'trainLinear',
  predict: (inputs) => predict(inputs, { keep: ['id'] }),
})
`,
  })
  project.commit()
})
afterAll(() => project[Symbol.dispose]())

const digestIn = (run: { steps: { name: string; outputs: object }[] }, step: string, output: string): string =>
  (run.steps.find(({ name }) => name === step)!.outputs as { [name: string]: { digest: string } })[output]!.digest

it('a pipeline takes what another one gave: the newest is resolved once, and is what the run is made again from', async () => {
  const early = await project.json('pipeline', 'run', 'forecast.ts')
  expect(JSON.stringify(early)).toContain('ZEN_ARTIFACT_UNKNOWN')
  expect(JSON.stringify(early)).toContain('has no complete run yet')
  const first = await project.json('pipeline', 'run', 'train.ts')
  expect(first.status, JSON.stringify(first)).toBe('complete')
  const run = await project.json('pipeline', 'run', 'forecast.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const printed = (await project.zenml('pipeline', 'config', run.run)).stdout
  expect(printed).toContain('model: artifacts.model')
  expect(printed).toContain(digestIn(first, 'trainLinear', 'model'))

  // Another model is newer from here on.
  project.write({
    'train.ts': readFileSync(join(project.root, 'train.ts'), 'utf8').replace(
      'trainLinear(inputs)',
      'trainLinear(inputs, { l2: 9 })',
    ),
  })
  project.commit()
  const second = await project.json('pipeline', 'run', 'train.ts')
  expect(digestIn(second, 'trainLinear', 'model')).not.toBe(digestIn(first, 'trainLinear', 'model'))
  const verified = await project.json('pipeline', 'verify', run.run)
  expect(verified.verdict, JSON.stringify(verified)).toBe('reproduced')
  const again = await project.json('pipeline', 'rerun', run.run)
  expect(digestIn(again, 'predict', 'examples')).toBe(digestIn(run, 'predict', 'examples'))
  const newer = await project.json('pipeline', 'run', 'forecast.ts')
  expect(newer.steps.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['reused', 'executed'])
  expect(digestIn(newer, 'predict', 'examples')).not.toBe(digestIn(run, 'predict', 'examples'))

  // A run by name, in YAML, is the first model again: nothing is executed.
  project.write({
    'pinned.yaml': `version: 1
pipeline: forecast
datasources:
  forecast: { path: data/fresh.csv }
artifacts:
  model: { type: Model, artifact: ${first.run}/trainLinear.model }
  transform: { type: TransformGraph, artifact: ${digestIn(first, 'preprocess', 'transform')} }
steps:
  snapshot: { source: zenml/steps#snapshot, inputs: { source: datasources.forecast } }
  predict:
    source: zenml/steps#predict
    parameters: { keep: [id] }
    inputs: { examples: snapshot.examples, model: artifacts.model, transform: artifacts.transform }
`,
  })
  // What no step reads is not looked for, as with datasources.
  project.write({
    'pinned.yaml': project
      .read('pinned.yaml')
      .replace('artifacts:\n', 'artifacts:\n  unread: { type: Model, pipeline: never-run, output: train.model }\n'),
  })
  const pinned = await project.json('pipeline', 'run', 'pinned.yaml')
  expect(
    pinned.steps.map(({ outcome }: { outcome: string }) => outcome),
    JSON.stringify(pinned),
  ).toEqual(['reused', 'reused'])
  expect(digestIn(pinned, 'predict', 'examples')).toBe(digestIn(run, 'predict', 'examples'))
  const lineage = await project.zenml('artifact', 'lineage', digestIn(run, 'predict', 'examples'))
  expect(lineage.stdout).toContain('trainLinear')
}, 600_000)

it('a gate compares with the newest complete run of its own pipeline: the first has none, and each is made again beside what it was compared with', async () => {
  const outcomes = (run: { steps: { name: string; outcome: string }[] }): object =>
    Object.fromEntries(run.steps.map(({ name, outcome }) => [name, outcome]))
  const change = (before: string, after: string): void => {
    project.write({ 'guarded.ts': project.read('guarded.ts').replace(before, after) })
    project.commit()
  }
  const first = await project.json('pipeline', 'run', 'guarded.ts')
  expect(first.status, JSON.stringify(first)).toBe('complete')
  const second = await project.json('pipeline', 'run', 'guarded.ts')
  expect(outcomes(second)).toMatchObject({ evaluate: 'reused', gate: 'executed' })
  expect(digestIn(second, 'gate', 'verdict')).not.toBe(digestIn(first, 'gate', 'verdict'))
  const third = await project.json('pipeline', 'run', 'guarded.ts')
  expect(outcomes(third)).toMatchObject({ gate: 'reused' })
  change('l2: 0', 'l2: 50')
  const worse = await project.json('pipeline', 'run', 'guarded.ts')
  expect(worse.status).toBe('failed')
  expect(JSON.stringify(worse)).toContain('of the baseline, and may be worse by 0.01 at most')
  // A failed run is no baseline; what was worse stays worse.
  expect((await project.json('pipeline', 'run', 'guarded.ts')).status).toBe('failed')
  // The first run had no baseline, although there is one by now.
  for (const { run } of [first, second]) {
    const verified = await project.json('pipeline', 'verify', run)
    expect(verified.verdict, JSON.stringify(verified)).toBe('reproduced')
    const again = await project.json('pipeline', 'rerun', run)
    expect(digestIn(again, 'gate', 'verdict')).toBe(digestIn(run === first.run ? first : second, 'gate', 'verdict'))
  }
  expect((await project.zenml('pipeline', 'config', first.run)).stdout).toContain('optional: true')

  project.write({
    'needed.yaml': `version: 1
pipeline: needed
artifacts:
  a: { type: Evaluation, pipeline: nowhere, output: evaluate.evaluation, optional: true }
steps:
  gate: { source: zenml/steps#gate, parameters: { atLeast: { rmse: 1 } }, inputs: { evaluation: artifacts.a } }
`,
  })
  const needed = await project.zenml('pipeline', 'run', 'needed.yaml')
  expect(needed.code).toBe(2)
  expect(needed.stderr).toContain('is needed, but artifacts.a is optional')
}, 600_000)
