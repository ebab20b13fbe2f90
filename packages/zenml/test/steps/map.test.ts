import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runStep, type StepTrial } from '../../src/define/run-step.ts'
import { step } from '../../src/define/step.ts'
import { JsonArtifact } from '../../src/formats/types.ts'
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

it('wherever it fails, and from whatever it started, what it keeps is all that it could take over and all that it made', async () => {
  const word = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`)
  await fc.assert(
    fc.asyncProperty(
      fc.record({ before: fc.nat(8), done: fc.nat(8), left: fc.nat(4), concurrency: fc.integer({ min: 1, max: 4 }) }),
      async ({ before, done, left, concurrency }) => {
        let broken = true
        const called: string[] = []
        const fragile = map({
          name: 'fragile',
          features: { loud: 'bytes' },
          concurrency,
          run: async ({ item }) => {
            const text = String(item['text'])
            called.push(text)
            await new Promise((resolve) => setTimeout(resolve, text.length % 2))
            if (broken && text === 'fails') throw new Error('broken')
            return text.endsWith('1') ? [] : { loud: text }
          },
        })
        const start = texts(...word('known', before))
        const all = texts(
          ...word('known', Math.floor(before / 2)),
          ...word('new', done),
          'fails',
          ...word('left', left),
        )
        await using first = await runStep(fragile, { inputs: { examples: await examplesOf({ all: start, none: [] }) } })
        const examples = await examplesOf({ all, none: [] })
        called.length = 0
        let kept: number | undefined
        const failing = runStep(fragile, {
          inputs: { examples },
          previous: first.outputs,
          onPartial: async (outputs) => {
            const firstCalls = [...called]
            const { items } = outputs as unknown as typeof first.outputs
            kept = Object.values(items.splits).reduce((sum, { rows }) => sum + rows.length, 0)
            broken = false
            called.length = 0
            await using next = await runStep(fragile, { inputs: { examples }, previous: outputs })
            // Nothing that was made is made again, but for what was under way beside the failure.
            expect(kept - before + called.length).toBe(1 + done + left)
            if (concurrency === 1) expect(called).toEqual(['fails', ...word('left', left)])
            expect(called.filter((text) => firstCalls.includes(text))).toEqual(['fails'])
            // What is no longer among the items is kept as well: nobody knows what the next ones are.
            await using again = await runStep(fragile, {
              inputs: { examples: await examplesOf({ all: start }) },
              previous: outputs,
            })
            expect(called.filter((text) => text.startsWith('known'))).toEqual([])
            expect(again.outputs.examples.rows('all')).toBe(first.outputs.examples.rows('all'))
            await using fresh = await runStep(fragile, { inputs: { examples } })
            const bytes = (trial: typeof fresh): string[] => [
              ...trial.outputs.examples.shards('all').map((shard) => readFileSync(shard, 'hex')),
              ...['all', 'none'].map((split) =>
                readFileSync(join(trial.directories.items, `Split-${split}.items`), 'hex'),
              ),
            ]
            expect(bytes(next)).toEqual(bytes(fresh))
          },
        })
        await expect(failing).rejects.toMatchObject({ code: 'ZEN_MAP_ITEM' })
        if (concurrency === 1) expect(kept).toBe(done === 0 ? undefined : before + done)
      },
    ),
    { numRuns: 12 },
  )
})

it('an abort does not wait for a function that does not look at it, and keeps the items before', async () => {
  const abort = new AbortController()
  const slow = map({
    name: 'slow',
    features: { loud: 'bytes' },
    run: async ({ item }) => {
      if (item['text'] === 'c') {
        abort.abort(new Error('enough'))
        await new Promise(() => undefined)
      }
      return { loud: String(item['text']) }
    },
  })
  let rows: number | undefined
  const trial = runStep(slow, {
    inputs: { examples: await examplesOf({ all: texts('a', 'b', 'c', 'd') }) },
    signal: abort.signal,
    onPartial: ({ examples }) => {
      rows = (examples as StepTrial<typeof slow.definition.outputs>['outputs']['examples']).rows('made')
    },
  })
  await expect(trial).rejects.toThrow('enough')
  expect(rows).toBe(2)
})

it('only a step that is incremental keeps partial results', async () => {
  const whole = step({
    name: 'whole',
    outputs: { value: JsonArtifact },
    run: async ({ context }) => {
      await context.partial({ done: 1, unit: 'items' }, () => ({ value: 1 }))
    },
  })
  await expect(runStep(whole, { inputs: {} })).rejects.toMatchObject({ code: 'ZEN_STEP_PARTIAL' })
})

it('a feature that the function does not see makes no item anew, and equal items are made once', async () => {
  const first = await mapped({ all: texts('a', 'b') })
  await using _first = first.trial
  const second = await mapped({ all: [{ text: 'b', index: 7 }, ...texts('c', 'c')] }, first.trial)
  await using _second = second.trial
  expect(second.made).toEqual(['c'])
})

it('an item is made anew where a feature came that it has no value of: the function may tell that from one that is not there', async () => {
  const names = map({
    name: 'names',
    features: { names: 'bytes' },
    run: ({ item }) => ({ names: Object.keys(item).join(' ') }),
  })
  const ran = async (rows: readonly Row[], previous?: StepTrial<typeof names.definition.outputs>) =>
    await runStep(names, {
      inputs: { examples: await examplesOf({ all: rows }) },
      ...(previous === undefined ? {} : { previous: previous.outputs }),
    })
  await using first = await ran([{ text: 'a' }, { text: 'b' }])
  await using second = await ran([{ text: 'a' }, { text: 'b', more: 1 }], first)
  const rows: unknown[] = []
  for await (const row of second.outputs.examples.objects('all')) rows.push(row['names'])
  expect(rows).toEqual(['more text', 'more text'])
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
