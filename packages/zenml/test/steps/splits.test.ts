import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep, type StepTrial } from '../../src/define/run-step.ts'
import type { Examples, ExamplesReader } from '../../src/formats/examples.ts'
import { holdOut, kFold } from '../../src/steps/k-fold.ts'
import { noSplit } from '../../src/steps/no-split.ts'
import { split } from '../../src/steps/split.ts'
import { splitByDomain } from '../../src/steps/split-by-domain.ts'
import { splitByTime } from '../../src/steps/split-by-time.ts'
import { splitStratified } from '../../src/steps/split-stratified.ts'
import { parseTime } from '../../src/steps/time-value.ts'
import { examplesOf, type Row } from './written-examples.ts'

/** Values of a feature by split, in order. */
async function valuesOf(examples: ExamplesReader, feature: string): Promise<{ [split: string]: unknown[] }> {
  const found: { [split: string]: unknown[] } = {}
  for (const name of examples.splits) {
    found[name] = []
    for await (const row of examples.objects(name)) found[name].push(row[feature])
  }
  return found
}

async function splitsOf(
  running: Promise<StepTrial<{ readonly examples: typeof Examples }>>,
  feature: string,
): Promise<{ [split: string]: unknown[] }> {
  await using trial = await running
  return await valuesOf(trial.outputs.examples, feature)
}

it('a split by group never parts a group, for any rows, ratios and seed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ who: fc.constantFrom('a', 'b', 'c', 'd', 'é', null), x: fc.integer() }), { minLength: 1 }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 9 }),
      async (rows, seed, share) => {
        const examples = await examplesOf({ all: rows as Row[] }, { who: 'bytes', x: 'int' })
        for (const running of [
          () =>
            runStep(split, {
              inputs: { examples },
              seed,
              parameters: { ratios: { a: share, b: 10 - share }, by: ['who'] },
            }),
          () => runStep(kFold, { inputs: { examples }, seed, parameters: { folds: 2, by: ['who'] } }),
        ]) {
          let found: { [split: string]: unknown[] }
          try {
            found = await splitsOf(running(), 'who')
          } catch (error) {
            expect(error).toMatchObject({ code: 'ZEN_SPLIT_EMPTY' })
            continue
          }
          const [first, second] = Object.values(found).map((values) => new Set(values))
          expect([...first!].filter((who) => second!.has(who))).toEqual([])
        }
      },
    ),
    { numRuns: 30 },
  )
}, 30_000)

it('a split by domain takes the values that it is told, and says what became of the others', async () => {
  const rows = ['x', 'y', 'z', 'x', null].map((where, id) => ({ id, where }))
  const examples = await examplesOf({ all: rows })
  const given = { feature: 'where', splits: { train: ['x'], eval: ['y'] } }
  const run = (unmapped?: 'drop' | { split: string }): ReturnType<typeof splitsOf> =>
    splitsOf(
      runStep(splitByDomain, { inputs: { examples }, parameters: { ...given, ...(unmapped && { unmapped }) } }),
      'id',
    )
  expect(await run('drop')).toEqual({ eval: [1], train: [0, 3] })
  expect(await run({ split: 'rest' })).toEqual({ eval: [1], rest: [2, 4], train: [0, 3] })
  expect(await run({ split: 'eval' })).toEqual({ eval: [1, 2, 4], train: [0, 3] })
  await expect(run()).rejects.toMatchObject({ code: 'ZEN_SPLIT_UNMAPPED', facts: { value: 'z' } })
  await using trial = await runStep(splitByDomain, {
    inputs: { examples },
    parameters: { ...given, unmapped: 'drop' },
  })
  expect(trial.properties['examples']).toMatchObject({ droppedRows: 2, splits: { train: 2, eval: 1 } })
  const refused = (splits: { [split: string]: (string | number)[] }): Promise<unknown> =>
    runStep(splitByDomain, { inputs: { examples }, parameters: { feature: 'where', splits } })
  await expect(refused({ train: ['x'], eval: ['x'] })).rejects.toThrow('a value stands twice')
  await expect(refused({ train: [1], eval: ['1'] })).rejects.toThrow('a value stands twice')
  await expect(refused({})).rejects.toMatchObject({ code: 'ZEN_PARAMETERS' })
})

it('numbers are mapped by their text', async () => {
  const examples = await examplesOf({ all: [{ n: 1 }, { n: 2 }, { n: 1 }] })
  const parameters = { feature: 'n', splits: { train: [1], eval: ['2'] } }
  expect(await splitsOf(runStep(splitByDomain, { inputs: { examples }, parameters }), 'n')).toEqual({
    eval: [2],
    train: [1, 1],
  })
  const fractions = await examplesOf({ all: [{ n: 0.1 }, { n: 0.5 }, { n: 3 }] }, { n: 'float' })
  const given = { feature: 'n', splits: { train: [0.1], eval: [0.5, 3] } }
  const found = await splitsOf(runStep(splitByDomain, { inputs: { examples: fractions }, parameters: given }), 'n')
  expect(found).toEqual({ eval: [0.5, 3], train: [Math.fround(0.1)] })
})

it('a stratified split gives each split its share of each category to within one row, in any order of the rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 20, maxLength: 300 }),
      fc.integer({ min: 0, max: 1000 }),
      async (kinds, seed) => {
        const rows = kinds.map((kind, id) => ({ id, kind }))
        const ratios = { train: 0.6, eval: 0.25, test: 0.15 }
        const run = async (given: readonly Row[]): Promise<Map<number, string>> => {
          const examples = await examplesOf({ all: given }, { id: 'int', kind: 'bytes' })
          const parameters = { feature: 'kind', ratios }
          const sides = await splitsOf(runStep(splitStratified, { inputs: { examples }, seed, parameters }), 'id')
          return new Map(Object.entries(sides).flatMap(([name, ids]) => ids.map((id) => [id as number, name] as const)))
        }
        const sides = await run(rows)
        expect(sides.size).toBe(rows.length)
        for (const kind of new Set(kinds)) {
          const own = rows.filter((row) => row.kind === kind)
          for (const [name, share] of Object.entries(ratios)) {
            const count = own.filter(({ id }) => sides.get(id) === name).length
            expect(Math.abs(count - own.length * share)).toBeLessThan(1 + 1e-9)
          }
        }
        expect(await run(seededRandom(seed).shuffle([...rows]))).toEqual(sides)
      },
    ),
    { numRuns: 15 },
  )
}, 30_000)

it('many categories of one row each are not all rounded to one side', async () => {
  const examples = await examplesOf({ all: Array.from({ length: 1000 }, (_, id) => ({ id, kind: `k${id}` })) })
  const sides = await splitsOf(
    runStep(splitStratified, { inputs: { examples }, parameters: { feature: 'kind', ratios: { a: 0.7, b: 0.3 } } }),
    'id',
  )
  // Binomial: 700 with a deviation of 14.5.
  expect(Math.abs(sides['a']!.length - 700)).toBeLessThan(75)
})

it('what is no category is refused', async () => {
  const examples = await examplesOf({ all: Array.from({ length: 10_001 }, (_, id) => ({ id })) })
  await expect(runStep(splitStratified, { inputs: { examples }, parameters: { feature: 'id' } })).rejects.toMatchObject(
    { code: 'ZEN_SPLIT_CATEGORIES' },
  )
  await expect(runStep(splitStratified, { inputs: { examples }, parameters: { feature: 'idd' } })).rejects.toThrow(
    'Did you mean "id"?',
  )
})

it('a split by time has every earlier row before every later one, and never parts a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 3, maxLength: 100 }),
      fc.integer({ min: 1, max: 9 }),
      async (times, share) => {
        const examples = await examplesOf({ all: times.map((t) => ({ t })) })
        const splits = [
          { name: 'train', share },
          { name: 'eval', share: 10 - share },
        ]
        let found: { [split: string]: unknown[] }
        try {
          found = await splitsOf(
            runStep(splitByTime, { inputs: { examples }, parameters: { feature: 't', splits } }),
            't',
          )
        } catch (error) {
          expect(error).toMatchObject({ code: 'ZEN_SPLIT_EMPTY' })
          return
        }
        const [train, later] = [found['train'] as number[], found['eval'] as number[]]
        expect(Math.max(...train)).toBeLessThan(Math.min(...later))
        const target = Math.round((times.length * share) / 10)
        const boundary = [...times].sort((a, b) => a - b)[target]!
        expect(train.length).toBe(times.filter((time) => time < boundary).length)
      },
    ),
    { numRuns: 40 },
  )
}, 30_000)

it('a split by time takes cuts as dates, each the first moment of the next split', async () => {
  const days = ['2024-03-01', '2023-12-31T23:59:59.999Z', '2024-01-01', '2024-01-01T00:30:00+01:00', null]
  const examples = await examplesOf({ all: days.map((day, id) => ({ day, id })) })
  const splits = [
    { name: 'train', before: '2024-01-01' },
    { name: 'eval', before: '2024-02-01 00:00' },
    { name: 'test' },
  ]
  const run = (missing?: 'drop' | { split: string }): ReturnType<typeof splitsOf> =>
    splitsOf(
      runStep(splitByTime, {
        inputs: { examples },
        parameters: { feature: 'day', splits, ...(missing && { missing }) },
      }),
      'id',
    )
  expect(await run('drop')).toEqual({ eval: [2], test: [0], train: [1, 3] })
  expect(await run({ split: 'undated' })).toEqual({ eval: [2], test: [0], train: [1, 3], undated: [4] })
  await expect(run()).rejects.toMatchObject({ code: 'ZEN_SPLIT_TIME', next: expect.stringContaining('missing') })
  const refused = (cuts: { name: string; before?: string | number; share?: number }[]): Promise<unknown> =>
    runStep(splitByTime, { inputs: { examples }, parameters: { feature: 'day', splits: cuts, missing: 'drop' } })
  await expect(refused([{ name: 'a', before: 5 }, { name: 'b' }])).rejects.toThrow('texts of ISO 8601')
  await expect(refused([{ name: 'a', before: '1/2/2024' }, { name: 'b' }])).rejects.toThrow('texts of ISO 8601')
  await expect(
    refused([
      { name: 'a', before: '2024-01-01' },
      { name: 'b', share: 1 },
    ]),
  ).rejects.toThrow('give each')
  await expect(
    refused([{ name: 'a', before: '2024-01-01' }, { name: 'b', before: '2023-01-01' }, { name: 'c' }]),
  ).rejects.toThrow('ends before')
  await expect(
    runStep(splitByTime, {
      inputs: { examples: await examplesOf({ all: [{ day: '1/8/90 0:00' }] }) },
      parameters: { feature: 'day' },
    }),
  ).rejects.toMatchObject({ code: 'ZEN_TIME_VALUE' })
})

it('times are read as ISO 8601 says, and nothing else is a time', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') }), (date) => {
      if (Number.isNaN(date.getTime())) return
      expect(parseTime(date.toISOString())).toBe(date.getTime())
      expect(parseTime(date.toISOString().replace('T', ' ').replace('Z', ' +0000'))).toBe(date.getTime())
    }),
  )
  expect(parseTime('2024-02-29')).toBe(Date.UTC(2024, 1, 29))
  expect(parseTime('2024-02-29T10:00-05:30')).toBe(Date.UTC(2024, 1, 29, 15, 30))
  for (const text of [
    '2023-02-29',
    '2024-1-1',
    '2024-01-01T24:00',
    '2024-01-01T10',
    '',
    'now',
    '2024-13-01',
    '20240101',
  ])
    expect(parseTime(text), text).toBeUndefined()
})

it('folds part the rows, and holding out one gives train and eval', async () => {
  const rows = Array.from({ length: 300 }, (_, id) => ({ id }))
  await using folded = await runStep(kFold, { inputs: { examples: await examplesOf({ all: rows }) }, seed: 3 })
  const folds = await valuesOf(folded.outputs.examples, 'id')
  expect(Object.keys(folds)).toEqual(['fold-0', 'fold-1', 'fold-2', 'fold-3', 'fold-4'])
  expect(
    Object.values(folds)
      .flat()
      .sort((a, b) => Number(a) - Number(b)),
  ).toEqual(rows.map(({ id }) => id))
  const examples = folded.outputs.examples
  const held = await splitsOf(runStep(holdOut, { inputs: { examples }, parameters: { split: 'fold-2' } }), 'id')
  expect(held['eval']).toEqual(folds['fold-2'])
  expect(held['train']).toEqual([...folds['fold-0']!, ...folds['fold-1']!, ...folds['fold-3']!, ...folds['fold-4']!])
  await expect(runStep(holdOut, { inputs: { examples }, parameters: { split: 'fold2' } })).rejects.toThrow(
    'Did you mean "fold-2"?',
  )
  await expect(runStep(kFold, { inputs: { examples: await examplesOf({ all: [{ id: 1 }] }) } })).rejects.toMatchObject({
    code: 'ZEN_SPLIT_EMPTY',
  })
})

it('no split keeps all rows in their order', async () => {
  const examples = await examplesOf({ b: [{ id: 2 }], a: [{ id: 3 }, { id: 1 }] })
  expect(await splitsOf(runStep(noSplit, { inputs: { examples } }), 'id')).toEqual({ train: [3, 1, 2] })
  expect(await splitsOf(runStep(noSplit, { inputs: { examples }, parameters: { split: 'all' } }), 'id')).toEqual({
    all: [3, 1, 2],
  })
})
