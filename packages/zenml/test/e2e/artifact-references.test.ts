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
  const pinned = await project.json('pipeline', 'run', 'pinned.yaml')
  expect(
    pinned.steps.map(({ outcome }: { outcome: string }) => outcome),
    JSON.stringify(pinned),
  ).toEqual(['reused', 'reused'])
  expect(digestIn(pinned, 'predict', 'examples')).toBe(digestIn(run, 'predict', 'examples'))
  const lineage = await project.zenml('artifact', 'lineage', digestIn(run, 'predict', 'examples'))
  expect(lineage.stdout).toContain('trainLinear')
}, 600_000)
