import { createRequire } from 'node:module'
import { crc32, deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { murmur3 } from '../../src/base/murmur3.ts'
import { runStep } from '../../src/define/run-step.ts'
import type { FeatureKind } from '../../src/formats/batch.ts'
import { batchOf, createExamplesWriter, type ExamplesReader, openExamples } from '../../src/formats/examples.ts'
import type { TransformGraphData } from '../../src/formats/transform-graph.ts'
import { type PreprocessInput, preprocess } from '../../src/steps/preprocess.ts'
import { applyTransform, onlyLabel, transformInputs, transformWidth } from '../../src/steps/transform.ts'
import type { FeatureRequest } from '../../src/steps/transforms/requests.ts'
import { ngramsOf, tokensOf } from '../../src/steps/transforms/tokens.ts'
import { temporary } from '../formats/temporary.ts'
import { examplesOf, type Row } from './written-examples.ts'

async function fitted(examples: ExamplesReader, parameters: PreprocessInput): Promise<TransformGraphData> {
  await using trial = await runStep(preprocess, { inputs: { examples }, parameters })
  return trial.outputs.transform
}

type Kinds = { readonly [feature: string]: FeatureKind }

/** Fits one feature `x` on rows, and gives the graph. */
async function fitX(rows: readonly Row[], request: FeatureRequest, kinds: Kinds = {}): Promise<TransformGraphData> {
  const train = rows.map((row, index) => ({ ...row, y: index % 2 }))
  return await fitted(await examplesOf({ train }, kinds), { label: 'y', features: { x: request } })
}

function numbersOf(graph: TransformGraphData, rows: readonly Row[], kinds: Kinds = {}): number[][] {
  const { features, width, rows: kept } = applyTransform(graph, batchOf(rows, kinds), { labels: false })
  return Array.from(kept, (_, index) => [...features.subarray(index * width, (index + 1) * width)])
}

const { PNG } = createRequire(import.meta.url)('pngjs') as {
  PNG: { sync: { write(image: { width: number; height: number; data: Buffer }): Buffer } }
}
const jpeg = createRequire(import.meta.url)('jpeg-js') as {
  encode(image: { width: number; height: number; data: Buffer }, quality: number): { data: Buffer }
}
/** An image of so many pixels, each by its place. */
function pixels(width: number, height: number, of: (x: number, y: number) => readonly [number, number, number]) {
  const data = Buffer.alloc(width * height * 4, 255)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (const [c, value] of of(x, y).entries()) data[(y * width + x) * 4 + c] = value
  return { width, height, data }
}
const png = (image: ReturnType<typeof pixels>): Uint8Array => new Uint8Array(PNG.sync.write(image))

const images = [0, 1, 2].map((seed) =>
  png(pixels(5, 4, (x, y) => [x * 40 + seed, y * 60, (x * y * 13 + seed * 50) % 256])),
)
const kinds = {
  a: 'float',
  b: 'int',
  c: 'float',
  tags: 'bytes',
  picture: 'bytes',
  text: 'bytes',
  seq: 'float',
} as const
const row = fc.record({
  a: fc.option(fc.float({ min: -1000, max: 1000, noNaN: true })),
  b: fc.option(fc.integer({ min: -50, max: 50 })),
  c: fc.float({ min: -1, max: 1, noNaN: true }),
  tags: fc.array(fc.constantFrom('u', 'v', 'é', '😀'), { maxLength: 3 }),
  picture: fc.constantFrom(...images),
  text: fc.array(fc.constantFrom('the cat', 'The CAT sat!', 'a dog', '', 'Ünïcode 42'), { maxLength: 2 }),
  seq: fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { maxLength: 4 }),
  y: fc.constantFrom('p', 'q'),
})
const everything: { [name: string]: FeatureRequest } = {
  a: { transform: 'zscore', missing: 'indicator' },
  b: { transform: 'bucketize', buckets: 4, fill: 'median' },
  c: { transform: 'scale_to_0_1' },
  tags: { transform: 'multihot' },
  picture: { transform: 'image', height: 3, width: 2, normalise: 'signed' },
  text: { transform: 'tfidf', sizes: [1, 2] },
  seq: { transform: 'minmax', values: 3, range: [-1, 1] },
  both: { transform: 'pca', features: ['a', 'b', 'c'], components: 3, standardize: true },
}
const always: Row = { a: 1, b: 2, c: 0.5, tags: ['u'], picture: images[0]!, text: ['the cat'], seq: [1, 2], y: 'p' }
const other: Row = { ...always, a: 3, b: -1, c: 0, y: 'q' }

it('fitting and applying give the same bits whatever the batches, and a row alone the same as among others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), async (given, size) => {
      const rows: readonly Row[] = [always, other, ...given]
      const written = async (batch: number): Promise<ExamplesReader> => {
        const directory = temporary()
        const writer = await createExamplesWriter(directory)
        for (let from = 0; from < rows.length; from += batch)
          await writer.write('train', batchOf(rows.slice(from, from + batch), { ...kinds, y: 'bytes' }))
        await writer.finish()
        const examples = await openExamples(directory)
        return { ...examples, read: (split, options) => examples.read(split, { ...options, batchSize: batch }) }
      }
      const graph = await fitted(await written(rows.length), { label: 'y', features: everything })
      expect(await fitted(await written(size), { label: 'y', features: everything })).toEqual(graph)
      const whole = applyTransform(graph, batchOf(rows, kinds)).features
      const width = transformWidth(graph)
      expect(whole.length).toBe(width * rows.length)
      for (let from = 0; from < rows.length; from += size) {
        const part = applyTransform(graph, batchOf(rows.slice(from, from + size), kinds)).features
        expect(new Uint8Array(part.slice().buffer)).toEqual(
          new Uint8Array(whole.slice(from * width, from * width + part.length).buffer),
        )
      }
    }),
    { numRuns: 20 },
  )
}, 60_000)

it('scaling to [0, 1] stays there for values that fitting did not see, and min-max goes to the range asked for', async () => {
  const rows = [{ x: 2 }, { x: 4 }, { x: 10 }]
  expect(numbersOf(await fitX(rows, { transform: 'scale_to_0_1' }), [{ x: 0 }, { x: 6 }, { x: 99 }])).toEqual([
    [0],
    [0.5],
    [1],
  ])
  const minmax = await fitX(rows, { transform: 'minmax', range: [-1, 1] })
  expect(numbersOf(minmax, [{ x: 2 }, { x: 6 }, { x: 14 }])).toEqual([[-1], [0], [2]])
  const constant = await fitX([{ x: 3 }, { x: 3 }], { transform: 'scale_to_0_1' })
  expect(numbersOf(constant, [{ x: 7 }])).toEqual([[0]])
  expect(() => numbersOf(constant, [{ x: Number.POSITIVE_INFINITY }])).toThrow('gives no finite number')
})

it('several values become several numbers: filled where there are fewer, left out where there are more', async () => {
  const rows = [{ x: [1, 3] }, { x: [5, 7] }]
  const graph = await fitX(rows, { transform: 'passthrough', values: 3, missing: 'indicator' })
  expect(numbersOf(graph, [{ x: [1, 2, 3, 4] }, { x: [1] }, { x: null }])).toEqual([
    [1, 2, 3, 0],
    [1, 4, 4, 1],
    [4, 4, 4, 1],
  ])
  const words = await fitX([{ x: ['a', 'b'] }, { x: ['b', 'c'] }], { transform: 'onehot', values: 2 })
  expect(numbersOf(words, [{ x: ['b', 'z'] }, { x: ['c'] }])).toEqual([
    [0, 1, 0, 0, 0, 0, 0, 1],
    [0, 0, 1, 0, 0, 0, 0, 0],
  ])
})

it('values that do not count are told: of a window the default takes the first alone', async () => {
  const rows = [{ x: [1, 2, 3] }, { x: [4] }]
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  try {
    await fitX(rows, { transform: 'zscore', values: 3 })
    await fitX(rows, { transform: 'hashing', buckets: 4 })
    expect(warned).not.toHaveBeenCalled()
    await fitX(rows, { transform: 'zscore' })
    expect(warned).toHaveBeenCalledWith('"x" has up to 3 values a row, of which the first counts ("values")')
  } finally {
    warned.mockRestore()
  }
})

it('a missing value is filled, told, refused, or its row left out', async () => {
  const rows = [{ x: 1 }, { x: 3 }]
  const given = [{ x: 5 }, { x: null }, { x: Number.NaN }, { x: 7 }]
  const float = { x: 'float' } as const
  const graph = async (missing: FeatureRequest['missing']): Promise<TransformGraphData> =>
    await fitX(rows, { transform: 'passthrough', missing }, float)
  expect(numbersOf(await graph('fill'), given, float)).toEqual([[5], [2], [2], [7]])
  expect(numbersOf(await graph('indicator'), given, float)).toEqual([
    [5, 0],
    [2, 1],
    [2, 1],
    [7, 0],
  ])
  expect(numbersOf(await graph('drop'), given, float)).toEqual([[5], [7]])
  expect(applyTransform(await graph('drop'), batchOf(given, float), { labels: false }).rows).toEqual(
    Uint32Array.of(0, 3),
  )
  const dropped = applyTransform(
    await graph('drop'),
    batchOf(
      given.map((cells, y) => ({ ...cells, y })),
      float,
    ),
  )
  expect([...dropped.labels]).toEqual([0, 3])
  const strict = await graph('error')
  expect(() => numbersOf(strict, given, float)).toThrow('Row 1 lacks a value of "x"')
})

it('NaN is a missing value for words too: what was fitted on it could not be asked by a request', async () => {
  const float = { x: 'float' } as const
  const rows = [1, Number.NaN, 2, Number.NaN].map((x) => ({ x }))
  const requests: readonly FeatureRequest[] = [
    ...(['onehot', 'vocabulary', 'multihot', 'ngrams', 'tfidf'] as const).map((transform) => ({ transform })),
    { transform: 'hashing', buckets: 8 },
    { transform: 'tokens', length: 4, vocabSize: 300 },
  ]
  for (const request of requests) {
    const graph = await fitX(rows, { ...request, missing: 'indicator' }, float)
    expect(JSON.stringify(graph.features[0]!.transform).toLowerCase()).not.toMatch('"nan"')
    const [nan, none, some] = numbersOf(graph, [{ x: Number.NaN }, { x: null }, { x: [Number.NaN, 1] }], float)
    expect(nan).toEqual(none)
    expect(nan!.at(-1)).toBe(1)
    const ofRow = request.transform !== 'onehot' && request.transform !== 'vocabulary'
    expect(some!.at(-1)).toBe(ofRow ? 0 : 1)
    await expect(fitX([{ x: Number.NaN }], request, float)).rejects.toThrow('no value')
  }
})

it('words of a row are all counted by multi-hot and by hash', async () => {
  const rows = [{ x: ['a', 'b'] }, { x: ['b'] }, { x: null }]
  expect(numbersOf(await fitX(rows, { transform: 'multihot' }), [{ x: ['b', 'b', 'q'] }, { x: null }])).toEqual([
    [0, 1, 1],
    [0, 0, 0],
  ])
  const placeOf = (word: string): number => murmur3(new TextEncoder().encode(word)) % 8
  const counted = (words: readonly string[]): number[] =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((bucket) => words.filter((word) => placeOf(word) === bucket).length)
  const hashed = await fitX(rows, { transform: 'hashing', buckets: 8 })
  expect(numbersOf(hashed, [{ x: ['a', 'b', 'a'] }, { x: ['é'] }])).toEqual([counted(['a', 'b', 'a']), counted(['é'])])
  const tokens = await fitX(rows, { transform: 'hashing', buckets: 8, tokens: true })
  expect(numbersOf(tokens, [{ x: 'The cat, the dog' }])).toEqual([counted(['the', 'cat', 'the', 'dog'])])
})

it('texts are parted into tokens as the docs say', () => {
  expect(tokensOf("Don't  PANIC: 42nd e\u0301tude, naïve—ÄPFEL_日本")).toEqual([
    'don',
    't',
    'panic',
    '42nd',
    'étude',
    'naïve',
    'äpfel',
    '日本',
  ])
  expect([...ngramsOf('a b, c', 'word', [1, 2])]).toEqual(['a', 'b', 'c', 'a b', 'b c'])
  expect([...ngramsOf('ab😀c', 'character', [2, 3])]).toEqual(['ab', 'b ', ' c', 'ab ', 'b c'])
  expect([...ngramsOf('!?', 'word', [1, 1])]).toEqual([])
})

it('n-grams are counted, and tf-idf agrees with its formula', async () => {
  const rows = ['the cat sat', 'the dog', 'the cat, the end', null, 'cat'].map((x) => ({ x }))
  const counts = await fitX(rows, { transform: 'ngrams', sizes: [1, 2], maxWords: 3 })
  expect(counts.features[0]!.transform).toMatchObject({ words: ['cat', 'the', 'the cat'] })
  expect(numbersOf(counts, [{ x: 'THE cat the cat of' }, { x: ['the', 'cat'] }])).toEqual([
    [2, 2, 2],
    [1, 1, 0],
  ])
  const graph = await fitX(rows, { transform: 'tfidf' })
  const { transform } = graph.features[0]!
  if (transform.kind !== 'tfidf') throw new Error('not tf-idf')
  const idf = { cat: Math.log(5 / 4) + 1, sat: Math.log(5 / 2) + 1, the: Math.log(5 / 4) + 1 }
  const weights = [2 * idf.cat, idf.sat, idf.the]
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0))
  const [found] = numbersOf(graph, [{ x: 'sat the cat on a cat' }])
  expect(transform.words).toEqual(['cat', 'dog', 'end', 'sat', 'the'])
  for (const [at, weight] of [weights[0]!, 0, 0, weights[1]!, weights[2]!].entries())
    expect(found![at]).toBeCloseTo(weight / length, 6)
  expect(numbersOf(await fitX(rows, { transform: 'tfidf', norm: 'none' }), [{ x: 'sat' }])[0]![3]).toBe(
    Math.fround(idf.sat),
  )
  expect(numbersOf(graph, [{ x: 'unseen' }, { x: null }])).toEqual([
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ])
  await expect(fitX([{ x: '!' }, { x: '?' }], { transform: 'ngrams' })).rejects.toThrow('have no n-gram')
})

it('principal components are uncorrelated, have the variances that they say, and lie along the data', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), {
        minLength: 5,
        maxLength: 60,
      }),
      async (points) => {
        const rows = points.map(([a, b], index) => ({ a, b, c: a + b, y: index % 2 }))
        const graph = await fitted(await examplesOf({ train: rows }), {
          label: 'y',
          overwrite: { p: { transform: 'pca', features: ['a', 'b', 'c'], components: 3 } },
        })
        const { transform } = graph.features[0]!
        if (transform.kind !== 'pca') throw new Error('not a PCA')
        expect(transformInputs(graph)).toEqual(['a', 'b', 'c'])
        const found = numbersOf(graph, rows)
        const scale = 1 + transform.variances[0]!
        for (const first of [0, 1, 2]) {
          for (const second of [0, 1, 2]) {
            const mean = found.reduce((sum, p) => sum + p[first]! * p[second]!, 0) / found.length
            expect(Math.abs(mean - (first === second ? transform.variances[first]! : 0)) / scale).toBeLessThan(1e-5)
          }
        }
        // The third is the sum of the others, so that nothing is left for the last component.
        expect(Math.abs(transform.variances[2]!) / scale).toBeLessThan(1e-12)
      },
    ),
    { numRuns: 25 },
  )
}, 30_000)

it('a missing input of a PCA counts as its mean', async () => {
  const rows = [0, 1, 2, 3].map((a) => ({ a, b: a * 2, y: a % 2 }))
  const graph = await fitted(await examplesOf({ train: rows }), {
    label: 'y',
    overwrite: { p: { transform: 'pca', features: ['a', 'b'], components: 1, missing: 'indicator' } },
  })
  const [[whole], [lacking, told]] = numbersOf(graph, [{ a: 1.5, b: 4 }, { b: 4 }], { a: 'float' }) as [
    number[],
    number[],
  ]
  expect(lacking).toBe(whole)
  expect(told).toBe(1)
})

it('an image keeps its pixels at its own size, and lies between them at another', async () => {
  const small = png(pixels(2, 2, (x, y) => [x * 100, y * 100, 255]))
  const fit = (request: Partial<FeatureRequest>): Promise<TransformGraphData> =>
    fitX([{ x: small }, { x: small }], { transform: 'image', height: 2, width: 2, ...request } as FeatureRequest)
  const unit = (values: readonly number[]): number[] => values.map((value) => Math.fround(value / 255))
  expect(numbersOf(await fit({}), [{ x: small }])).toEqual([unit([0, 0, 255, 100, 0, 255, 0, 100, 255, 100, 100, 255])])
  const wide = numbersOf(await fit({ width: 4, height: 1 } as never), [{ x: small }])
  expect(wide).toEqual([unit([0, 50, 255, 25, 50, 255, 75, 50, 255, 100, 50, 255])])
  const grey = numbersOf(
    await fit({ channels: 1, height: 1, width: 1, normalise: { mean: [0.5], deviation: [2] } } as never),
    [{ x: small }],
  )
  expect(grey[0]![0]).toBeCloseTo(((50 * 0.299 + 50 * 0.587 + 255 * 0.114) / 255 - 0.5) / 2, 6)
  const flat = new Uint8Array(
    jpeg.encode(
      pixels(16, 16, () => [200, 100, 50]),
      100,
    ).data,
  )
  for (const [at, value] of numbersOf(await fit({}), [{ x: flat }])[0]!.entries())
    expect(Math.abs(value * 255 - [200, 100, 50][at % 3]!)).toBeLessThan(3)
})

it('what is no image is refused, and so is one that claims more pixels than memory holds', async () => {
  const good = images[0]!
  const graph = await fitX([{ x: good }, { x: good }], { transform: 'image', height: 2, width: 2 })
  const bomb = good.slice()
  bomb.set([0, 1, 0, 0, 0, 1, 0, 0], 16)
  // Interlaced, one pixel, and 64 MiB of zeros.
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const ends = [Buffer.alloc(4), Buffer.alloc(4)] as const
    ends[0].writeUInt32BE(data.length)
    ends[1].writeUInt32BE(crc32(body))
    return Buffer.concat([ends[0], body, ends[1]])
  }
  const zeros = deflateSync(Buffer.alloc(64 << 20))
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 1])
  const parts = [chunk('IHDR', header), chunk('IDAT', zeros), chunk('IEND', Buffer.alloc(0))]
  const pixel = chunk('IDAT', deflateSync(Buffer.from([0, 255, 51, 0, 255])))
  const interlaced = new Uint8Array(Buffer.concat([good.subarray(0, 8), parts[0]!, pixel, parts[2]!]))
  expect(numbersOf(graph, [{ x: interlaced }])[0]!.slice(0, 3)).toEqual([1, Math.fround(0.2), 0])
  const inflating = new Uint8Array(Buffer.concat([good.subarray(0, 8), ...parts]))
  for (const [bytes, said] of [
    [inflating, 'Cannot create a Buffer larger than'],
    [Uint8Array.of(1, 2, 3), 'neither JPEG nor PNG'],
    [good.slice(0, 50), 'cannot be decoded'],
    [bomb, 'more than 100 million pixels'],
    [Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), 'cannot be decoded'],
  ] as const)
    expect(() => numbersOf(graph, [{ x: bytes }])).toThrow(said)
  expect(() => numbersOf(graph, [{ x: null }])).toThrow('lacks a value of "x"')
  expect(() => numbersOf(graph, [{ x: 5 }])).toThrow('the number 5')
  await expect(fitX([{ x: 1 }, { x: 2 }], { transform: 'image', height: 2, width: 2 })).rejects.toThrow('JPEG or PNG')
})

it('features are a list, all but the labels, or named with their transforms; overwrite changes the default of one', async () => {
  const rows = [0, 1, 2, 3].map((n) => ({ n, m: n * n, w: `w${n % 2}`, y: n % 2, z: n + 0.5 }))
  const examples = await examplesOf({ train: rows })
  const shape = async (parameters: PreprocessInput): Promise<unknown> =>
    (await fitted(examples, parameters)).features.map(({ name, transform }) => `${name}:${transform.kind}`)
  expect(await shape({ label: 'y' })).toEqual(['m:zscore', 'n:zscore', 'w:onehot', 'z:zscore'])
  expect(await shape({ label: 'y', features: ['w', 'n'] })).toEqual(['n:zscore', 'w:onehot'])
  expect(await shape({ label: 'y', exclude: ['z'], overwrite: { n: { transform: 'minmax' } } })).toEqual([
    'm:zscore',
    'n:minmax',
    'w:onehot',
  ])
  expect(await shape({ label: 'y', overwrite: { p: { transform: 'pca', features: ['n', 'm'] } } })).toEqual([
    'p:pca',
    'w:onehot',
    'z:zscore',
  ])
  const pca = { p: { transform: 'pca' as const, features: ['n', 'm'] } }
  expect(await shape({ label: 'y', overwrite: { ...pca, n: { transform: 'bucketize' } } })).toEqual([
    'n:bucketize',
    'p:pca',
    'w:onehot',
    'z:zscore',
  ])
  const several = await fitted(examples, { labels: ['y', 'z'], features: ['n'] })
  expect(several.label.name).toBe('y')
  const applied = applyTransform(
    several,
    batchOf(
      [
        { n: 1, y: 1, z: 2.5 },
        { n: 1, y: 0, z: null },
      ],
      { z: 'float' },
    ),
  )
  expect([...applied.rows]).toEqual([0])
  expect(applied.otherLabels.map((values) => [...values])).toEqual([[2.5]])
  expect(() => onlyLabel(several)).toThrow('the labels y, z')
  const refused = async (parameters: object): Promise<string> =>
    await fitted(examples, parameters as PreprocessInput).then(
      () => 'fitted',
      (error: Error) => error.message,
    )
  expect(await refused({ label: 'y', features: ['n'], overwrite: { m: { transform: 'minmax' } } })).toMatch('not among')
  expect(await refused({ label: 'y', features: { n: { transform: 'minmax' } }, overwrite: pca })).toMatch(
    '"overwrite" changes the default',
  )
  expect(await refused({ label: 'y', overwrite: { n: pca.p } })).toMatch('needs another name')
  expect(await refused({ label: 'y', overwrite: { p: { ...pca.p, components: 3 } } })).toMatch('3 components')
  const isLabel = '"y" is the label'
  expect(await refused({ label: 'y', features: ['n', 'y'] })).toMatch(isLabel)
  expect(await refused({ labels: ['z', 'y'], features: { y: { transform: 'zscore' } } })).toMatch(isLabel)
  expect(await refused({ label: 'y', overwrite: { p: { ...pca.p, features: ['n', 'y'] } } })).toMatch(isLabel)
  expect(await refused({ label: 'y', labels: ['z'] })).toMatch('give "label" or "labels"')
  expect(await refused({})).toMatch('give "label" or "labels"')
})

it('a parameter that a transform does not take is named with its place', async () => {
  const examples = await examplesOf({ train: [{ x: 1, y: 'a' }] })
  const refused = async (features: unknown, by: 'features' | 'overwrite' = 'features'): Promise<string> =>
    await fitted(examples, { label: 'y', [by]: features } as PreprocessInput).then(
      () => 'fitted',
      (error: Error & { code: string }) => `${error.code} ${error.message}`,
    )
  for (const by of ['features', 'overwrite'] as const) {
    expect(await refused({ x: { transform: 'zscore', buckets: 3 } }, by)).toMatch(/ZEN_PARAMETERS .*x.*"buckets"/)
    expect(await refused({ x: { transform: 'zscor' } }, by)).toMatch(/ZEN_PARAMETERS .*x\.transform.*zscore, minmax/)
    expect(await refused({ x: { transform: 'zscore', fill: 'mode' } }, by)).toMatch(/ZEN_PARAMETERS .*x\.fill/)
    expect(await refused({ x: { transform: 'minmax', range: [1, 0] } }, by)).toMatch('the lower end comes first')
  }
  expect(await refused([])).toMatch('ZEN_PARAMETERS')
})
