import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExampleBatch } from '../../src/formats/batch.ts'
import { createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import type { SourceFiles } from '../../src/model/source-files.ts'
import { findKinds, readSource } from '../../src/sources/read-source.ts'
import { RowQueue } from '../../src/sources/row-queue.ts'
import { sqliteConnector } from '../../src/sources/sqlite.ts'

const rowCount = 40
const text = 'x'.repeat(1 << 20)
const ids = Array.from({ length: rowCount }, (_, id) => id)
let root: string

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'zenml-long-'))
  writeFileSync(join(root, 'rows.csv'), ['id,text', ...ids.map((id) => `${id},${text}`)].join('\n'))
  writeFileSync(join(root, 'rows.jsonl'), ids.map((id) => JSON.stringify({ id, text })).join('\n'))
  const database = new Sqlite(join(root, 'rows.db'))
  database.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)')
  for (const id of ids) database.prepare('INSERT INTO rows VALUES (?, ?)').run(id, text)
  database.close()
  const writer = await createExamplesWriter(join(root, 'examples'))
  for await (const batch of batchesOf('rows.csv', 'csv')) await writer.write('all', batch)
  await writer.finish()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function* batchesOf(path: string, format: string): AsyncGenerator<ExampleBatch> {
  const below = join(root, path)
  const names = statSync(below).isDirectory() ? readdirSync(below).sort() : ['']
  const files = names.map((name) => ({ name, inner: name, path: join(below, name), size: 1 }))
  const source: SourceFiles = { format, options: {}, files }
  yield* readSource(source, await findKinds(source))
}

async function* batchesOfTable(): AsyncGenerator<ExampleBatch> {
  const spec = { type: 'sqlite', path: 'rows.db', table: 'rows' } as const
  await using reading = await sqliteConnector.read({ spec, places: { root, dataRoots: [] }, environment: {} })
  yield* reading.batches
}

test.each([
  ['CSV', () => batchesOf('rows.csv', 'csv')],
  ['JSON Lines', () => batchesOf('rows.jsonl', 'jsonl')],
  ['TFRecord', () => batchesOf('examples/Split-all', 'tfrecord')],
  ['a database', batchesOfTable],
  [
    'a snapshot',
    async function* () {
      yield* (await openExamples(join(root, 'examples'))).read('all')
    },
  ],
])('long rows of %s come in batches of some megabytes, however many rows there are', async (_name, batches) => {
  const lengths: number[] = []
  const found: number[] = []
  for await (const { length, columns } of batches()) {
    lengths.push(length)
    found.push(...(columns.get('id') as { values: Float64Array }).values)
    expect((columns.get('text') as { data: Uint8Array }).data.length).toBe(length << 20)
  }
  expect(Math.max(...lengths)).toBeLessThanOrEqual(20)
  expect(found).toEqual(ids)
})

test('who asks for a number of rows is given that number, however long they are', async () => {
  const lengths: number[] = []
  const examples = await openExamples(join(root, 'examples'))
  for await (const { length } of examples.read('all', { batchSize: 30 })) lengths.push(length)
  expect(lengths).toEqual([30, 10])
})

test('a connection is paused while rows of some megabytes wait, and resumed when they are taken', async () => {
  const calls: string[] = []
  const queue = new RowQueue({ pause: () => calls.push('pause'), resume: () => calls.push('resume') })
  for (const id of [1, 2, 3, 4, 5]) queue.add([String(id), id < 3 ? 'short' : text.repeat(2), null])
  expect(calls).toEqual(['pause', 'pause'])
  queue.end()
  const taken: unknown[] = []
  for await (const rows of queue.taken(new AbortController().signal)) taken.push(...rows.map(([id]) => id))
  expect(taken).toEqual(['1', '2', '3', '4', '5'])
})
