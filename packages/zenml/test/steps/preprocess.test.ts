import { expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import type { FeatureKind } from '../../src/formats/batch.ts'
import { batchOf, type ExamplesReader } from '../../src/formats/examples.ts'
import type { TransformGraphData } from '../../src/formats/transform-graph.ts'
import { type PreprocessInput, preprocess } from '../../src/steps/preprocess.ts'
import { applyTransform } from '../../src/steps/transform.ts'
import { examplesOf, type Row } from './written-examples.ts'

async function fitted(examples: ExamplesReader, parameters: PreprocessInput): Promise<TransformGraphData> {
  await using trial = await runStep(preprocess, { inputs: { examples }, parameters })
  return trial.outputs.transform
}

const numbersOf = (
  graph: TransformGraphData,
  row: Row,
  kinds?: { readonly [feature: string]: FeatureKind },
): number[] => [...applyTransform(graph, batchOf([row], kinds), { labels: false }).features]

it('constant columns become 0, and missing values what they are filled with', async () => {
  const rows = Array.from({ length: 50 }, (_, row) => ({
    huge: 9007199254740991,
    one: 1.1,
    some: row % 5 === 0 ? null : row,
    y: row % 2 === 0 ? 'a' : 'b',
  }))
  const examples = await examplesOf({ train: rows }, { one: 'float', some: 'int' })
  const graph = await fitted(examples, {
    label: 'y',
    features: {
      huge: { transform: 'zscore' },
      one: { transform: 'minmax' },
      some: { transform: 'passthrough', fill: 'median' },
    },
  })
  expect(numbersOf(graph, { huge: 9007199254740991, one: 1.1, some: 7 }, { one: 'float' })).toEqual([0, 0, 7])
  expect(numbersOf(graph, { some: null })).toEqual([0, 0, 26])
})

it('buckets of a feature with many equal values have no boundary twice', async () => {
  const rows = [1, 1, 1, 1, 1, 1, 1, 2, 3].map((x, row) => ({ x, y: row % 2 === 0 ? 'a' : 'b' }))
  const graph = await fitted(await examplesOf({ train: rows }), {
    label: 'y',
    features: { x: { transform: 'bucketize', buckets: 4 } },
  })
  expect(graph.features[0]!.transform).toMatchObject({ boundaries: [1] })
  expect(numbersOf(graph, { x: 0 })).toEqual([1, 0])
  expect(numbersOf(graph, { x: 1 })).toEqual([0, 1])
})

it('words are kept apart whatever their letters, and unseen and missing ones have their places', async () => {
  const odd = [
    '',
    ' ',
    'é',
    'e\u0301',
    '😀',
    '\uffff',
    '\ufeffx',
    'constructor',
    '__proto__',
    'a much longer text than the others é',
  ]
  const rows = odd.map((word, row) => ({ id: 2n ** 60n + BigInt(row), word, y: row % 2 === 0 ? 'a' : 'b' }))
  const graph = await fitted(await examplesOf({ train: rows }), {
    label: 'y',
    features: { id: { transform: 'vocabulary' }, word: { transform: 'vocabulary' } },
  })
  const places = rows.map((row) => numbersOf(graph, row))
  expect(new Set(places.map(([id]) => id)).size).toBe(odd.length)
  expect(new Set(places.map(([, word]) => word)).size).toBe(odd.length)
  expect(numbersOf(graph, { id: 1, word: 'unseen' })).toEqual([odd.length, odd.length])
  expect(numbersOf(graph, {})).toEqual([odd.length, odd.length])
})

it('a row alone, as in serving, becomes the same numbers as in its split', async () => {
  const rows = Array.from({ length: 40 }, (_, row) => ({
    a: row % 7 === 0 ? null : row * 1.7,
    b: row * row,
    c: ['x', 'ÿ', '😀', null][row % 4]!,
    y: row % 3,
  }))
  const kinds = { a: 'float' } as const
  const examples = await examplesOf({ train: rows.slice(0, 30), eval: rows.slice(30) }, kinds)
  const graph = await fitted(examples, { label: 'y' })
  expect(graph).toEqual(await fitted(await examplesOf({ train: rows.slice(0, 30) }, kinds), { label: 'y' }))
  let at = 0
  for await (const batch of examples.read('eval')) {
    const { features, width } = applyTransform(graph, batch)
    for (let row = 0; row < batch.length; row++, at++)
      expect(numbersOf(graph, rows[30 + at]!, kinds)).toEqual([...features.subarray(row * width, (row + 1) * width)])
  }
  expect(at).toBe(10)
})

it('numbers are classes where the task says so, in the order of the numbers', async () => {
  const rows = [10, 9, 2, 9].map((y, x) => ({ x, y }))
  const examples = await examplesOf({ train: rows })
  const graph = await fitted(examples, { label: 'y', task: 'classification' })
  expect(graph.label.transform).toEqual({ kind: 'class', classes: ['2', '9', '10'] })
  expect([...applyTransform(graph, batchOf(rows)).labels]).toEqual([2, 1, 0, 1])
  expect((await fitted(examples, { label: 'y' })).label.transform).toEqual({ kind: 'number' })
})

it('what cannot be fitted is refused, with what to do', async () => {
  const examples = await examplesOf(
    {
      train: [
        { empty: null, far: 1, text: 'a', x: 1, y: 'a' },
        { empty: null, far: Number.POSITIVE_INFINITY, text: 'b', x: 2, y: 'b' },
      ],
      other: [{ empty: null, far: 1, text: 'a', x: 1, y: null }],
      none_left: [{ empty: null, far: 1, text: null, x: null, y: 'a' }],
      same: [{ empty: null, far: 1, text: 'a', x: 1, y: 'a' }],
    },
    { far: 'float', x: 'int' },
  )
  const refusal = async (given: Omit<PreprocessInput, 'label' | 'labels'>): Promise<string> => {
    try {
      await fitted(examples, { label: 'y', ...given })
      return 'it was fitted'
    } catch (error) {
      expect(error).toMatchObject({ code: 'ZEN_PREPROCESS_FEATURE' })
      return (error as Error).message
    }
  }
  expect(await refusal({ exclude: ['emty'] })).toMatch('Did you mean "empty"?')
  expect(await refusal({ features: { z: { transform: 'zscore' } } })).toMatch('"z" is not there')
  expect(await refusal({ features: { x: { transform: 'zscore' } }, exclude: ['x'] })).toMatch('"exclude"')
  expect(await refusal({ features: { text: { transform: 'zscore' } } })).toMatch('is text')
  expect(await refusal({ features: { empty: { transform: 'onehot' } } })).toMatch(
    'A feature has no value in split "train": empty',
  )
  expect(await refusal({ exclude: ['far'], split: 'none_left' })).toMatch(
    'Some features have no value in split "none_left": empty, text, x',
  )
  for (const transform of ['zscore', 'minmax', 'bucketize', 'passthrough'] as const)
    expect(await refusal({ features: { far: { transform } } })).toMatch('infinite value in split "train"')
  expect(await refusal({ exclude: ['empty', 'far'], split: 'other' })).toMatch('No row of split "other" has the label')
  expect(await refusal({ exclude: ['empty', 'far'], split: 'same' })).toMatch('the same label "y": "a"')
  expect(await refusal({ exclude: ['empty', 'far'], task: 'regression' })).toMatch('regression needs numbers')
})

it('a value that would give no number is refused in serving: nothing is filled in silently', () => {
  const graph: TransformGraphData = {
    version: 1,
    features: [{ name: 'x', transform: { kind: 'zscore', fill: 3, mean: 1, deviation: 2 } }],
    label: { name: 'y', transform: { kind: 'number' } },
  }
  const refused = (row: Row, labels = false): unknown => {
    try {
      return applyTransform(graph, batchOf([row]), { labels })
    } catch (error) {
      return error
    }
  }
  expect(numbersOf(graph, { x: null })).toEqual([1])
  expect(numbersOf(graph, { x: Number.NaN })).toEqual([1])
  expect(refused({ x: '12' })).toMatchObject({
    code: 'ZEN_TRANSFORM_VALUE',
    message: expect.stringMatching('"12" for "x"'),
  })
  expect(refused({ x: Number.NEGATIVE_INFINITY })).toMatchObject({ code: 'ZEN_TRANSFORM_VALUE' })
  expect(refused({ x: 1, y: 'high' }, true)).toMatchObject({ code: 'ZEN_TRANSFORM_VALUE' })
  expect(refused({ x: 1, y: Number.POSITIVE_INFINITY }, true)).toMatchObject({ code: 'ZEN_TRANSFORM_VALUE' })
})
