import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

const example = fileURLToPath(new URL('../../../../examples/penguins', import.meta.url))

let project: TestProject
beforeAll(() => {
  project = testProject()
})
afterAll(() => project[Symbol.dispose]())

it('the penguins example learns from real data, and its YAML reuses all that its TypeScript ran', async () => {
  for (const path of [
    'pipeline.ts',
    'pipeline.yaml',
    ...readdirSync(join(example, 'steps')).map((name) => `steps/${name}`),
  ])
    project.write({ [`examples/penguins/${path}`]: readFileSync(join(example, path)) })
  project.commit()
  const run = await project.json('pipeline', 'run', 'examples/penguins/pipeline.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const view = `.zenml/view/penguins/${run.run}`
  const { overall, slices } = JSON.parse(project.read(`${view}/evaluate/evaluation/evaluation.json`))
  expect(overall.accuracy).toBeGreaterThan(0.9)
  expect(new Set(slices.map(({ feature }: { feature: string }) => feature))).toEqual(new Set(['Island', 'Sex']))
  expect(project.read(`${view}/summarise/report/report.md`)).toContain('# Penguins')
  const again = await project.json('pipeline', 'run', 'examples/penguins/pipeline.yaml')
  expect(again.steps.map(({ outcome }: { outcome: string }) => outcome)).toEqual(run.steps.map(() => 'reused'))
})

it('the standard pipeline takes a messy CSV as it is: classes, numbers, dates, gaps and rare words', async () => {
  project.write({
    'birds.ts': `
import { evaluate, train } from '@zenml/tensorflow'
import { trainingPipeline } from 'zenml/steps'

export default trainingPipeline({
  name: 'birds',
  source: { path: 'package:vega-datasets/data/birdstrikes.csv' },
  preprocess: { label: 'Effect Amount of damage', exclude: ['Airport Name'] },
  train: (inputs) => train(inputs, { epochs: 2, batchSize: 128 }),
  evaluate: (inputs) => evaluate(inputs, { slices: ['Wildlife Size', 'Speed IAS in knots'] }),
})
`,
  })
  const run = await project.json('pipeline', 'run', 'birds.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const text = project.read(`.zenml/view/birds/${run.run}/evaluate/evaluation/evaluation.json`)
  const { overall, slices } = JSON.parse(text)
  expect(overall.rocAuc).toBeGreaterThan(0.7)
  for (const feature of ['Wildlife Size', 'Speed IAS in knots']) {
    const own = slices.filter((slice: { feature: string }) => slice.feature === feature)
    const rows = own.reduce((sum: number, { report }: { report: { rows: number } }) => sum + report.rows, 0)
    expect(rows).toBe(overall.rows)
  }
  expect(slices.some(({ value }: { value: string }) => value === '(missing)')).toBe(true)
})

it('the pipeline of texts on the page of the standard steps learns from real texts, and its second run reuses all', async () => {
  const page = readFileSync(fileURLToPath(new URL('../../../../docs/steps.md', import.meta.url)), 'utf8')
  const code = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].find(([, block]) =>
    block!.includes("pipeline('texts'"),
  )![1]!
  project.write({ 'texts.ts': code })
  const run = await project.json('pipeline', 'run', 'texts.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const verdict = JSON.parse(project.read(`.zenml/view/texts/${run.run}/gate/verdict/value.json`))
  expect(verdict.passed).toBe(true)
  const graph = JSON.parse(project.read(`.zenml/view/texts/${run.run}/preprocess/transform/transform.json`))
  const vocabulary = Object.keys(graph.features[0].transform.tokenizer.model.vocab)
  expect(vocabulary).toContain('Ġgull')
  expect(vocabulary.length).toBeLessThanOrEqual(1000)
  const again = await project.json('pipeline', 'run', 'texts.ts')
  expect(again.steps.map(({ outcome }: { outcome: string }) => outcome)).toEqual(run.steps.map(() => 'reused'))
})
