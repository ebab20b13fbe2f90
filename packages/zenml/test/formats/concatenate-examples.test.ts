import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { concatenateExamples } from '../../src/formats/concatenate-examples.ts'
import { batchOf, createExamplesWriter, type ExamplesReader, openExamples } from '../../src/formats/examples.ts'
import { all, temporary } from './temporary.ts'

async function written(splits: { readonly [split: string]: readonly number[] }): Promise<ExamplesReader> {
  const directory = temporary()
  // Small shards: each split has several.
  const writer = await createExamplesWriter(directory, { shardBytes: 64 })
  for (const [split, numbers] of Object.entries(splits))
    await writer.write(
      split,
      batchOf(
        numbers.map((n) => ({ n })),
        { n: 'int' },
      ),
    )
  await writer.finish()
  return await openExamples(directory)
}

it('splits of several examples become one, in order, and only what is to be moved is taken away', async () => {
  const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at)
  const first = await written({ a: numbers(0, 40), b: numbers(40, 1), none: [] })
  const second = await written({ made: numbers(41, 30) })
  expect(first.shards('a').length).toBeGreaterThan(1)
  const before = first.shards('a').map((path) => readFileSync(path, 'hex'))
  const directory = join(temporary(), 'joined')
  const parts = [
    ...['a', 'none', 'b'].map((split) => ({ examples: first, split })),
    { examples: second, split: 'made', move: true },
  ]
  await concatenateExamples(directory, 'all', parts, { n: 'int' })
  const joined = await openExamples(directory)
  expect(joined.splits).toEqual(['all'])
  expect(joined.rows('all')).toBe(71)
  const rows: unknown[] = []
  for (const row of await all(joined.objects('all'))) rows.push(row['n'])
  expect(rows).toEqual(numbers(0, 71).map((n) => expect.toSatisfy((value) => Number(value) === n)))
  expect(first.shards('a').map((path) => readFileSync(path, 'hex'))).toEqual(before)
  expect(() => readFileSync(second.shards('made')[0]!)).toThrow('ENOENT')
})
