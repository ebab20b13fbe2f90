import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep } from '../../src/define/run-step.ts'
import type { ExamplesReader } from '../../src/formats/examples.ts'
import type { TransformGraphData } from '../../src/formats/transform-graph.ts'
import { type LoadedModel, Model } from '../../src/formats/types.ts'
import { evaluate } from '../../src/steps/evaluate.ts'
import { minimise } from '../../src/steps/minimise.ts'
import { predict } from '../../src/steps/predict.ts'
import { loadPredictor } from '../../src/steps/predictor.ts'
import { preprocess } from '../../src/steps/preprocess.ts'
import { trainLinear } from '../../src/steps/train-linear.ts'
import { trainTrees } from '../../src/steps/train-trees.ts'
import { applyTransform } from '../../src/steps/transform.ts'
import { examplesOf, type Row } from './written-examples.ts'

/** Two classes in a chequered square, which no line parts, and a number that a line does not meet either. */
function square(count: number, seed: number): Row[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const [a, b] = [random.next(), random.next()]
    return { a, b, word: b < 0.5 ? 'low' : 'high', class: a < 0.5 === b < 0.5 ? 'same' : 'other', number: a * b * 10 }
  })
}

const plain = (label: TransformGraphData['label']): TransformGraphData => ({
  version: 1,
  features: ['a', 'b'].map((name) => ({ name, transform: { kind: 'passthrough', fill: 0 } })),
  label,
})

async function trained(
  step: typeof trainLinear | typeof trainTrees,
  examples: ExamplesReader,
  transform: TransformGraphData,
  parameters: object = {},
  seed = 0,
): Promise<{ model: LoadedModel; text: string; directory: string } & AsyncDisposable> {
  const trial = await runStep(step as typeof trainTrees, { inputs: { examples, transform }, parameters, seed })
  const { model } = trial.outputs
  const [file] = model.format === 'zenml-linear' ? ['linear.json'] : ['trees.json']
  const directory = trial.directories.model
  const text = readFileSync(join(directory, 'files', file!), 'utf8')
  return { model, text, directory, [Symbol.asyncDispose]: () => trial.dispose() }
}

async function scoreOf(examples: ExamplesReader, transform: TransformGraphData, model: LoadedModel) {
  await using trial = await runStep(evaluate, { inputs: { examples, transform, model } })
  return trial.outputs.evaluation.overall
}

it('least squares find the numbers that made the label', async () => {
  const rows = (seed: number) =>
    square(500, seed).map((row) => ({ ...row, y: 2 * Number(row['a']) - 3 * Number(row['b']) + 1 }))
  const examples = await examplesOf({ train: rows(1), eval: rows(2) })
  const transform = plain({ name: 'y', transform: { kind: 'number' } })
  await using linear = await trained(trainLinear, examples, transform, { l2: 0 })
  const weights = JSON.parse(linear.text).weights as number[]
  for (const [index, value] of [2, -3, 1].entries()) expect(weights[index]).toBeCloseTo(value, 5)
  expect(await scoreOf(examples, transform, linear.model)).toMatchObject({ kind: 'regression', rows: 500 })
})

it('softmax regression parts classes that lines part, with features that say the same twice', async () => {
  const rows = (seed: number) =>
    square(600, seed).map((row) => ({
      a: row['a']!,
      b: row['b']!,
      twice: row['a']!,
      class: Number(row['a']) > Number(row['b']) ? 'x' : 'y',
    }))
  const examples = await examplesOf({ train: rows(1), eval: rows(2) })
  await using fitted = await runStep(preprocess, { inputs: { examples }, parameters: { label: 'class' } })
  await using linear = await trained(trainLinear, examples, fitted.outputs.transform)
  const report = await scoreOf(examples, fitted.outputs.transform, linear.model)
  expect(report).toMatchObject({ kind: 'classification' })
  expect((report as { accuracy: number }).accuracy).toBeGreaterThan(0.97)
})

it('trees part what no line parts, and meet a number that no line meets', async () => {
  const examples = await examplesOf({ train: square(2000, 1), eval: square(500, 2) })
  const byClass = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  await using linear = await trained(trainLinear, examples, byClass)
  await using trees = await trained(trainTrees, examples, byClass)
  expect(((await scoreOf(examples, byClass, linear.model)) as { accuracy: number }).accuracy).toBeLessThan(0.6)
  expect(((await scoreOf(examples, byClass, trees.model)) as { accuracy: number }).accuracy).toBeGreaterThan(0.97)
  const byNumber = plain({ name: 'number', transform: { kind: 'number' } })
  await using boosted = await trained(trainTrees, examples, byNumber)
  expect(((await scoreOf(examples, byNumber, boosted.model)) as { r2: number }).r2).toBeGreaterThan(0.97)
})

it('models are the same bytes for every seed, but trees that see a part of the rows', async () => {
  const examples = await examplesOf({ train: square(400, 1), eval: square(100, 2) })
  const transform = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  const text = async (
    ...given: Parameters<typeof trained> extends [infer S, unknown, unknown, ...infer R] ? [S, ...R] : never
  ) => {
    const [step, ...rest] = given
    await using made = await trained(step as typeof trainTrees, examples, transform, ...(rest as [object?, number?]))
    return made.text
  }
  expect(await text(trainLinear, {}, 1)).toBe(await text(trainLinear, {}, 2))
  expect(await text(trainTrees, { rounds: 5 }, 1)).toBe(await text(trainTrees, { rounds: 5 }, 2))
  const part = { rounds: 5, subsample: 0.5 }
  expect(await text(trainTrees, part, 1)).toBe(await text(trainTrees, part, 1))
  expect(await text(trainTrees, part, 1)).not.toBe(await text(trainTrees, part, 2))
})

it('early stopping keeps the best round, and a label without any pattern gives no tree', async () => {
  const random = seededRandom('noise')
  const noise = (count: number): Row[] =>
    square(count, count).map((row) => ({ ...row, class: random.next() < 0.5 ? 'same' : 'other' }))
  const examples = await examplesOf({ train: noise(200), eval: noise(200) })
  const transform = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  await using trees = await trained(trainTrees, examples, transform, { learningRate: 1, patience: 3 })
  expect(JSON.parse(trees.text).rounds.length).toBeLessThan(5)
})

it('every row gets its prediction beside what is kept, the same alone as among others', async () => {
  const rows = square(300, 3)
  const examples = await examplesOf({
    train: square(500, 1),
    eval: rows,
    new: rows.map(({ a, b }) => ({ a: a!, b: b! })),
  })
  const transform = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  await using trees = await trained(trainTrees, examples, transform, { rounds: 10 })
  await using trial = await runStep(predict, {
    inputs: { examples, transform, model: trees.model },
    parameters: { splits: ['new'], keep: ['a'] },
  })
  const { examples: given } = trial.outputs
  expect([...given.features]).toEqual([
    ['a', 'float'],
    ['prediction', 'bytes'],
    ['prediction.probabilities', 'float'],
  ])
  const predictor = await loadPredictor(trees.model)
  let row = 0
  for await (const batch of examples.read('new', { batchSize: 1 })) {
    const alone = predictor.predict({ ...applyTransform(transform, batch, { labels: false }), rows: 1 })
    const among = (await objectAt(given, row++))['prediction.probabilities']
    expect(among).toEqual([...alone])
  }
  expect(row).toBe(300)
})

const objects = new WeakMap<ExamplesReader, Promise<{ [feature: string]: unknown }[]>>()
async function objectAt(examples: ExamplesReader, row: number): Promise<{ [feature: string]: unknown }> {
  let all = objects.get(examples)
  if (all === undefined) {
    all = (async () => {
      const found: { [feature: string]: unknown }[] = []
      for (const split of examples.splits) for await (const object of examples.objects(split)) found.push(object)
      return found
    })()
    objects.set(examples, all)
  }
  return (await all)[row]!
}

it('rows that the transform leaves out have no prediction, and several labels are refused by training and evaluation', async () => {
  const rows = square(60, 3).map((row, index) => ({ ...row, a: index % 5 === 0 ? null : row['a']!, index }))
  const examples = await examplesOf({ train: rows, eval: rows }, { a: 'float' })
  await using fit = await runStep(preprocess, {
    inputs: { examples },
    parameters: {
      label: 'number',
      features: {
        a: { transform: 'zscore', missing: 'drop' },
        both: { transform: 'pca', features: ['a', 'b'], components: 1 },
      },
    },
  })
  const { transform } = fit.outputs
  await using linear = await trained(trainLinear, examples, transform)
  await using given = await runStep(predict, {
    inputs: { examples, transform, model: linear.model },
    parameters: { keep: ['index'] },
  })
  const left: unknown[] = []
  for await (const { index } of given.outputs.examples.objects('eval')) left.push(index)
  expect(left).toEqual(rows.flatMap(({ index }) => (index % 5 === 0 ? [] : [index])))
  expect((await scoreOf(examples, transform, linear.model)).rows).toBe(48)
  const several = { ...transform, otherLabels: [{ name: 'b', transform: { kind: 'number' as const } }] }
  for (const failing of [
    () => trained(trainLinear, examples, several),
    () => trained(trainTrees, examples, several),
    () => scoreOf(examples, several, linear.model),
  ])
    await expect(failing()).rejects.toMatchObject({ code: 'ZEN_TRANSFORM_LABELS' })
})

it('names that are taken or not there, other transforms and other formats are refused', async () => {
  const examples = await examplesOf({ train: square(100, 1), eval: square(50, 2) })
  const transform = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  await using linear = await trained(trainLinear, examples, transform)
  const { model } = linear
  const asked = (parameters: object, given: object = {}) =>
    runStep(predict, { inputs: { examples, transform, model, ...given }, parameters })
  await expect(asked({ splits: ['evall'] })).rejects.toMatchObject({ code: 'ZEN_PREDICT_SPLIT' })
  await expect(asked({ keep: ['aa'] })).rejects.toMatchObject({ code: 'ZEN_PREDICT_FEATURE' })
  await expect(asked({ name: 'a' })).rejects.toMatchObject({ code: 'ZEN_PREDICT_FEATURE' })
  const other = { ...transform, features: transform.features.slice(1) }
  await expect(asked({}, { transform: other })).rejects.toMatchObject({ code: 'ZEN_EVALUATE_MODEL' })
  await expect(asked({}, { model: { ...model, format: 'else' } })).rejects.toMatchObject({ code: 'ZEN_MODEL_FORMAT' })
})

it('a model is refused with a transform of the same shape that was fitted on other rows', async () => {
  const examples = await examplesOf({ train: square(100, 1), eval: square(50, 2), other: square(100, 3) })
  const fit = async (split: string): Promise<TransformGraphData> => {
    await using trial = await runStep(preprocess, {
      inputs: { examples },
      parameters: { label: 'class', features: ['a', 'b'], split },
    })
    return trial.outputs.transform
  }
  const [transform, other] = [await fit('train'), await fit('other')]
  const refused = { code: 'ZEN_EVALUATE_MODEL', message: expect.stringContaining('fitted on other rows') }
  for (const step of [trainLinear, trainTrees]) {
    await using own = await trained(step, examples, transform)
    const { model } = own
    expect((await scoreOf(examples, transform, model)).rows).toBe(50)
    await expect(scoreOf(examples, other, model)).rejects.toMatchObject(refused)
    await expect(runStep(predict, { inputs: { examples, transform: other, model } })).rejects.toMatchObject(refused)
    // A model from before models named their transform is taken at its shape.
    const { transform: _, ...metadata } = model.metadata
    expect((await scoreOf(examples, other, { ...model, metadata })).rows).toBe(50)
  }
})

it('a prediction that is no number is an error, and no class', async () => {
  const { features, rows } = { features: { a: 'float', b: 'float' } as const, rows: square(60, 1) }
  const wild = [{ a: 3e38, b: 1, class: 'same', number: 0, word: 'low' }]
  const examples = await examplesOf({ train: rows, eval: rows, wild }, { ...features, number: 'float' })
  const transform = plain({ name: 'number', transform: { kind: 'number' } })
  const steep = rows.map((row) => ({ ...row, number: 1000 * Number(row['a']) }))
  const taught = await examplesOf({ train: steep, eval: steep }, { ...features, number: 'float' })
  await using linear = await trained(trainLinear, taught, transform)
  const asked = runStep(predict, {
    inputs: { examples, transform, model: linear.model },
    parameters: { splits: ['wild'] },
  })
  await expect(asked).rejects.toMatchObject({ code: 'ZEN_PREDICT_NUMBERS', facts: { split: 'wild' } })
})

it('rows that become many numbers are read a few at a time, by training, evaluation and batch inference alike', async () => {
  const examples = await examplesOf({ train: square(100, 1), eval: square(50, 2) })
  const sizes: (number | undefined)[] = []
  const watched: ExamplesReader = Object.create(examples, {
    read: {
      value: (split: string, options: Parameters<ExamplesReader['read']>[1]) => {
        sizes.push(options?.batchSize)
        return examples.read(split, options)
      },
    },
  })
  const label = { name: 'number', transform: { kind: 'number' } } as const
  const read = async (buckets: number) => {
    sizes.length = 0
    const features = [{ name: 'word', transform: { kind: 'hashing' as const, buckets, tokens: false } }]
    const transform: TransformGraphData = { version: 2, features, label }
    await using trees = await trained(trainTrees, watched, transform, { rounds: 1, bins: 2, depth: 1 })
    await scoreOf(watched, transform, trees.model)
    await using _ = await runStep(predict, { inputs: { examples: watched, transform, model: trees.model } })
    return [...new Set(sizes)]
  }
  expect(await read(2)).toEqual([4096])
  // 16 MiB of numbers.
  expect(await read(2 ** 13)).toEqual([2 ** 9])
})

it('a tree is grown depth first, so that no more histograms are held than it has levels', async () => {
  const examples = await examplesOf({ train: square(2000, 1), eval: square(200, 2) })
  await using trees = await trained(trainTrees, examples, plain({ name: 'number', transform: { kind: 'number' } }))
  const [tree] = JSON.parse(trees.text).rounds[0] as [{ feature: number[]; left: number[]; right: number[] }]
  const last = (node: number): number =>
    tree.feature[node]! < 0 ? node : Math.max(last(tree.left[node]!), last(tree.right[node]!))
  let inner = 0
  for (const [node, feature] of tree.feature.entries()) {
    const right = tree.right[node]!
    if (feature < 0 || tree.feature[right]! < 0) continue
    inner++
    // All below the left one are made before any below the right one; the left one itself is made with the right one.
    expect(tree.feature[tree.left[node]!]! < 0 || last(tree.left[node]!) < tree.left[right]!).toBe(true)
  }
  expect(inner).toBeGreaterThan(5)
})

it('a feature that no row has is filled, and said, as it may only have another name', async () => {
  const examples = await examplesOf({ train: square(60, 1), eval: square(60, 2) })
  const renamed = await examplesOf({ new: square(5, 3).map(({ a, b }) => ({ A: a!, b: b! })) })
  const transform = plain({ name: 'number', transform: { kind: 'number' } })
  await using linear = await trained(trainLinear, examples, transform)
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  try {
    await using _ = await runStep(predict, { inputs: { examples, transform, model: linear.model } })
    expect(warned).not.toHaveBeenCalled()
    await using _renamed = await runStep(predict, { inputs: { examples: renamed, transform, model: linear.model } })
    expect(warned).toHaveBeenCalledWith('filled in every row, as the examples do not have them: a')
  } finally {
    warned.mockRestore()
  }
})

it('a file that holds no model, or trees that go round, are refused', async () => {
  const examples = await examplesOf({ train: square(100, 1), eval: square(50, 2) })
  const transform = plain({ name: 'class', transform: { kind: 'class', classes: ['other', 'same'] } })
  await using trees = await trained(trainTrees, examples, transform, { rounds: 2, depth: 2 })
  const said = JSON.parse(trees.text)
  const file = join(trees.directory, 'files', 'trees.json')
  const damages: ((copy: typeof said) => unknown)[] = [
    (copy) => (copy.rounds[0][0].left[0] = 0),
    (copy) => (copy.rounds[0][0].right[0] = 99),
    (copy) => (copy.rounds[0][0].feature[0] = 7),
    (copy) => copy.rounds[0].pop(),
    (copy) => (copy.width = 'x'),
    (copy) => (copy.version = 2),
  ]
  for (const damage of damages) {
    const copy = structuredClone(said)
    damage(copy)
    writeFileSync(file, JSON.stringify(copy))
    await expect(loadPredictor(await Model.materializer.load(trees.directory))).rejects.toMatchObject({
      code: 'ZEN_ARTIFACT_FORMAT',
    })
  }
})

it('the minimiser finds the lowest place of any quadratic bowl', async () => {
  const number = fc.double({ min: -10, max: 10, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(number, fc.double({ min: 0.01, max: 100, noNaN: true })), { minLength: 1, maxLength: 8 }),
      async (bowl) => {
        const { place, converged } = await minimise(
          async (at, gradient) => {
            let value = 0
            for (const [index, [centre, steepness]] of bowl.entries()) {
              gradient[index] = steepness * (at[index]! - centre)
              value += (steepness / 2) * (at[index]! - centre) ** 2
            }
            return value
          },
          new Float64Array(bowl.length),
          { tolerance: 1e-8, iterations: 2000 },
        )
        expect(converged).toBe(true)
        for (const [index, [centre]] of bowl.entries()) expect(place[index]!).toBeCloseTo(centre, 3)
      },
    ),
    { numRuns: 200 },
  )
})
