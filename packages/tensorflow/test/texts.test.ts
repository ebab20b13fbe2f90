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
import { type FeatureRequest, gate, preprocess, trainLinear, trainTrees } from 'zenml/steps'
import { evaluate } from '../src/evaluate.ts'
import { predict } from '../src/predict.ts'
import { loadNetworkPredictor } from '../src/predictor.ts'
import { loadTensorFlow } from '../src/tfjs.ts'
import { tokenLayer } from '../src/token-layer.ts'
import { train } from '../src/train.ts'

const random = seededRandom('reports')
const pick = (words: readonly string[]): string => words[random.integer(words.length)]!
const moods = {
  good: ['lovely', 'splendid', 'delightful', 'pleasing'],
  bad: ['dreadful', 'miserable', 'broken', 'ghastly'],
}
const rows = Array.from({ length: 400 }, (_, row) => {
  const mood = row % 2 === 0 ? ('good' as const) : ('bad' as const)
  const filler = Array.from({ length: random.integer(9) }, () => pick(['the', 'room', 'was', 'and', 'food', 'a bit']))
  return { id: row, text: [...filler, pick(moods[mood]), 'indeed'].join(' '), nights: row % 5, mood }
})

let directory: string
let examples: ExamplesReader
let transform: TransformGraphData
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-texts-'))
  const writer = await createExamplesWriter(directory)
  await writer.write('train', batchOf(rows.slice(0, 300)))
  await writer.write('eval', batchOf(rows.slice(300)))
  await writer.finish()
  examples = await openExamples(directory)
  transform = await fit({ transform: 'tokens', length: 12, vocabSize: 400 })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function fit(text: FeatureRequest): Promise<TransformGraphData> {
  const parameters = { label: 'mood', features: { nights: { transform: 'zscore' as const }, text } }
  await using trial = await runStep(preprocess, { inputs: { examples }, parameters })
  return trial.outputs.transform
}

async function bytesOf(model: LoadedModel): Promise<string> {
  return Buffer.concat([await model.read('model.json'), await model.read('weights.bin')]).toString('base64')
}

it.each(['mean', 'max'] as const)(
  'a network learns classes of texts beside numbers, and passes the gate: %s',
  async (pooling) => {
    const parameters = { epochs: 20, embedding: 8, hidden: [8], pooling }
    await using trained = await runStep(train, { inputs: { examples, transform }, parameters })
    const { model } = trained.outputs
    await using judged = await runStep(evaluate, { inputs: { examples, transform, model } })
    const { evaluation } = judged.outputs
    await using passed = await runStep(gate, {
      inputs: { evaluation, baseline: undefined },
      parameters: { atLeast: { accuracy: 0.95 } },
    })
    expect(passed.outputs.verdict).toMatchObject({ passed: true })
    await using predicted = await runStep(predict, {
      inputs: { examples, transform, model },
      parameters: { splits: ['eval'], keep: ['id'] },
    })
    expect(predicted.outputs.examples.rows('eval')).toBe(100)
  },
)

it('the same seed gives the same bytes, and another seed others', async () => {
  const trained = async (seed: number): Promise<string> => {
    const parameters = { epochs: 2, embedding: 4 }
    await using trial = await runStep(train, { inputs: { examples, transform }, parameters, seed })
    return await bytesOf(trial.outputs.model)
  }
  expect(await trained(3)).toBe(await trained(3))
  expect(await trained(3)).not.toBe(await trained(4))
})

it('what a text is does not depend on its padding, nor on the rows beside it', async () => {
  await using trained = await runStep(train, { inputs: { examples, transform }, parameters: { epochs: 2 } })
  const predictor = await loadNetworkPredictor(trained.outputs.model)
  const row = [0.5, 300, 5, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  const alone = predictor.predict({ rows: 1, width: 13, features: Float32Array.from(row) })
  const many = predictor.predict({
    rows: 5000,
    width: 13,
    features: Float32Array.from(Array.from({ length: 5000 }, () => row).flat()),
  })
  for (const at of [0, 4095, 4999]) expect([...many.subarray(2 * at, 2 * at + 2)]).toEqual([...alone])
})

it('the layer gives the mean and the greatest of the numbers of tokens, zeros without any, behind the other numbers', async () => {
  const tensorflow = await loadTensorFlow()
  const { core } = tensorflow
  for (const [pooling, expected] of [
    ['mean', [9, 2, 3, 9, 0, 0]],
    ['max', [9, 3, 4, 9, 0, 0]],
  ] as const) {
    const spans = [{ at: 0, length: 3, vocabulary: 3 }]
    const layer = tokenLayer(tensorflow)({ inputs: 4, spans, size: 2, pooling, seed: 1 })
    const given = core.tensor2d([1, 2, 0, 9, 0, 0, 0, 9], [2, 4])
    layer.apply(given)
    layer.setWeights([core.tensor2d([50, 60, 1, 2, 3, 4], [3, 2])])
    const result = layer.apply(given) as ReturnType<typeof core.tensor2d>
    // Zeros may be negative ones.
    expect(Array.from(result.dataSync(), (value) => value + 0)).toEqual(expected)
  }
})

it('the gradient of a look-up adds what belongs to the same token', async () => {
  const tensorflow = await loadTensorFlow()
  const { core } = tensorflow
  tokenLayer(tensorflow)
  const gradient = core.grad((table) =>
    core.sum(core.mul(core.gather(table, core.tensor1d([2, 0, 2], 'int32')), [[1], [2], [4]])),
  )
  expect([...gradient(core.zeros([3, 2])).dataSync()]).toEqual([2, 2, 0, 0, 5, 5])
})

it('models that take every number as an amount refuse tokens', async () => {
  const refused = { code: 'ZEN_TRAIN_TOKENS' }
  await expect(runStep(trainLinear, { inputs: { examples, transform } })).rejects.toMatchObject(refused)
  await expect(runStep(trainTrees, { inputs: { examples, transform } })).rejects.toMatchObject(refused)
})
