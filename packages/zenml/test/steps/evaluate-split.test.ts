import { beforeAll, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import type { ExamplesReader } from '../../src/formats/examples.ts'
import type { TransformGraphData } from '../../src/formats/transform-graph.ts'
import { evaluateParameters } from '../../src/steps/evaluate.ts'
import { type EvaluatedSplit, evaluateSplit } from '../../src/steps/evaluate-split.ts'
import { gate } from '../../src/steps/gate.ts'
import type { Predictor } from '../../src/steps/predictor.ts'
import { examplesOf } from './written-examples.ts'

const rows = [
  { query: 'b', x: 0.25, clicks: 0, kind: 'no' },
  { query: 'a', x: 0.5, clicks: 2, kind: 'yes' },
  { query: 'b', x: 0.75, clicks: 1, kind: 'yes' },
  { query: 'a', x: 1, clicks: 0, kind: 'no' },
  { query: 'c', x: 1, clicks: 0, kind: 'no' },
]
const features = [{ name: 'x', transform: { kind: 'passthrough', fill: 0 } }] as const
const clicks: TransformGraphData = { version: 2, features, label: { name: 'clicks', transform: { kind: 'number' } } }
const classes = (...names: string[]): TransformGraphData => ({
  ...clicks,
  label: { name: 'kind', transform: { kind: 'class', classes: names } },
})
/** Says x itself; of classes that it is the second with probability x. */
const says = (names: string[] | null): Predictor => ({
  width: 1,
  outputs: names?.length ?? 1,
  classes: names,
  predict: ({ features: x }) =>
    names === null
      ? Float32Array.from(x)
      : Float32Array.from(
          [...x].flatMap((score) => names.map((_, index) => (index === 1 ? score : (1 - score) / (names.length - 1)))),
        ),
})
const context = { signal: new AbortController().signal, progress: () => undefined }
let metrics: { [name: string]: number }
async function judged(split: Omit<EvaluatedSplit, 'examples' | 'split' | 'slices'>) {
  metrics = {}
  const metric = (name: string, value: number): void => {
    metrics[name] = value
  }
  return await evaluateSplit({ examples, split: 'eval', slices: ['query'], ...split }, { ...context, metric })
}

let examples: ExamplesReader
beforeAll(async () => {
  examples = await examplesOf({ eval: rows }, { x: 'float', clicks: 'float' })
})

it('numbers and classes are ranked by query, and a gate looks at it', async () => {
  const evaluation = await judged({ transform: clicks, predictor: says(null), ranking: { query: 'query', at: [1] } })
  // Of a the relevant row comes second, of b first; c has none.
  const expected = { map: 0.75, mrr: 0.75, 'ndcg@1': 0.5, 'precision@1': 0.5 }
  expect(evaluation.ranking).toEqual({ query: 'query', queries: 2, queriesWithoutRelevant: 1, metrics: expected })
  expect(metrics).toMatchObject(expected)
  const named = await judged({
    transform: classes('no', 'yes'),
    predictor: says(['no', 'yes']),
    ranking: { query: 'query', at: [1] },
  })
  expect(named.ranking!.metrics).toEqual(expected)
  const inputs = { evaluation, baseline: evaluation }
  const asked = { atLeast: { mrr: 0.7 }, atMost: { mae: 1.25 }, noWorseThanBaseline: { 'ndcg@1': 0 }, slices: true }
  await using passed = await runStep(gate, { inputs, parameters: asked })
  expect(passed.outputs.verdict).toMatchObject({ passed: true })
  await expect(runStep(gate, { inputs, parameters: { atLeast: { map: 0.8 } } })).rejects.toMatchObject({
    code: 'ZEN_GATE_FAILED',
  })
})

it('the class that is told at thresholds can be named, and a wrong or a missing name is an error', async () => {
  const three = { transform: classes('no', 'yes', 'maybe'), predictor: says(['no', 'yes', 'maybe']) }
  const { overall } = await judged({ ...three, positive: 'yes', thresholds: [0.6] })
  if (overall.kind !== 'classification') throw new Error('no classes')
  expect(overall.thresholds).toMatchObject({ positive: 'yes', table: [{ truePositives: 1, falsePositives: 2 }] })
  const refused = { code: 'ZEN_EVALUATE_CLASS' }
  await expect(judged({ ...three, positive: 'yse' })).rejects.toMatchObject(refused)
  await expect(judged({ ...three, ranking: { query: 'query', at: [1] } })).rejects.toMatchObject(refused)
  await expect(judged({ transform: clicks, predictor: says(null), positive: 'yes' })).rejects.toMatchObject(refused)
  await expect(judged({ ...three, positive: 'yes', ranking: { query: 'qeury', at: [1] } })).rejects.toMatchObject({
    code: 'ZEN_EVALUATE_SLICE',
  })
})

it('a split without a label is no perfect model, but an error', async () => {
  const unlabelled = await examplesOf({ eval: [{ query: 'a', x: 0.5, clicks: null }] }, { x: 'float', clicks: 'float' })
  const split = { examples: unlabelled, split: 'eval', slices: [], transform: clicks, predictor: says(null) }
  await expect(evaluateSplit(split, { ...context, metric: () => undefined })).rejects.toMatchObject({
    code: 'ZEN_EVALUATE_SPLIT',
    message: 'No row of split "eval" has the label "clicks".',
  })
})

it('parameters have the defaults that they say', () => {
  expect(evaluateParameters.parse({ ranking: { query: 'q' } })).toEqual({
    slices: [],
    split: 'eval',
    positive: null,
    thresholds: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    ranking: { query: 'q', at: [1, 5, 10] },
  })
})
