import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import type { ParameterInput } from '../../src/define/step.ts'
import type { ExampleObject, ExamplesReader } from '../../src/formats/examples-reader.ts'
import { noSplit } from '../../src/steps/no-split.ts'
import { sequence } from '../../src/steps/sequence.ts'
import { fillSession } from '../../src/steps/sequences/fill.ts'
import { resampler } from '../../src/steps/sequences/resample.ts'
import { examplesOf, type Row } from './written-examples.ts'

type Parameters = ParameterInput<NonNullable<typeof sequence.definition.parameters>>

async function windowsOf(examples: ExamplesReader, parameters: Parameters, split = 'all'): Promise<ExampleObject[]> {
  await using trial = await runStep(sequence, { inputs: { examples }, parameters })
  const found: ExampleObject[] = []
  for await (const row of trial.outputs.examples.objects(split)) found.push(row)
  return found
}

it('windows are cut from each series in the order of time, and sessions end at gaps', async () => {
  const rows = [
    { t: 5, who: 'b', x: 50 },
    { t: 2, who: 'a', x: 2 },
    { t: 1, who: 'a', x: 1 },
    { t: 3, who: 'a', x: 3 },
    { t: 14, who: 'a', x: 14 },
    { t: 15, who: 'a', x: 15 },
    { t: 6, who: 'b', x: 60 },
  ]
  const examples = await examplesOf({ all: rows })
  expect(await windowsOf(examples, { time: 't', by: ['who'], gap: 10, length: 2 })).toEqual([
    { t: 2, who: 'a', x: [1, 2] },
    { t: 3, who: 'a', x: [2, 3] },
    { t: 15, who: 'a', x: [14, 15] },
    { t: 6, who: 'b', x: [50, 60] },
  ])
  expect(await windowsOf(examples, { time: 't', by: ['who'], length: 2, stride: 3 })).toEqual([
    { t: 2, who: 'a', x: [1, 2] },
    { t: 15, who: 'a', x: [14, 15] },
    { t: 6, who: 'b', x: [50, 60] },
  ])
  expect(
    await windowsOf(examples, {
      time: 't',
      by: ['who'],
      gap: 10,
      length: 1,
      label: { feature: 'x', horizon: 2, name: 'in two' },
    }),
  ).toEqual([{ t: 1, who: 'a', x: 1, 'in two': 3 }])
})

it('values are resampled to a grid by mean, median, mode and threshold', async () => {
  const rows = [
    { t: 10, a: 1, b: 1, c: 'u', d: 0 },
    { t: 11, a: 2, b: 9, c: 'v', d: 3 },
    { t: 12, a: 6, b: 2, c: 'v', d: 0 },
    { t: 25, a: 4, b: 4, c: 'é', d: 1 },
    { t: 29, a: 4, b: 6, c: 'z', d: 2 },
    { t: 40, a: 7, b: 7, c: 'w', d: 9 },
  ]
  const overwrite = {
    b: { resample: 'median' as const, fill: 'interpolate' as const },
    d: { resample: { threshold: 2, set: 5 }, fill: 'zero' as const },
  }
  expect(await windowsOf(await examplesOf({ all: rows }), { time: 't', interval: 10, overwrite, length: 4 })).toEqual([
    { t: 40, a: [3, 4, 4, 7], b: [2, 5, 6, 7], c: ['v', 'z', 'z', 'w'], d: [5, 0, 0, 5] },
  ])
})

it('times of ISO 8601 count in milliseconds, and a window has that of its last cell', async () => {
  const rows = ['2024-01-01T00:02:30Z', '2024-01-01 00:00', '2024-01-01T01:01:10+01:00'].map((at, x) => ({ at, x }))
  expect(await windowsOf(await examplesOf({ all: rows }), { time: 'at', interval: 60_000, length: 3 })).toEqual([
    { at: '2024-01-01T00:02:00.000Z', x: [1, 2, 0] },
  ])
})

it('the time of a window keeps its microseconds', async () => {
  const times = [
    '2024-01-01T00:00:00.000001Z',
    '2024-01-01T00:00:00.999999Z',
    '2024-01-01T00:00:01.9999996Z',
    '2024-01-01T00:00:02Z',
  ]
  const examples = await examplesOf({ all: times.map((at, x) => ({ at, x })) })
  const found = await windowsOf(examples, { time: 'at', length: 1 })
  expect(found.map(({ at }) => at)).toEqual([
    '2024-01-01T00:00:00.000001Z',
    '2024-01-01T00:00:00.999999Z',
    '2024-01-01T00:00:02.000Z',
    '2024-01-01T00:00:02.000Z',
  ])
})

it('a window with a missing value or a label that was not observed is left out, and counted', async () => {
  const rows = [null, 1, null, 3, null, 5].map((x, t) => ({ t, x }))
  const examples = await examplesOf({ all: rows })
  const run = (parameters: Omit<Parameters, 'time'>): Promise<unknown[]> =>
    windowsOf(examples, { time: 't', length: 2, ...parameters }).then((found) => found.map(({ x }) => x))
  expect(await run({})).toEqual([
    [1, 1],
    [1, 3],
    [3, 3],
    [3, 5],
  ])
  expect(await run({ overwrite: { x: { fill: 'mean' } } })).toEqual([
    [3, 1],
    [1, 3],
    [3, 3],
    [3, 3],
    [3, 5],
  ])
  expect(await run({ overwrite: { x: { fill: 'zero' } } })).toEqual([
    [0, 1],
    [1, 0],
    [0, 3],
    [3, 0],
    [0, 5],
  ])
  expect(await run({ overwrite: { x: { fill: 'interpolate' } } })).toEqual([
    [1, 1],
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 5],
  ])
  expect(await run({ label: { feature: 'x' } })).toEqual([
    [1, 1],
    [3, 3],
  ])
  await expect(run({ overwrite: { x: { fill: 'none' } } })).rejects.toMatchObject({
    code: 'ZEN_SEQUENCE_EMPTY',
    facts: { dropped: 5 },
  })
  await using trial = await runStep(sequence, { inputs: { examples }, parameters: { time: 't', length: 2 } })
  expect(trial.properties['examples']).toEqual({
    splits: { all: 4 },
    features: { t: 'int', x: 'int' },
    droppedWindows: 1,
  })
})

it('kinds stay where they can: bytes need not be UTF-8, and keys beyond 2^53 are kept apart', async () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0x80)
  const rows = [0, 1].flatMap((t) => [2n ** 60n, 2n ** 60n + 1n].map((who) => ({ t, who, x: bytes, y: t })))
  const found = await windowsOf(await examplesOf({ all: rows }, { y: 'float' }), { time: 't', by: ['who'], length: 2 })
  expect(found).toEqual([2n ** 60n, 2n ** 60n + 1n].map((who) => ({ t: 1, who, x: [bytes, bytes], y: [0, 1] })))
})

it('windows are the same whatever the order of series and batches, and agree with windows cut by hand', async () => {
  const row = fc.record({
    who: fc.constantFrom('a', 'b'),
    t: fc.integer({ min: -30, max: 60 }),
    x: fc.option(fc.integer({ min: -9, max: 9 })),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(row, { selector: ({ who, t }) => `${who}${t}`, minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(1, 4, 7),
      fc.constantFrom(5, 12, 1000),
      async (rows, length, stride, interval, gap) => {
        const parameters = { time: 't', by: ['who'], length, stride, interval, gap }
        const run = async (given: readonly Row[], cut: number): Promise<unknown> => {
          const examples = await examplesOf(
            { all: given.slice(0, cut), more: given.slice(cut) },
            { who: 'bytes', t: 'int', x: 'int' },
          )
          await using one = await runStep(noSplit, { inputs: { examples } })
          try {
            return await windowsOf(one.outputs.examples, parameters, 'train')
          } catch (error) {
            return (error as { code: string }).code
          }
        }
        const expected = byHand(rows, length, stride, interval, gap)
        expect(await run(rows, 2)).toEqual(expected.length === 0 ? 'ZEN_SEQUENCE_EMPTY' : expected)
        expect(await run([...rows].reverse(), 3)).toEqual(expected.length === 0 ? 'ZEN_SEQUENCE_EMPTY' : expected)
      },
    ),
    { numRuns: 40 },
  )
}, 60_000)

/** Means of a grid, filled forward, cut into windows: all written out without regard to speed. */
function byHand(
  rows: readonly { who: string; t: number; x: number | null }[],
  length: number,
  stride: number,
  interval: number,
  gap: number,
): unknown[] {
  const found: unknown[] = []
  for (const who of ['a', 'b']) {
    const own = rows.filter((row) => row.who === who).sort((a, b) => a.t - b.t)
    const starts = own.flatMap(({ t }, at) => (at === 0 || t - own[at - 1]!.t > gap ? [at] : []))
    for (const [index, from] of starts.entries()) {
      const session = own.slice(from, starts[index + 1])
      const first = Math.floor(session[0]!.t / interval)
      const cells = Math.floor(session.at(-1)!.t / interval) - first + 1
      const values: (number | undefined)[] = []
      for (let cell = 0; cell < cells; cell++) {
        const there = session.flatMap(({ t, x }) =>
          Math.floor(t / interval) === first + cell && x !== null ? [x] : [],
        )
        values.push(there.length === 0 ? values.at(-1) : Math.fround(there.reduce((a, b) => a + b, 0) / there.length))
      }
      for (let start = 0; start + length <= cells; start += stride) {
        const window = values.slice(start, start + length)
        if (window.includes(undefined)) continue
        found.push({ t: (first + start + length - 1) * interval, who, x: length === 1 ? window[0] : window })
      }
    }
  }
  return found
}

it('a mode is the most frequent value, the least of equally frequent ones, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }), (values) => {
      const mode = resampler('mode', (a, b) => a - b)
      for (const value of values) mode.add(value)
      const counts = [0, 1, 2, 3, 4].map((value) => values.filter((other) => other === value).length)
      expect(mode.take()).toBe(counts.indexOf(Math.max(...counts)))
      expect(mode.take()).toBeNaN()
    }),
  )
})

it('filling leaves what is known, and interpolation stays between its neighbours', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { nil: Number.NaN }), { minLength: 1 }),
      fc.constantFrom('forward' as const, 'zero' as const, 'mean' as const, 'interpolate' as const, 'none' as const),
      (given, fill) => {
        const values = Float64Array.from(given)
        fillSession(
          values,
          Float64Array.from(given, (_, at) => at * 2),
          fill,
          0,
        )
        const known = given.filter((value) => !Number.isNaN(value))
        for (const [at, value] of given.entries()) {
          if (!Number.isNaN(value)) expect(values[at]).toBe(value)
          else if (fill === 'none' || (known.length === 0 && fill !== 'zero')) expect(values[at]).toBeNaN()
          else if (fill === 'interpolate' || fill === 'mean') {
            expect(values[at]).toBeGreaterThanOrEqual(Math.min(...known) - 1e-9)
            expect(values[at]).toBeLessThanOrEqual(Math.max(...known) + 1e-9)
          }
        }
      },
    ),
  )
})

it('what does not fit is refused, with what to do', async () => {
  const rows = [
    { t: 0, who: 'a', x: 1, word: 'u', far: 2n ** 60n },
    { t: null, who: 'a', x: 1, word: 'u', far: 1 },
  ]
  const examples = await examplesOf({ all: rows }, { t: 'int' })
  const refusal = (parameters: Partial<Parameters>): Promise<unknown> =>
    runStep(sequence, { inputs: { examples }, parameters: { time: 't', features: ['x'], length: 1, ...parameters } })
  await expect(refusal({ by: ['whoo'] })).rejects.toThrow('Did you mean "who"?')
  await expect(refusal({ features: ['t'] })).rejects.toMatchObject({ code: 'ZEN_SEQUENCE_FEATURE' })
  await expect(refusal({ overwrite: { word: {} } })).rejects.toThrow('not among the features')
  await expect(refusal({ overwrite: { x: { resample: 'mode' } } })).rejects.toThrow('no "interval"')
  await expect(refusal({ interval: 0.5 })).rejects.toThrow('whole numbers')
  await expect(refusal({ interval: 1, features: ['word'], overwrite: { word: { fill: 'mean' } } })).rejects.toThrow(
    'is text',
  )
  await expect(refusal({ label: { feature: 'x', name: 'x' } })).rejects.toThrow('cannot be called "x"')
  await expect(refusal({})).rejects.toMatchObject({ code: 'ZEN_SEQUENCE_TIME' })
  await expect(refusal({ missing: 'drop', features: ['far'] })).rejects.toMatchObject({ code: 'ZEN_SEQUENCE_VALUE' })
  await expect(refusal({ missing: 'drop', length: 2 })).rejects.toThrow('long enough')
  await expect(
    runStep(sequence, {
      inputs: {
        examples: await examplesOf({
          all: [
            { t: 0, x: 1 },
            { t: 1_700_000_000, x: 1 },
          ],
        }),
      },
      parameters: { time: 't', interval: 1 },
    }),
  ).rejects.toMatchObject({ code: 'ZEN_SEQUENCE_SESSION', next: expect.stringContaining('gap') })
})
