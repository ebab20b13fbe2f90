import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runStep, type StepTrial } from '../../src/define/run-step.ts'
import { map, mapBatches } from '../../src/steps/map.ts'
import { examplesOf, type Row } from './written-examples.ts'

const calls: string[] = []
const shout = map({
  name: 'shout',
  columns: ['text'],
  features: { loud: 'bytes', length: 'int' },
  run: ({ item }) => {
    calls.push(String(item['text']))
    const text = String(item['text'])
    if (text === 'bad') throw new Error('cannot shout this')
    if (text === 'none') return []
    if (text.includes(' ')) return text.split(' ').map((word) => ({ loud: word.toUpperCase(), length: word.length }))
    return { loud: text.toUpperCase(), length: text.length }
  },
})

async function mapped(
  splits: { readonly [split: string]: readonly Row[] },
  previous?: StepTrial<typeof shout.definition.outputs>,
  which = shout,
): Promise<{ trial: StepTrial<typeof shout.definition.outputs>; made: string[]; bytes: string[] }> {
  calls.length = 0
  const trial = await runStep(which, {
    inputs: { examples: await examplesOf(splits) },
    ...(previous === undefined ? {} : { previous: previous.outputs }),
  })
  const bytes = Object.keys(splits).flatMap((split) => [
    ...trial.outputs.examples.shards(split).map((shard) => readFileSync(shard, 'hex')),
    readFileSync(join(trial.directories.items, `Split-${split}.items`), 'hex'),
  ])
  return { trial, made: [...calls], bytes }
}

const texts = (...all: string[]): Row[] => all.map((text, index) => ({ text, index }))

it('only items that are new are made; the others are taken over, and the bytes are those of making all', async () => {
  const first = await mapped({ all: texts('a', 'b c', 'none', 'd') })
  await using _first = first.trial
  expect(first.made).toEqual(['a', 'b c', 'none', 'd'])
  const next = { all: texts('a', 'b c', 'new', 'none', 'd') }
  const second = await mapped(next, first.trial)
  await using _second = second.trial
  expect(second.made).toEqual(['new'])
  expect(second.trial.metrics).toContainEqual({ name: 'itemsMade', value: 1, at: null })
  const fresh = await mapped(next)
  await using _fresh = fresh.trial
  expect(second.bytes).toEqual(fresh.bytes)
  const rows: unknown[] = []
  for await (const row of second.trial.outputs.examples.objects('all')) rows.push(row['loud'])
  expect(rows).toEqual(['A', 'B', 'C', 'NEW', 'D'])
})

it('whatever is added, removed, repeated or moved, between splits too, the result is that of making all', async () => {
  const word = fc.constantFrom('a', 'b', 'c d', 'none', 'e f g', 'h', 'i')
  const splits = fc.record({
    train: fc.array(word, { minLength: 1, maxLength: 12 }),
    eval: fc.array(word, { maxLength: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(splits, splits, async (before, after) => {
      const rowsOf = (some: typeof before): { train: Row[]; eval: Row[] } => ({
        train: texts(...some.train),
        eval: texts(...some.eval),
      })
      const first = await mapped(rowsOf(before))
      await using _first = first.trial
      const second = await mapped(rowsOf(after), first.trial)
      await using _second = second.trial
      const known = new Set([...before.train, ...before.eval])
      const wanted = new Set([...after.train, ...after.eval].filter((text) => !known.has(text)))
      expect(second.made.toSorted()).toEqual([...wanted].sort())
      const fresh = await mapped(rowsOf(after))
      await using _fresh = fresh.trial
      expect(second.bytes).toEqual(fresh.bytes)
    }),
    { numRuns: 40 },
  )
})

it('a feature that the function does not see makes no item anew, and equal items are made once', async () => {
  const first = await mapped({ all: texts('a', 'b') })
  await using _first = first.trial
  const second = await mapped({ all: [{ text: 'b', index: 7 }, ...texts('c', 'c')] }, first.trial)
  await using _second = second.trial
  expect(second.made).toEqual(['c'])
})

it('a failing item is named by its place, with the line of the function', async () => {
  const failure = await mapped({ all: texts('a', 'bad') }).catch((error) => error)
  expect(failure).toMatchObject({ code: 'ZEN_MAP_ITEM', message: 'split "all", row 1: cannot shout this' })
  expect(failure.stack).toContain('map.test.ts')
})

it('features that are not declared are refused with the nearest name', async () => {
  const wrong = map({ name: 'wrong', features: { words: 'int' }, run: () => ({ word: 1 }) })
  await expect(runStep(wrong, { inputs: { examples: await examplesOf({ all: texts('a') }) } })).rejects.toMatchObject({
    code: 'ZEN_MAP_ITEM',
    message: expect.stringContaining('"words"'),
  })
})

it('chance belongs to the item, not to its place or to how many are worked on at once', async () => {
  const chance = (concurrency: number) =>
    map({
      name: 'chance',
      columns: ['text'],
      features: { text: 'bytes', number: 'int' },
      concurrency,
      run: async ({ item, random }) => {
        await new Promise((resolve) => setTimeout(resolve, Number(item['text']) % 3))
        return { text: item['text']!, number: random.integer(1000) }
      },
    })
  const numbers = async (concurrency: number, order: readonly number[]): Promise<Map<unknown, unknown>> => {
    const rows = order.map((text) => ({ text: String(text) }))
    await using trial = await runStep(chance(concurrency), { inputs: { examples: await examplesOf({ all: rows }) } })
    const found = new Map<unknown, unknown>()
    for await (const row of trial.outputs.examples.objects('all')) found.set(row['text'], row['number'])
    expect([...found.keys()]).toEqual(order.map(String))
    return found
  }
  const order = Array.from({ length: 50 }, (_, index) => index)
  const one = await numbers(1, order)
  expect(new Set(one.values()).size).toBeGreaterThan(40)
  const many = await numbers(7, order.toReversed())
  expect([...many].reverse()).toEqual([...one])
})

it('a group ends by its content: a row more changes the groups beside it alone', async () => {
  let groups: number[] = []
  const batches = mapBatches({
    name: 'batches',
    rows: 8,
    features: { text: 'bytes' },
    run: ({ items }) => {
      groups.push(items.length)
      return items.map((item) => ({ text: String(item['text']) }))
    },
  })
  const rows = Array.from({ length: 1000 }, (_, index) => ({ text: `row ${index}` }))
  await using first = await runStep(batches, { inputs: { examples: await examplesOf({ all: rows }) } })
  expect(groups.length).toBeGreaterThan(60)
  expect(Math.max(...groups)).toBeLessThanOrEqual(32)
  groups = []
  const more = [...rows.slice(0, 500), { text: 'one more' }, ...rows.slice(500)]
  await using second = await runStep(batches, {
    inputs: { examples: await examplesOf({ all: more }) },
    previous: first.outputs,
  })
  expect(groups.length).toBeLessThanOrEqual(2)
  expect(second.outputs.examples.rows('all')).toBe(1001)
})
