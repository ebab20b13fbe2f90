import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import type { ExampleBatch, FeatureKind } from '../../src/formats/batch.ts'
import {
  batchOf,
  type Cell,
  type CellValue,
  createExamplesWriter,
  type ExamplesReader,
  openExamples,
} from '../../src/formats/examples.ts'
import { digestOfRows } from '../../src/formats/rows-digest.ts'
import { exportParquet } from '../../src/sources/export-parquet.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-export-'))
  folders.push(directory)
  return directory
}

type Row = { readonly [feature: string]: Cell }

async function written(batch: ExampleBatch, split = 'all', shardBytes?: number): Promise<ExamplesReader> {
  const directory = join(folder(), 'examples')
  const writer = await createExamplesWriter(directory, shardBytes === undefined ? {} : { shardBytes })
  await writer.write(split, batch)
  await writer.finish()
  return await openExamples(directory)
}

/** The bytes of all files of a directory, by path. */
function bytesBelow(directory: string): { readonly [path: string]: string } {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(
    paths.map((path) => [path.slice(directory.length), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}

/** A snapshot of exported files, as a datasource gives it. */
async function snapshotOf(directory: string, names: readonly string[]): Promise<{ readonly [path: string]: string }> {
  const files = names.map((name) => ({
    name,
    inner: name,
    path: join(directory, name),
    size: statSync(join(directory, name)).size,
  }))
  await using trial = await runStep(snapshot, { inputs: { source: { format: 'parquet', options: {}, files } } })
  return bytesBelow(trial.outputs.examples.directory)
}

const int = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 2n ** 53n),
)
const float = fc.oneof(
  fc.float(),
  fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** -149),
)
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', '\uFEFFa', "it's", 'é'))
function one<T extends CellValue>(value: fc.Arbitrary<T>): fc.Arbitrary<Cell> {
  return fc.oneof<fc.Arbitrary<Cell>[]>(value, value, fc.constant(null), fc.constant([]))
}
function several<T extends CellValue>(value: fc.Arbitrary<T>): fc.Arbitrary<Cell> {
  return fc.oneof<fc.Arbitrary<Cell>[]>(value, fc.array(value, { maxLength: 5 }), fc.constant(null))
}
const row = fc.record(
  {
    i: one(int),
    is: several(int),
    f: one(float),
    fs: several(float),
    t: one(text.filter((value) => value.isWellFormed())),
    ts: several(text.filter((value) => value.isWellFormed())),
    b: one(fc.uint8Array({ maxLength: 9 })),
    'a "b" \n, c': several(fc.uint8Array({ maxLength: 9 })),
    none: fc.constant(null),
  },
  { requiredKeys: [] },
)
const kinds: { readonly [feature: string]: FeatureKind } = {
  i: 'int',
  is: 'int',
  f: 'float',
  fs: 'float',
  t: 'bytes',
  ts: 'bytes',
  b: 'bytes',
  'a "b" \n, c': 'bytes',
  none: 'bytes',
}

it('a snapshot of the exported files is the snapshot that was exported, bit for bit, whatever it holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 60 }) as fc.Arbitrary<Row[]>,
      fc.constantFrom(1, undefined),
      async (rows, fileBytes) => {
        const examples = await written(batchOf(rows, kinds))
        const target = join(folder(), 'parquet')
        const splits = await exportParquet(examples, target, { fileBytes })
        expect(splits['all']).toMatchObject({ rows: rows.length, digest: await digestOfRows(examples, 'all') })
        expect(await snapshotOf(target, splits['all']!.files)).toEqual(bytesBelow(examples.directory))
      },
    ),
    { numRuns: 12 },
  )
})

it('the digest of rows does not depend on shards and batches, and is that of the bytes of all shards', async () => {
  const rows = Array.from({ length: 3000 }, (_, id): Row => ({ id, text: `row ${id}` }))
  const [few, many] = [await written(batchOf(rows)), await written(batchOf(rows), 'all', 2000)]
  expect(many.shards('all').length).toBeGreaterThan(10)
  const digest = await digestOfRows(many, 'all')
  expect(await digestOfRows(few, 'all')).toBe(digest)
  const bytes = createHash('sha256')
  for (const shard of many.shards('all')) bytes.update(readFileSync(shard))
  expect(digest).toBe(`sha256:${bytes.digest('hex')}`)
  expect(digest).toBe('sha256:8612c9073d313ba8ae0e50ef8086bd6310cf12e289d8e36f1ff5952670ea2be9')
})

it('several files keep the order of the rows, and each says which rows it is part of', async () => {
  const rows = Array.from({ length: 10_000 }, (_, id): Row => ({ id, text: `row ${id}` }))
  const examples = await written(batchOf(rows), 'train')
  const target = join(folder(), 'out', 'parquet')
  const { train } = await exportParquet(examples, target, {
    fileBytes: 100_000,
    metadata: { 'zenml.snapshot': "it's" },
  })
  expect(train!.files).toEqual([0, 1, 2].map((file) => `Split-train/data-0000${file}-of-00003.parquet`))
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const ids = await connection.runAndReadAll(`SELECT id, typeof(id), typeof(text) FROM '${target}/*/*.parquet'`)
  expect(ids.getRows().map(([id]) => Number(id))).toEqual(rows.map(({ id }) => id))
  expect(ids.getRows()[0]).toEqual([0n, 'BIGINT', 'VARCHAR'])
  const facts = await connection.runAndReadAll(
    `SELECT DISTINCT decode(key), decode(value) FROM parquet_kv_metadata('${target}/*/*.parquet') ORDER BY 1`,
  )
  expect(facts.getRows()).toEqual([
    ['zenml.rows', train!.digest],
    ['zenml.snapshot', "it's"],
  ])
  connection.closeSync()
  instance.closeSync()
})

it('refuses what it cannot write, and leaves nothing', async () => {
  const directory = folder()
  const refused = async (features: Row, code: string, target = 'parquet'): Promise<void> => {
    const examples = await written(batchOf([features]))
    await expect(exportParquet(examples, join(directory, target))).rejects.toMatchObject({ code })
  }
  await refused({ a: 1, A: 2 }, 'ZEN_EXPORT_FEATURE')
  await refused({ '': 1 }, 'ZEN_EXPORT_FEATURE')
  await refused({}, 'ZEN_EXPORT_FEATURE')
  expect(readdirSync(directory)).toEqual([])
  mkdirSync(join(directory, 'there'))
  writeFileSync(join(directory, 'there', 'file'), '')
  await refused({ a: 1 }, 'ZEN_EXPORT_TARGET', 'there')
  const examples = await written(batchOf([{ a: 1 }]))
  writeFileSync(examples.shards('all')[0]!, 'damaged')
  await expect(exportParquet(examples, join(directory, 'parquet'))).rejects.toMatchObject({
    code: 'ZEN_TFRECORD_CORRUPT',
  })
  expect(readdirSync(directory)).toEqual(['there'])
})
