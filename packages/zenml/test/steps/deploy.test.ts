import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep } from '../../src/define/run-step.ts'
import type { ExamplesReader } from '../../src/formats/examples.ts'
import { deploy } from '../../src/steps/deploy.ts'
import { predict } from '../../src/steps/predict.ts'
import { preprocess } from '../../src/steps/preprocess.ts'
import { inferSchema } from '../../src/steps/schema.ts'
import { statistics } from '../../src/steps/statistics.ts'
import { trainLinear } from '../../src/steps/train-linear.ts'
import { trainTrees } from '../../src/steps/train-trees.ts'
import { type Said, serve, servingCopy } from '../support/serving.ts'
import { examplesOf, type Row } from './written-examples.ts'

const { PNG } = createRequire(import.meta.url)('pngjs') as {
  PNG: { sync: { write(image: { width: number; height: number; data: Buffer }): Buffer } }
}
const jpeg = createRequire(import.meta.url)('jpeg-js') as {
  encode(image: { width: number; height: number; data: Buffer }, quality: number): { data: Buffer }
}
const images = [0, 1, 2, 3].map((seed) => {
  const data = Buffer.from(Array.from({ length: 6 * 5 * 4 }, (_, at) => (at * 37 * (seed + 1)) % 256))
  const image = { width: 6, height: 5, data }
  return new Uint8Array(seed % 2 === 0 ? PNG.sync.write(image) : jpeg.encode(image, 90).data)
})

const kinds = {
  x: 'float',
  n: 'int',
  seq: 'float',
  word: 'bytes',
  text: 'bytes',
  picture: 'bytes',
  y: 'float',
} as const

/** Rows with all kinds of feature, and gaps in most. */
function rowsOf(count: number, seed: number): Row[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, row) => {
    const x = Math.fround(random.next() * 10 - 5)
    const word = random.next() < 0.2 ? null : ['sun', 'rain', 'snow', 'é😀'][random.integer(4)]!
    return {
      x: row % 7 === 3 ? null : x,
      n: row % 5 === 4 ? null : random.integer(100) - 50,
      seq: [random.next(), random.next(), random.next()].slice(0, row % 4).map(Math.fround),
      word,
      text: row % 6 === 5 ? null : `the ${word} at ${row % 3} o'clock, Ünïcode`,
      picture: images[random.integer(4)]!,
      class: x + random.next() > 0 ? 'up "quoted"' : 'down',
      y: Math.fround(x * 3 + random.next()),
    }
  })
}
const transforms = {
  x: { transform: 'zscore', missing: 'indicator' },
  n: { transform: 'bucketize', buckets: 4 },
  seq: { transform: 'minmax', values: 2 },
  word: { transform: 'onehot' },
  text: { transform: 'tfidf', sizes: [1, 2], maxWords: 40 },
  picture: { transform: 'image', height: 3, width: 3, channels: 1 },
  pair: { transform: 'pca', features: ['x', 'n'], components: 1 },
} as const

async function parts(label: 'class' | 'y', features: object = transforms) {
  const examples = await examplesOf({ train: rowsOf(300, 1), eval: rowsOf(80, 2) }, { ...kinds })
  await using facts = await runStep(statistics, { inputs: { examples } })
  await using inferred = await runStep(inferSchema, { inputs: { statistics: facts.outputs.statistics } })
  await using fitted = await runStep(preprocess, {
    inputs: { examples },
    parameters: { label, features } as never,
  })
  return { examples, schema: inferred.outputs.schema, transform: fitted.outputs.transform }
}

/** What the pipeline's own step says, row by row. */
async function pipelineSays(inputs: Parameters<typeof runStep<never, never, never>>[1]['inputs']): Promise<Said[]> {
  await using trial = await runStep(predict, { inputs: inputs as never, parameters: { splits: ['eval'], keep: [] } })
  const said: Said[] = []
  for await (const { length, columns } of (trial.outputs.examples as ExamplesReader).read('eval')) {
    const prediction = columns.get('prediction')!
    const probabilities = columns.get('prediction.probabilities')
    for (let row = 0; row < length; row++) {
      if (prediction.kind !== 'bytes') said.push({ prediction: prediction.values[row]! })
      else if (probabilities?.kind === 'float') {
        const start = row === 0 ? 0 : prediction.ends[row - 1]
        const text = Buffer.from(prediction.data.subarray(start, prediction.ends[row])).toString()
        const width = probabilities.values.length / length
        said.push({
          prediction: text,
          probabilities: [...probabilities.values.subarray(row * width, (row + 1) * width)],
        })
      }
    }
  }
  return said
}

const asRequest = (rows: readonly Row[]): unknown[] =>
  rows.map(({ picture, ...row }) => ({
    ...row,
    picture: { b64: Buffer.from(picture as Uint8Array).toString('base64') },
  }))

for (const [name, train, label] of [
  ['linear classes', trainLinear, 'class'],
  ['a linear number', trainLinear, 'y'],
  ['trees of classes', trainTrees, 'class'],
  ['trees of a number', trainTrees, 'y'],
] as const) {
  it(`${name}: the folder says the same bits as the pipeline, by function and by HTTP, row by row and in batches`, async () => {
    const { examples, schema, transform } = await parts(label)
    await using trained = await runStep(
      train as typeof trainTrees,
      {
        inputs: { examples, transform },
        parameters: train === trainTrees ? { rounds: 10 } : {},
      } as never,
    )
    const { model } = trained.outputs as { model: never }
    await using deployed = await runStep(deploy, { inputs: { model, transform, schema } as never })
    using copy = await servingCopy(deployed.directories.serving)
    const expected = await pipelineSays({ examples, transform, model } as never)
    const rows = rowsOf(80, 2)
    expect(expected).toHaveLength(80)
    expect(await copy.predict(rows)).toEqual(expected)
    const alone = []
    for (const row of rows) alone.push(...(await copy.predict([row])))
    expect(alone).toEqual(expected)
    await using server = await serve(copy.directory)
    for (const size of [80, 7, 1]) {
      const said: unknown[] = []
      for (let from = 0; from < 80; from += size) {
        const { status, body } = await server.post({ rows: asRequest(rows.slice(from, from + size)) })
        expect(status, JSON.stringify(body)).toBe(200)
        said.push(...body.predictions)
      }
      expect(said).toEqual(expected)
    }
  })
}

it('the folder is the same bytes each time, and its declarations name features, kinds and classes', async () => {
  const { examples, schema, transform } = await parts('class')
  await using trained = await runStep(trainLinear, { inputs: { examples, transform } })
  const { model } = trained.outputs
  const text = async () => {
    await using deployed = await runStep(deploy, { inputs: { model, transform, schema, verdict: undefined } })
    const { serving } = deployed.directories
    return [readFileSync(join(serving, 'serving.json'), 'utf8'), readFileSync(join(serving, 'predict.d.mts'), 'utf8')]
  }
  const [manifest, declarations] = await text()
  expect(await text()).toEqual([manifest, declarations])
  expect(JSON.parse(manifest!)).toMatchObject({
    version: 1,
    label: 'class',
    classes: ['down', 'up "quoted"'],
    features: expect.arrayContaining([
      { name: 'picture', kind: 'bytes', required: true, several: false },
      { name: 'seq', kind: 'float', required: false, several: true },
      { name: 'n', kind: 'int', required: false, several: false },
    ]),
    unused: ['class', 'y'],
    packages: { zenml: expect.any(String), 'jpeg-js': expect.any(String), pngjs: expect.any(String) },
  })
  expect(declarations).toContain('readonly "x"?: number | null | undefined')
  expect(declarations).toContain('readonly "picture": string | Uint8Array | { readonly b64: string }')
  expect(declarations).toContain('export declare const classes: readonly ["down", "up \\"quoted\\""]')
})

it('a row that the transform leaves out has no prediction, and keeps its place', async () => {
  const { examples, schema, transform } = await parts('y', { x: { transform: 'zscore', missing: 'drop' } })
  await using trained = await runStep(trainLinear, { inputs: { examples, transform } })
  await using deployed = await runStep(deploy, {
    inputs: { model: trained.outputs.model, transform, schema, verdict: undefined },
  })
  using copy = await servingCopy(deployed.directories.serving)
  const said = await copy.predict([{ x: 1 }, {}, { x: 1 }])
  expect(said[1]).toBeNull()
  expect(said[0]).toEqual(said[2])
  expect(await copy.predict([])).toEqual([])
})

it('rows that do not fit are refused with their place, whatever they are called', async () => {
  const { examples, schema, transform } = await parts('y')
  await using trained = await runStep(trainLinear, { inputs: { examples, transform } })
  await using deployed = await runStep(deploy, {
    inputs: { model: trained.outputs.model, transform, schema, verdict: undefined },
  })
  using copy = await servingCopy(deployed.directories.serving)
  const picture = images[0]!
  const codeOf = async (rows: readonly unknown[]): Promise<string> => {
    const error = await copy.predict(rows).then(
      () => undefined,
      (thrown: { code: string; message: string }) => thrown,
    )
    return `${error?.code} ${error?.message}`
  }
  expect(await codeOf([{ picture }, 7])).toContain('ZEN_SERVING_ROWS Row 1 is the number 7')
  expect(await codeOf([{ picture, wrod: 'sun' }])).toMatch(/ZEN_SERVING_FEATURE Row 0 .*"wrod".*word/s)
  for (const key of ['__proto__', 'constructor', 'toString'])
    expect(await codeOf([JSON.parse(`{"${key}": {"x": 1}}`)])).toContain('ZEN_SERVING_FEATURE')
  expect(await codeOf([{ picture, x: '4' }])).toContain(
    'ZEN_SERVING_VALUE Row 0 has the text "4" for "x", not a number',
  )
  expect(await codeOf([{ picture, n: 1.5 }])).toContain('not a whole number')
  expect(await codeOf([{ picture, word: 4 }])).toContain('not a text')
  expect(await codeOf([{ picture, seq: [[1]] }])).toContain('a list')
  for (const b64 of ['####', 'AA', 'AA==AA==', 4]) expect(await codeOf([{ picture: { b64 } }])).toContain('an object')
  expect(await codeOf([{ picture: 'no image' }])).toContain('ZEN_TRANSFORM_IMAGE')
  expect(await codeOf([{ picture, x: 1e300 }])).toContain('ZEN_TRANSFORM_VALUE Row 0')
  expect(await codeOf([{ x: 1 }])).toContain('ZEN_TRANSFORM_VALUE Row 0 lacks a value of "picture"')
  expect(({} as { x?: number }).x).toBeUndefined()
})

it('a model that did not pass the gate, or a schema of other data, is not deployed', async () => {
  const { examples, schema, transform } = await parts('y')
  await using trained = await runStep(trainLinear, { inputs: { examples, transform } })
  const { model } = trained.outputs
  const run = (more: object) => runStep(deploy, { inputs: { model, transform, schema, verdict: undefined, ...more } })
  await expect(run({ verdict: { passed: false, checks: [] } })).rejects.toThrow('did not pass')
  await expect(run({ verdict: 'yes' })).rejects.toThrow('is not what a gate says')
  await expect(run({ schema: { feature: [] } })).rejects.toThrow('which the schema does not have')
  const swapped = schema.feature!.map((one) => (one.name === 'x' ? { ...one, type: 'BYTES' as const } : one))
  await expect(run({ schema: { ...schema, feature: swapped } })).rejects.toThrow('as numbers')
  await using passed = await run({ verdict: { passed: true, checks: [] } })
  expect(passed.outputs.serving.manifest.label).toBe('y')
})
