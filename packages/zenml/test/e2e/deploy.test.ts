import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openExamples, textAt } from '../../src/formats/examples.ts'
import { type TestProject, testProject } from '../support/project.ts'
import { type Said, serve } from '../support/serving.ts'

let project: TestProject
let place: string
beforeAll(() => {
  project = testProject()
  place = mkdtempSync(join(tmpdir(), 'zenml-pulled-'))
  const lines = Array.from({ length: 160 }, (_, row) => {
    const [x, site] = [(row * 37) % 101, ['north', 'south', ''][row % 3]]
    return `${x / 7},${row % 9 === 0 ? '' : row % 13},${site},${x > 50 === (row % 13 > 6) ? 'yes' : 'no'}`
  })
  project.write({
    'data/rows.csv': `x,n,site,answer\n${lines.join('\n')}\n`,
    'pipeline.ts': `
import { deploy } from 'zenml/deploy'
import { deploymentPipeline, evaluate, predict, trainTrees } from 'zenml/steps'

export default deploymentPipeline({
  name: 'answers',
  source: { path: 'data/rows.csv' },
  preprocess: { label: 'answer' },
  train: (inputs) => {
    const { model } = trainTrees(inputs, { rounds: 8 })
    predict({ ...inputs, model }, { splits: ['eval'] })
    return { model }
  },
  evaluate: (inputs) => evaluate(inputs, { slices: ['site'] }),
  gate: { atLeast: { accuracy: 0.1 } },
  deploy: (inputs) => deploy(inputs),
})
`,
    'strict.ts': `
import { deploy } from 'zenml/deploy'
import { deploymentPipeline, evaluate, splitStratified, trainLinear } from 'zenml/steps'

export default deploymentPipeline({
  name: 'strict',
  source: { path: 'data/rows.csv' },
  split: (inputs) => splitStratified(inputs, { feature: 'answer' }),
  validate: {},
  preprocess: { label: 'answer' },
  train: (inputs) => trainLinear(inputs),
  evaluate: (inputs) => evaluate(inputs),
  gate: { atLeast: { accuracy: 1.1 } },
  deploy: (inputs) => deploy(inputs),
})
`,
    'data.ts': `
import { dataPipeline, noSplit } from 'zenml/steps'

export default dataPipeline({ name: 'data', source: { path: 'data/rows.csv' }, split: (inputs) => noSplit(inputs) })
`,
  })
  project.commit()
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(place, { recursive: true, force: true })
})

it('a pulled folder serves what the run predicted, bit for bit, from a place of its own', async () => {
  const run = await project.json('pipeline', 'run', 'pipeline.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const directory = join(place, 'answers')
  const pulled = await project.zenml('artifact', 'pull', `${run.run}/deploy.serving`, directory)
  expect(pulled.code, pulled.stderr).toBe(0)
  expect(readdirSync(directory).sort()).toEqual([
    ...['model', 'package.json', 'predict.d.mts', 'predict.mjs', 'schema', 'serve.mjs', 'serving.json', 'transform'],
  ])

  const predicted = await openExamples(join(project.root, `.zenml/view/answers/${run.run}/predict/examples`))
  const rows: object[] = []
  const expected: Said[] = []
  for await (const { length, columns } of predicted.read('eval')) {
    const at = (name: string, row: number): unknown => {
      const column = columns.get(name)!
      const start = column.offsets?.[row] ?? row
      if ((column.offsets?.[row + 1] ?? row + 1) === start) return null
      return column.kind === 'bytes' ? textAt(column, start) : column.values[start]
    }
    for (let row = 0; row < length; row++) {
      rows.push(Object.fromEntries(['x', 'n', 'site'].map((name) => [name, at(name, row)])))
      const probabilities = columns.get('prediction.probabilities')!
      expected.push({
        prediction: at('prediction', row) as string,
        probabilities: probabilities.kind === 'float' ? [...probabilities.values.subarray(row * 2, row * 2 + 2)] : [],
      })
    }
  }
  expect(rows.length).toBeGreaterThan(10)
  await using server = await serve(directory)
  expect((await server.post({ rows })).body.predictions).toEqual(expected)
  for (const [index, row] of rows.slice(0, 5).entries())
    expect((await server.post({ rows: [row] })).body.predictions).toEqual([expected[index]])

  const verified = await project.json('pipeline', 'verify', run.run, '--step', 'deploy')
  expect(verified.verdict, JSON.stringify(verified)).toBe('reproduced')
})

it('a model that the gate refuses is not deployed, and other parts are chosen', async () => {
  const run = await project.json('pipeline', 'run', 'strict.ts')
  const outcomes = Object.fromEntries(
    run.steps.map((step: { name: string; outcome: string }) => [step.name, step.outcome]),
  )
  expect(outcomes).toMatchObject({
    splitStratified: 'executed',
    validate: 'executed',
    evaluate: 'executed',
    gate: 'failed',
    deploy: 'skipped',
  })
  expect(existsSync(join(project.root, `.zenml/view/strict/${run.run}/deploy`))).toBe(false)
})

it('a pipeline of data alone takes the snapshot that another one took', async () => {
  const run = await project.json('pipeline', 'run', 'data.ts')
  expect(run.status, JSON.stringify(run)).toBe('complete')
  const outcomes = run.steps.map(({ name, outcome }: { name: string; outcome: string }) => `${name} ${outcome}`)
  expect(outcomes).toEqual([
    'snapshot reused',
    'noSplit executed',
    'statistics executed',
    'inferSchema executed',
    'validate executed',
  ])
})
