import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

let project: TestProject
beforeAll(() => {
  project = testProject()
})
afterAll(() => project[Symbol.dispose]())

const pipelineFile = (parallelism: number): string => `
import { datasource, pipeline } from 'zenml'
import { deploy } from 'zenml/deploy'
import { crossValidate, evaluate, evaluationReport, inferSchema, noSplit, preprocess, sequence, snapshot, splitByDomain, splitByTime, splitStratified, statistics, statisticsReport, trainLinear, trainTrees } from 'zenml/steps'

export default pipeline(
  'weather',
  () => {
    const { examples } = snapshot({ source: datasource('weather', { path: 'package:vega-datasets/data/seattle-weather.csv' }) })
    const rain = ['rain', 'drizzle', 'snow']
    splitByDomain({ examples }, { feature: 'weather', splits: { train: rain, eval: ['fog'] }, unmapped: { split: 'dry' } })
    const { examples: strata } = splitStratified({ examples }, { feature: 'weather' })
    noSplit({ examples }, {})
    crossValidate({ examples }, { folds: 2 }, ({ examples: parts, fold }) =>
      preprocess({ examples: parts }, { label: 'weather', exclude: ['date'] }, { name: \`preprocess-\${fold}\` }),
    )
    const { examples: windows } = sequence(
      { examples },
      {
        time: 'date',
        interval: 7 * 86_400_000,
        overwrite: {
          precipitation: { resample: { threshold: 5 }, fill: 'zero' },
          wind: { resample: 'median', fill: 'interpolate' },
        },
        length: 8,
        label: { feature: 'temp_max', horizon: 2, name: 'later' },
      },
    )
    const { examples: parts } = splitByTime({ examples: windows }, { feature: 'date' })
    const { transform } = preprocess(
      { examples: parts },
      {
        label: 'later',
        features: {
          precipitation: { transform: 'passthrough', values: 8 },
          temp_max: { transform: 'zscore', values: 8, missing: 'indicator' },
          weather: { transform: 'tfidf', sizes: [1, 2] },
          date: { transform: 'hashing', buckets: 16, tokens: true },
          wind: { transform: 'scale_to_0_1', values: 4 },
          last: { transform: 'pca', features: ['temp_min', 'wind'], standardize: true },
        },
      },
    )
    preprocess({ examples: strata }, { label: 'weather', features: { date: { transform: 'tokens', length: 12, vocabSize: 300 } } }, { name: 'tokens' })
    const { statistics: facts } = statistics({ examples: parts })
    statisticsReport({ statistics: facts })
    const { schema } = inferSchema({ statistics: facts })
    const { model } = trainTrees({ examples: parts, transform }, { rounds: 20 })
    const { evaluation } = evaluate({ examples: parts, transform, model })
    const { evaluation: baseline } = evaluate(
      { examples: parts, transform, model: trainLinear({ examples: parts, transform }).model },
      {},
      { name: 'evaluateLinear' },
    )
    evaluationReport({ evaluation, baseline })
    deploy({ model, transform, schema })
  },
  {
    backend: { type: 'local', parallelism: ${parallelism} },
    // Stores of their own, so that nothing is reused.
    stores: {
      metadata: { type: 'sqlite', path: '.zenml/${parallelism}/metadata.db' },
      artifacts: { type: 'local', path: '.zenml/${parallelism}/artifacts' },
    },
  },
)
`

it('the standard steps give the same bytes with 1, 2 and 4 workers', async () => {
  const digests: unknown[] = []
  for (const parallelism of [1, 2, 4]) {
    project.write({ 'weather.ts': pipelineFile(parallelism) })
    project.commit()
    const run = await project.json('pipeline', 'run', 'weather.ts')
    expect(run.status, JSON.stringify(run)).toBe('complete')
    const own = run.steps.filter(({ outcome }: { outcome: string }) => outcome === 'executed')
    expect(own.length).toBe(22)
    digests.push(
      run.steps.map(({ name, outputs }: { name: string; outputs: { [output: string]: { digest: string } } }) => [
        name,
        Object.values(outputs).map(({ digest }) => digest),
      ]),
    )
  }
  expect(JSON.stringify(digests[0])).toContain('sha256:')
  expect(digests[1]).toEqual(digests[0])
  expect(digests[2]).toEqual(digests[0])
}, 300_000)
