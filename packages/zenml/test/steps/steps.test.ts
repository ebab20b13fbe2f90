import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep } from '../../src/define/run-step.ts'
import { batchOf, createExamplesWriter, type ExamplesReader, openExamples } from '../../src/formats/examples.ts'
import { classificationReport, regressionReport } from '../../src/steps/evaluate-metrics.ts'
import { preprocess } from '../../src/steps/preprocess.ts'
import { inferSchema } from '../../src/steps/schema.ts'
import { sidesOf, split } from '../../src/steps/split.ts'
import { statistics } from '../../src/steps/statistics.ts'
import { applyTransform } from '../../src/steps/transform.ts'

const random = seededRandom('rows')
const rows = Array.from({ length: 2000 }, (_, id) => ({
  id,
  x: random.integer(10) === 0 ? null : random.next() * 10,
  word: ['red', 'green', 'blue'][random.integer(3)]!,
}))
let directory: string
let examples: ExamplesReader

async function examplesOf(
  name: string,
  parts: { readonly [split: string]: typeof rows },
  size: number,
): Promise<ExamplesReader> {
  const writer = await createExamplesWriter(join(directory, name))
  for (const [part, all] of Object.entries(parts)) {
    for (let from = 0; from < all.length; from += size)
      await writer.write(part, batchOf(all.slice(from, from + size), { x: 'float' }))
  }
  await writer.finish()
  return await openExamples(join(directory, name))
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-steps-'))
  examples = await examplesOf('all', { all: rows }, 500)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

it('split is even, keeps every row once, and keeps an example on its side as data grows', async () => {
  await using whole = await runStep(split, {
    inputs: { examples },
    parameters: { ratios: { train: 0.7, test: 0.3 } },
    seed: 5,
  })
  const sides = whole.outputs.examples
  expect(sides.rows('train') + sides.rows('test')).toBe(2000)
  // Binomial: 1400 with a deviation of 20.5.
  expect(Math.abs(sides.rows('train') - 1400)).toBeLessThan(100)
  const ids = async (reader: ExamplesReader, part: string): Promise<Set<unknown>> => {
    const found = new Set<unknown>()
    for await (const { id } of reader.objects(part)) found.add(id)
    return found
  }
  await using half = await runStep(split, {
    inputs: { examples: await examplesOf('half', { all: rows.slice(0, 1000) }, 7) },
    parameters: { ratios: { train: 0.7, test: 0.3 } },
    seed: 5,
  })
  const all = await ids(sides, 'train')
  for (const id of await ids(half.outputs.examples, 'train')) expect(all.has(id)).toBe(true)
  await using other = await runStep(split, {
    inputs: { examples },
    parameters: { ratios: { train: 0.7, test: 0.3 } },
    seed: 6,
  })
  expect(await ids(other.outputs.examples, 'train')).not.toEqual(all)
})

it('split by a feature keeps its values together, and refuses an empty side', async () => {
  const batch = batchOf(rows, { x: 'float' })
  const sides = sidesOf(batch, ['word'], 1, [0.5, 1])
  const byWord = new Map<string, Set<number>>()
  for (const [row, { word }] of rows.entries()) byWord.set(word, (byWord.get(word) ?? new Set()).add(sides[row]!))
  expect([...byWord.values()].every((values) => values.size === 1)).toBe(true)
  const few = await examplesOf('few', { all: rows.slice(0, 1) }, 1)
  await expect(runStep(split, { inputs: { examples: few } })).rejects.toMatchObject({ code: 'ZEN_SPLIT_EMPTY' })
  // Without this all rows would go nowhere.
  await expect(runStep(split, { inputs: { examples }, parameters: { ratios: {} } })).rejects.toThrow('from 1 to 255')
})

it('statistics are exact, and the same bit for bit for any batches', async () => {
  await using first = await runStep(statistics, { inputs: { examples } })
  await using second = await runStep(statistics, { inputs: { examples: await examplesOf('other', { all: rows }, 33) } })
  expect(second.outputs.statistics).toEqual(first.outputs.statistics)
  const dataset = first.outputs.statistics['all']!.datasets![0]!
  expect(dataset.numExamples).toBe(2000)
  const x = dataset.features!.find(({ path }) => path?.step?.[0] === 'x')!.numStats!
  const values = rows.flatMap((row) => (row.x === null ? [] : [Math.fround(row.x)])).sort((a, b) => a - b)
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  expect(x.commonStats!.numNonMissing).toBe(values.length)
  expect(x.mean).toBeCloseTo(mean, 12)
  expect(x.stdDev).toBeCloseTo(Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length), 12)
  expect([x.min, x.max]).toEqual([values[0], values.at(-1)])
  const word = dataset.features!.find(({ path }) => path?.step?.[0] === 'word')!.stringStats!
  expect(word.unique).toBe(3)
  expect(word.topValues!.reduce((sum, { frequency }) => sum + frequency!, 0)).toBe(2000)
})

it('a schema is inferred with types, presence and domains', async () => {
  await using facts = await runStep(statistics, { inputs: { examples } })
  await using inferred = await runStep(inferSchema, { inputs: { statistics: facts.outputs.statistics } })
  const { feature, stringDomain } = inferred.outputs.schema
  expect(feature!.map(({ name, type, presence, domain }) => [name, type, presence?.minFraction, domain])).toEqual([
    ['id', 'INT', 1, undefined],
    ['word', 'BYTES', 1, 'word'],
    ['x', 'FLOAT', undefined, undefined],
  ])
  expect(stringDomain![0]!.value).toEqual(['blue', 'green', 'red'])
})

it('a transform is fitted on train only and gives what its formulas say', async () => {
  const labelled = rows.map((row) => ({ ...row, class: row.word }))
  const parts = await examplesOf('parts', { train: labelled.slice(0, 1500), eval: labelled.slice(1500) }, 100)
  const features = {
    x: { transform: 'zscore' as const },
    word: { transform: 'onehot' as const },
    id: { transform: 'bucketize' as const, buckets: 3 },
  }
  await using fitted = await runStep(preprocess, {
    inputs: { examples: parts },
    parameters: { label: 'class', features },
  })
  const graph = fitted.outputs.transform
  const {
    features: matrix,
    labels,
    width,
  } = applyTransform(
    graph,
    batchOf(
      [
        { id: 0, x: null, word: 'green', class: 'green' },
        { id: 1499, x: 3, word: 'red', class: 'red' },
      ],
      { x: 'float' },
    ),
  )
  expect(width).toBe(3 + 4 + 1)
  const [id, word, x] = graph.features.map(({ transform }) => transform)
  expect(id).toMatchObject({ kind: 'bucketize', boundaries: [500, 1000] })
  expect(word).toMatchObject({ kind: 'onehot', words: ['blue', 'green', 'red'] })
  if (x?.kind !== 'zscore') throw new Error('not a z-score')
  expect([...matrix.subarray(0, 8)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0])
  expect([...matrix.subarray(8, 15)]).toEqual([0, 0, 1, 0, 0, 1, 0])
  expect(matrix[15]).toBe(Math.fround((3 - x.mean) / x.deviation))
  expect([...labels]).toEqual([1, 2])
})

it('reports agree with the formulas written out', () => {
  const labels = Array.from({ length: 300 }, () => random.integer(3))
  const probabilities = labels.flatMap((label) => {
    const raw = [0, 1, 2].map((index) => Math.round(10 * random.next()) / 10 + (index === label ? 0.3 : 0.01))
    const total = raw.reduce((a, b) => a + b, 0)
    return raw.map((value) => value / total)
  })
  const report = classificationReport(labels, probabilities, ['a', 'b', 'c'])
  const said = labels.map((_, row) =>
    [0, 1, 2].reduce(
      (best, index) => (probabilities[row * 3 + index]! > probabilities[row * 3 + best]! ? index : best),
      0,
    ),
  )
  expect(report.accuracy).toBeCloseTo(labels.filter((label, row) => label === said[row]).length / 300, 12)
  let won = 0
  let pairs = 0
  for (const [row, label] of labels.entries()) {
    for (const [other, label2] of labels.entries()) {
      if (label !== 1 || label2 === 1) continue
      pairs++
      const [p, q] = [probabilities[row * 3 + 1]!, probabilities[other * 3 + 1]!]
      won += p > q ? 1 : p === q ? 0.5 : 0
    }
  }
  expect(report.classes[1]!.rocAuc).toBeCloseTo(won / pairs, 12)
  expect(report.confusion.flat().reduce((a, b) => a + b, 0)).toBe(300)

  const numbers = labels.map((label) => label * 2 + random.next())
  const regression = regressionReport(numbers, labels)
  const errors = numbers.map((value, row) => labels[row]! - value)
  const mean = numbers.reduce((a, b) => a + b, 0) / 300
  expect(regression.mae).toBeCloseTo(errors.reduce((a, b) => a + Math.abs(b), 0) / 300, 12)
  expect(regression.r2).toBeCloseTo(
    1 - errors.reduce((a, b) => a + b * b, 0) / numbers.reduce((a, b) => a + (b - mean) ** 2, 0),
    12,
  )
  expect(regression.calibration.reduce((sum, group) => sum + group.rows, 0)).toBe(300)
})
