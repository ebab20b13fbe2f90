import { expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import type { EvaluationData } from '../../src/formats/evaluation.ts'
import { classificationReport, regressionReport } from '../../src/steps/evaluate-metrics.ts'
import { gate } from '../../src/steps/gate.ts'

const report = (right: number) =>
  classificationReport(
    Array.from({ length: 10 }, (_, row) => row % 2),
    Array.from({ length: 10 }, (_, row) => (row < right === (row % 2 === 0) ? [0.9, 0.1] : [0.1, 0.9])).flat(),
    ['a', 'b'],
  )
const evaluation = (right: number): EvaluationData => ({
  version: 1,
  split: 'eval',
  overall: report(right),
  slices: [{ feature: 'island', value: 'Dream', report: report(5) }],
})
const asked = (parameters: object, given: object = {}) =>
  runStep(gate, { inputs: { evaluation: evaluation(9), baseline: undefined, ...given }, parameters })

it('a model that is good enough passes, with every check told', async () => {
  await using trial = await asked({ atLeast: { accuracy: 0.9 }, atMost: { logLoss: 1 } })
  expect(trial.outputs.verdict).toMatchObject({
    passed: true,
    checks: [
      { of: 'overall', metric: 'accuracy', rule: 'at least', limit: 0.9, value: 0.9, passed: true },
      { of: 'overall', metric: 'logLoss', rule: 'at most', passed: true },
    ],
  })
})

it('one that is not fails with what was expected, or is marked', async () => {
  await expect(asked({ atLeast: { accuracy: 0.95 } })).rejects.toMatchObject({
    code: 'ZEN_GATE_FAILED',
    message: 'overall: accuracy is 0.9, and must be at least 0.95',
  })
  await using trial = await asked({ atLeast: { accuracy: 0.95 }, action: 'mark' })
  expect(trial.outputs.verdict).toMatchObject({ passed: false })
  expect(trial.properties['verdict']).toEqual({ passed: false })
})

it('a weak slice fails where slices are asked for, unless it has too few rows', async () => {
  await expect(asked({ atLeast: { accuracy: 0.8 }, slices: true })).rejects.toThrow('island=Dream: accuracy is 0.5')
  await using trial = await asked({ atLeast: { accuracy: 0.8 }, slices: true, sliceRows: 11 })
  expect(trial.outputs.verdict).toMatchObject({ passed: true })
  const unsliced = { evaluation: { ...evaluation(9), slices: [] } }
  await expect(asked({ atLeast: { accuracy: 0.8 }, slices: true }, unsliced)).rejects.toMatchObject({
    code: 'ZEN_GATE_SLICES',
  })
})

it('beside a baseline a model may be as much worse as is said, in the direction of the metric', async () => {
  const baseline = evaluation(10)
  await using close = await asked({ noWorseThanBaseline: { accuracy: 0.11, logLoss: 0.3 } }, { baseline })
  expect(close.outputs.verdict).toMatchObject({ passed: true })
  await expect(asked({ noWorseThanBaseline: { accuracy: 0.05 } }, { baseline })).rejects.toThrow(
    'beside 1 of the baseline',
  )
  await expect(asked({ noWorseThanBaseline: { logLoss: 0.05 } }, { baseline })).rejects.toThrow('logLoss')
  await using better = await asked({ noWorseThanBaseline: { logLoss: 0 } }, { baseline: evaluation(8) })
  expect(better.outputs.verdict).toMatchObject({ passed: true })
  await expect(asked({ noWorseThanBaseline: { accuracy: 0 } })).rejects.toMatchObject({ code: 'ZEN_GATE_BASELINE' })
  // The first run of a pipeline that is compared with the one before: the other checks count.
  const first = { noWorseThanBaseline: { accuracy: 0 }, withoutBaseline: 'pass' }
  await using alone = await asked({ ...first, atLeast: { accuracy: 0.9 } })
  expect(alone.outputs.verdict).toMatchObject({ passed: true, checks: [{ rule: 'at least' }] })
  await expect(asked({ ...first, atLeast: { accuracy: 0.95 } })).rejects.toThrow('must be at least 0.95')
})

it('a metric that is not there is named with the nearest, and one that cannot be told does not pass', async () => {
  await expect(asked({ atLeast: { acuracy: 1 } })).rejects.toThrow('accuracy')
  const constant = { ...evaluation(9), overall: regressionReport([1, 1], [1, 2]) }
  await expect(asked({ atLeast: { r2: 0 } }, { evaluation: constant })).rejects.toThrow('r2 is not to be told')
  await expect(asked({})).rejects.toMatchObject({ code: 'ZEN_PARAMETERS' })
})
