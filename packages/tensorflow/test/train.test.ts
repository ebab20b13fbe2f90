import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runStep, seededRandom } from 'zenml'
import {
  batchOf,
  createExamplesWriter,
  type ExamplesReader,
  type LoadedModel,
  openExamples,
  type TransformGraphData,
} from 'zenml/formats'
import { preprocess } from 'zenml/steps'
import { evaluate } from '../src/evaluate.ts'
import { train } from '../src/train.ts'

const random = seededRandom('flowers')
const rows = Array.from({ length: 300 }, (_, row) => {
  const [x, z] = [random.next() * 4, random.next() * 4]
  return {
    x,
    z: row % 9 === 0 ? null : z,
    kind: row % 11 === 0 ? null : x > 2 ? 'tall' : z > 2 ? 'wide' : 'small',
    sum: row % 10 === 0 ? null : 3 * x - z,
    large: row % 10 === 0 ? null : 1e6 + 1e5 * (3 * x - z),
    site: row % 4 === 0 ? null : ['north', 'south'][row % 2]!,
  }
})
const kinds = { x: 'float', z: 'float', sum: 'float', large: 'float' } as const

let directory: string
let examples: ExamplesReader
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-train-'))
  const writer = await createExamplesWriter(directory)
  await writer.write('train', batchOf(rows.slice(0, 220), kinds))
  await writer.write('eval', batchOf(rows.slice(220), kinds))
  await writer.write('unlabelled', batchOf([{ x: 1, z: 1, kind: null, sum: null, large: null, site: null }], kinds))
  await writer.finish()
  examples = await openExamples(directory)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function fit(label: string): Promise<TransformGraphData> {
  await using trial = await runStep(preprocess, {
    inputs: { examples },
    parameters: { label, features: { x: { transform: 'zscore' }, z: { transform: 'zscore' } } },
  })
  return trial.outputs.transform
}

async function bytesOf(model: LoadedModel): Promise<string> {
  return Buffer.concat([await model.read('model.json'), await model.read('weights.bin')]).toString('base64')
}

it('training gives the same bytes again whatever asks for chance beside it, and others for another seed', async () => {
  const transform = await fit('kind')
  const trained = async (seed: number): Promise<string> => {
    Math.random()
    await using trial = await runStep(train, { inputs: { examples, transform }, parameters: { epochs: 3 }, seed })
    return await bytesOf(trial.outputs.model)
  }
  for (const seed of [0, 7]) expect(await trained(seed)).toBe(await trained(seed))
  expect(await trained(0)).not.toBe(await trained(1))
})

it('early stopping keeps the weights of the best epoch, every epoch has its losses', async () => {
  const transform = await fit('kind')
  await using trial = await runStep(train, {
    inputs: { examples, transform },
    parameters: { epochs: 400, learningRate: 0.2, patience: 3, hidden: [24] },
  })
  const losses = trial.metrics.filter(({ name }) => name === 'validationLoss')
  const epochs = losses.length
  expect(losses.map(({ at }) => at)).toEqual(Array.from({ length: epochs }, (_, index) => index + 1))
  expect(trial.metrics.filter(({ name }) => name === 'loss').length).toBe(epochs)
  const best = losses.reduce((least, now) => (now.value < least.value ? now : least))
  expect(epochs).toBe(best.at! + 3)
  expect(trial.outputs.model.metadata).toMatchObject({ bestEpoch: best.at, epochs })
  await using judged = await runStep(evaluate, {
    inputs: { examples, transform, model: trial.outputs.model },
    parameters: { slices: ['site'] },
  })
  const { overall, slices } = judged.outputs.evaluation
  if (overall.kind !== 'classification') throw new Error('not a classifier')
  // Rows without a label are in neither; the loss is clipped at another place, which good predictions do not reach.
  expect(overall.logLoss).toBeCloseTo(best.value, 4)
  expect(overall.rows).toBe(rows.slice(220).filter(({ kind }) => kind !== null).length)
  expect(slices.map(({ value }) => value)).toEqual(
    ['(missing)', 'north', 'south'].filter((value) => slices.some((slice) => slice.value === value)),
  )
  expect(slices.reduce((sum, { report }) => sum + report.rows, 0)).toBe(overall.rows)
})

it.each(['sum', 'large'])(
  'regression leaves out rows without a label and learns a sum, whatever its size: %s',
  async (label) => {
    const transform = await fit(label)
    await using trial = await runStep(train, { inputs: { examples, transform }, parameters: { epochs: 30 } })
    await using judged = await runStep(evaluate, { inputs: { examples, transform, model: trial.outputs.model } })
    const { overall } = judged.outputs.evaluation
    if (overall.kind !== 'regression') throw new Error('not a regressor')
    expect(overall.rows).toBe(rows.slice(220).filter(({ sum }) => sum !== null).length)
    expect(overall.r2).toBeGreaterThan(0.8)
    // What training says of its best epoch is what the saved model does.
    const losses = trial.metrics.filter(({ name }) => name === 'validationLoss').map(({ value }) => value)
    expect(overall.rmse ** 2 / Math.min(...losses)).toBeCloseTo(1, 3)
  },
)

it('a loss that is no number, one class, several labels, and a split without labels are errors that say so', async () => {
  const transform = await fit('sum')
  await expect(
    runStep(train, { inputs: { examples, transform }, parameters: { learningRate: 1e30, epochs: 20 } }),
  ).rejects.toMatchObject({ code: 'ZEN_TRAIN_DIVERGED' })
  const one = { ...transform, label: { name: 'kind', transform: { kind: 'class' as const, classes: ['tall'] } } }
  await expect(runStep(train, { inputs: { examples, transform: one } })).rejects.toMatchObject({
    code: 'ZEN_TRAIN_CLASSES',
    message: 'The label "kind" has only the class "tall" in the transform.',
  })
  const several = { ...transform, otherLabels: [{ name: 'x', transform: { kind: 'number' as const } }] }
  await expect(runStep(train, { inputs: { examples, transform: several } })).rejects.toMatchObject({
    code: 'ZEN_TRANSFORM_LABELS',
  })
  for (const validationSplit of ['unlabelled', 'none']) {
    await expect(
      runStep(train, { inputs: { examples, transform }, parameters: { validationSplit, epochs: 1 } }),
    ).rejects.toMatchObject({ code: 'ZEN_TRAIN_SPLIT' })
  }
})

it('evaluation refuses names that are not there, and a model of another transform', async () => {
  const transform = await fit('kind')
  await using trial = await runStep(train, { inputs: { examples, transform }, parameters: { epochs: 1 } })
  const { model } = trial.outputs
  await expect(
    runStep(evaluate, { inputs: { examples, transform, model }, parameters: { slices: ['sight'] } }),
  ).rejects.toMatchObject({ code: 'ZEN_EVALUATE_SLICE' })
  await expect(
    runStep(evaluate, { inputs: { examples, transform, model }, parameters: { split: 'test' } }),
  ).rejects.toMatchObject({ code: 'ZEN_EVALUATE_SPLIT' })
  await expect(
    runStep(evaluate, { inputs: { examples, transform, model: { ...model, format: 'other' } } }),
  ).rejects.toMatchObject({ code: 'ZEN_MODEL_FORMAT' })
  const refusal = (classes: string[]): Promise<unknown> =>
    runStep(evaluate, {
      inputs: {
        examples,
        model,
        transform: { ...transform, label: { name: 'kind', transform: { kind: 'class', classes } } },
      },
    }).catch((error: unknown) => error)
  expect(await refusal(['small', 'tall', 'other'])).toMatchObject({
    code: 'ZEN_EVALUATE_MODEL',
    message: expect.stringMatching('its classes are small, tall, wide'),
  })
  expect(await refusal(['small', 'tall', 'wide', 'other'])).toMatchObject({
    code: 'ZEN_EVALUATE_MODEL',
    message: expect.stringMatching('it gives 3 numbers a row, but'),
  })
  const narrow = { ...transform, features: transform.features.slice(1) }
  await expect(runStep(evaluate, { inputs: { examples, transform: narrow, model } })).rejects.toThrow(
    'it takes 2 numbers a row, but the transform gives 1',
  )
  const [first, ...rest] = transform.features
  const refitted = { ...transform, features: [{ ...first!, name: 'y' }, ...rest] }
  await expect(runStep(evaluate, { inputs: { examples, transform: refitted, model } })).rejects.toThrow(
    'was fitted on other rows',
  )
})

it('a class that was not seen in fitting is named, with what to do', async () => {
  await using fitted = await runStep(preprocess, { inputs: { examples }, parameters: { label: 'site' } })
  const { transform } = fitted.outputs
  const unseen = join(directory, 'unseen')
  const writer = await createExamplesWriter(unseen)
  await writer.write('train', batchOf(rows.slice(0, 100), kinds))
  await writer.write('eval', batchOf([{ ...rows[1]!, site: 'west' }], kinds))
  await writer.finish()
  await expect(
    runStep(train, { inputs: { examples: await openExamples(unseen), transform }, parameters: { epochs: 1 } }),
  ).rejects.toMatchObject({
    code: 'ZEN_LABEL_UNKNOWN',
    message: 'The class "west" of label "site" was not seen in fitting.',
  })
})
