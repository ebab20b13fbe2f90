import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { batchOf, createExamplesWriter, type ExamplesReader, openExamples } from '../../src/formats/examples.ts'
import { sampleExamples } from '../../src/formats/sample-examples.ts'
import { temporary } from './temporary.ts'

/** Examples in many shards; x counts through both splits. */
async function examples(eval_: number, train: number): Promise<ExamplesReader> {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes: 512 })
  const rows = Array.from({ length: eval_ + train }, (_, x) => ({ x, text: `row ${x}` }))
  await writer.write('eval', batchOf(rows.slice(0, eval_)))
  await writer.write('train', batchOf(rows.slice(eval_)))
  await writer.finish()
  return openExamples(directory)
}

it('takes rows from all splits with the place where each stands', async () => {
  const reader = await examples(300, 700)
  const sample = await sampleExamples(reader, { rows: 200, seed: 7 })
  expect(sample).toHaveLength(200)
  expect(new Set(sample.map(({ split }) => split))).toEqual(new Set(['eval', 'train']))
  for (const { split, row, values } of sample)
    expect(values).toEqual({ x: split === 'eval' ? row : row + 300, text: `row ${values['x']}` })
  const places = sample.map(({ values }) => values['x'] as number)
  expect(places).toEqual([...new Set(places)].sort((left, right) => left - right))
})

it('takes the same rows with the same seed, and every row where it may take as many', async () => {
  const reader = await examples(30, 70)
  const taken = async (seed: number): Promise<unknown[]> =>
    (await sampleExamples(reader, { rows: 10, seed })).map(({ values }) => values['x'])
  expect(await taken(1)).toEqual(await taken(1))
  expect(await taken(2)).not.toEqual(await taken(1))
  expect(await sampleExamples(reader, { rows: 1000 })).toHaveLength(100)
  expect(await sampleExamples(reader, { rows: 1000, split: 'eval' })).toHaveLength(30)
})

it('takes every row about as often as any other', async () => {
  const reader = await examples(5, 5)
  const counts = new Array<number>(10).fill(0)
  for (let seed = 0; seed < 200; seed++)
    for (const { values } of await sampleExamples(reader, { rows: 3, seed })) counts[values['x'] as number]!++
  // 60 expected, standard deviation 6.5; the seeds are fixed, so this passes always or never.
  for (const count of counts) expect(Math.abs(count - 60)).toBeLessThan(26)
})

it('reads only the shards that hold a row of the sample', async () => {
  const reader = await examples(1, 2000)
  const wanted = await sampleExamples(reader, { rows: 1, seed: 3, split: 'train' })
  let first = 0
  for (const [shard, count] of reader.shardRows('train').entries()) {
    if (wanted[0]!.row < first || wanted[0]!.row >= first + count) rmSync(reader.shards('train')[shard]!)
    first += count
  }
  expect(await sampleExamples(reader, { rows: 1, seed: 3, split: 'train' })).toEqual(wanted)
})
