import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ExampleBatch } from '../../src/formats/batch.ts'
import { batchOf, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'

const tfx = fileURLToPath(new URL('../../../../../shared/tfx/csv_example_gen', import.meta.url))
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zenml-examples-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('gives back the rows that were written, with features that some rows do not have', async () => {
  const writer = await createExamplesWriter(directory)
  await writer.write('train', batchOf([{ a: 1, b: 'x', c: 0.5 }, { a: [1, -2, 2n ** 63n - 1n], c: [] }]))
  await writer.write('train', batchOf([{ d: ['p', 'q'], a: null }], { a: 'int' }))
  await writer.write('eval', batchOf([{ b: 'é' }]))
  await writer.finish()
  const reader = await openExamples(directory)
  expect(reader.splits).toEqual(['eval', 'train'])
  expect(await Array.fromAsync?.(reader.objects('train')) ?? await all(reader.objects('train'))).toEqual([
    { a: 1, b: 'x', c: 0.5, d: null },
    { a: [1, -2, 2n ** 63n - 1n], b: null, c: null, d: null },
    { a: null, b: null, c: null, d: ['p', 'q'] },
  ])
})

it.skipIf(!existsSync(tfx))('reads what TensorFlow Extended wrote (skipped where the shared samples are absent)', async () => {
  const reader = await openExamples(tfx)
  expect(reader.rows('train')).toBe(9909)
  let rows = 0
  for await (const batch of reader.read('train')) rows += batch.length
  expect(rows).toBe(9909)
  for await (const row of reader.objects('train')) { console.log(row, reader.features); break }
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
