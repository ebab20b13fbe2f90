import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { ZenmlError } from '../../src/base/errors.ts'
import { valueCount } from '../../src/formats/batch.ts'
import { batchOf, createExamplesWriter, Examples, openExamples, textAt } from '../../src/formats/examples.ts'
import { all, temporary } from './temporary.ts'

const tfx = fileURLToPath(new URL('../../../../../shared/tfx/csv_example_gen', import.meta.url))

/** All files below a directory with their digests. */
function digests(directory: string): { [path: string]: string } {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(paths.map((path) => [path.slice(directory.length + 1), sha256(readFileSync(path))]))
}

function rowsFrom(first: number, count: number): { n: number; text: string; x: number | null }[] {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index
    return { n, text: `row ${n}`, x: n % 3 === 0 ? null : n + 0.5 }
  })
}

it('gives back the rows that were written, with features that some batches and rows do not have', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory)
  await writer.write(
    'train',
    batchOf([
      { a: 1, b: 'x', c: 0.5 },
      { a: [1, -2, 2n ** 63n - 1n], c: [] },
    ]),
  )
  await writer.write('train', batchOf([{ d: ['p', 'q'], a: null }], { a: 'int' }))
  await writer.write('eval', batchOf([{ b: Uint8Array.of(0xff) }, { b: 'é' }]))
  const summary = await writer.finish()
  expect(summary.splits).toEqual({ eval: { rows: 2, shards: [2] }, train: { rows: 3, shards: [3] } })
  const reader = await openExamples(directory)
  expect(reader.splits).toEqual(['eval', 'train'])
  expect([...reader.features]).toEqual([
    ['a', 'int'],
    ['b', 'bytes'],
    ['c', 'float'],
    ['d', 'bytes'],
  ])
  expect(reader.rows('train')).toBe(3)
  expect(await all(reader.objects('train'))).toEqual([
    { a: 1, b: 'x', c: 0.5, d: null },
    { a: [1, -2, 2n ** 63n - 1n], b: null, c: null, d: null },
    { a: null, b: null, c: null, d: ['p', 'q'] },
  ])
  expect(await all(reader.objects('eval', { columns: ['b'] }))).toEqual([{ b: Uint8Array.of(0xff) }, { b: 'é' }])
})

it('writes the files that it has always written', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes: 1000 })
  await writer.write('all', batchOf(rowsFrom(0, 30), { x: 'float' }))
  await writer.finish()
  expect(readFileSync(join(directory, 'examples.json'), 'utf8')).toBe(
    '{"features":{"n":"int","text":"bytes","x":"float"},"format":1,"splits":{"all":{"rows":30,"shards":[18,12]}}}\n',
  )
  expect(digests(directory)).toMatchInlineSnapshot(`
    {
      "Split-all/data_tfrecord-00000-of-00002": "sha256:1ea87f5b9b285c2a71e3390e2292592b25ec4415789cbd412c50acd380859d12",
      "Split-all/data_tfrecord-00001-of-00002": "sha256:b7fc3767ae119ccb9f12bfd8417070cafff190546a0eb1dcadb73dabf4f67ec4",
      "examples.json": "sha256:5c8b294b2ec71a58c9dbd0c0c820e8765677720aa3e7279e83398fecfc8df329",
    }
  `)
})

it('cuts shards by bytes alone, however the rows are cut into batches', async () => {
  const reference = temporary()
  const rows = rowsFrom(0, 400)
  await write(reference, [400])
  const expected = digests(reference)
  expect(Object.keys(expected).length).toBeGreaterThan(8)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 10 }), async (sizes) => {
      const directory = temporary()
      await write(directory, sizes)
      expect(digests(directory)).toEqual(expected)
    }),
    { numRuns: 15 },
  )
  async function write(directory: string, sizes: number[]): Promise<void> {
    const writer = await createExamplesWriter(directory, { shardBytes: 3000 })
    let at = 0
    for (const size of [...sizes, rows.length]) {
      await writer.write('all', batchOf(rows.slice(at, at + size), { n: 'int', x: 'float', text: 'bytes' }))
      at = Math.min(rows.length, at + size)
    }
    await writer.finish()
  }
})

it('keeps all but a few shards where rows are added at the end, deleted, inserted or changed in the middle', async () => {
  const rows = rowsFrom(0, 20_000)
  const shardsOf = async (some: typeof rows): Promise<Map<string, number>> => {
    const directory = temporary()
    const writer = await createExamplesWriter(directory, { shardBytes: 4000 })
    await writer.write('all', batchOf(some, { n: 'int', x: 'float', text: 'bytes' }))
    await writer.finish()
    return new Map(
      Object.entries(digests(directory)).flatMap(([path, digest]) =>
        path === 'examples.json' ? [] : [[digest, statSync(join(directory, path)).size]],
      ),
    )
  }
  const before = await shardsOf(rows)
  const total = [...before.values()].reduce((sum, size) => sum + size, 0)
  // Twice as large after 128 of them, and so on: far fewer than a shard for each 4000 bytes.
  expect(before.size).toBeGreaterThan(128)
  expect(before.size).toBeLessThan((0.8 * total) / 4000)
  expect(Math.max(...before.values())).toBeLessThan(total / 20)
  const changes = {
    appended: [...rows, ...rowsFrom(20_000, 200)],
    deleted: rows.toSpliced(9000, 1),
    inserted: rows.toSpliced(9000, 0, ...rowsFrom(30_000, 1)),
    changed: rows.with(9000, rowsFrom(30_000, 1)[0]!),
    first: rows.slice(1),
  }
  for (const [name, changed] of Object.entries(changes)) {
    const after = await shardsOf(changed)
    const written = [...after].filter(([digest]) => !before.has(digest)).reduce((sum, [, size]) => sum + size, 0)
    expect(written / total, name).toBeLessThan(0.06)
  }
})

it('reads the same rows with any size of batch, across shards', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes: 700 })
  await writer.write('all', batchOf(rowsFrom(0, 100), { x: 'float' }))
  await writer.finish()
  const reader = await openExamples(directory)
  expect(reader.shards('all').length).toBeGreaterThan(5)
  expect(reader.shards('all')[1]).toBe(join(directory, 'Split-all', reader.shards('all')[1]!.split('/').at(-1)!))
  for (const batchSize of [1, 7, 64, 100, 5000]) {
    const batches = await all(reader.read('all', { batchSize }))
    expect(batches.slice(0, -1).every((batch) => batch.length === batchSize)).toBe(true)
    expect(batches.reduce((sum, batch) => sum + batch.length, 0)).toBe(100)
    expect(await all(reader.objects('all', { batchSize }))).toEqual(rowsFrom(0, 100))
  }
})

it('keeps splits without rows, and takes writes to several splits at once', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory)
  await Promise.all([
    writer.declare('test'),
    ...Array.from({ length: 20 }, (_, index) =>
      writer.write(index % 2 === 0 ? 'train' : 'eval', batchOf(rowsFrom(index, 1), { x: 'float' })),
    ),
  ])
  await writer.finish()
  const reader = await openExamples(directory)
  expect(reader.splits).toEqual(['eval', 'test', 'train'])
  expect(await all(reader.objects('test'))).toEqual([])
  expect((await all(reader.objects('train'))).map((row) => row['n'])).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
})

it('refuses a feature that changes its kind, and leaves nothing when it is aborted', async () => {
  const directory = temporary()
  await mkdir(join(directory, 'Split-old'))
  const writer = await createExamplesWriter(directory)
  await writer.write('train', batchOf([{ a: 1 }]))
  await expect(writer.write('eval', batchOf([{ a: 0.5 }]))).rejects.toMatchObject({ code: 'ZEN_EXAMPLES_KIND' })
  await expect(writer.finish()).rejects.toMatchObject({ code: 'ZEN_EXAMPLES_KIND' })
  await writer.abort()
  expect(readdirSync(directory)).toEqual(['Split-old'])
})

it.each(['', '../up', 'a/b', '.hidden', 'x'.repeat(101)])('refuses %j as the name of a split', async (name) => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory)
  await expect(writer.write(name, batchOf([{ a: 1 }]))).rejects.toMatchObject({ code: 'ZEN_EXAMPLES_SPLIT' })
  await writer.abort()
  expect(readdirSync(directory)).toEqual([])
})

it('saves what a step returns, and leaves nothing where its batches fail', async () => {
  const directory = temporary()
  await Examples.materializer.save({ splits: { train: [batchOf([{ a: 1 }])], eval: [] } }, directory)
  const reader = await Examples.materializer.load(directory)
  expect(reader.splits).toEqual(['eval', 'train'])
  const broken = temporary()
  async function* fails(): AsyncGenerator<never, void, undefined> {
    yield await Promise.reject(new Error('the source is gone'))
  }
  await expect(
    Examples.materializer.save({ splits: { train: [batchOf([{ a: 1 }])], eval: fails() } }, broken),
  ).rejects.toThrow('gone')
  expect(readdirSync(broken)).toEqual([])
})

it('names what is there where one asks for a split or a feature that is not', async () => {
  const directory = temporary()
  await Examples.materializer.save({ splits: { train: [batchOf([{ distance: 1 }])] } }, directory)
  const reader = await openExamples(directory)
  expect(() => reader.rows('trian')).toThrow('Did you mean "train"?')
  await expect(all(reader.read('train', { columns: ['distence'] }))).rejects.toThrow('Did you mean "distance"?')
})

it.each<[string, string]>([
  ['no JSON', '{'],
  ['another format', '{"format":2,"features":{},"splits":{}}'],
  ['counts that do not add up', '{"format":1,"features":{},"splits":{"a":{"rows":3,"shards":[1]}}}'],
  ['a split that leads elsewhere', '{"format":1,"features":{},"splits":{"a/../../b":{"rows":1,"shards":[1]}}}'],
])('refuses an examples.json that is %s', async (_, text) => {
  const directory = temporary()
  writeFileSync(join(directory, 'examples.json'), text)
  await expect(openExamples(directory)).rejects.toMatchObject({ code: 'ZEN_EXAMPLES_FORMAT' })
})

it('refuses a directory without examples', async () => {
  await expect(openExamples(temporary())).rejects.toMatchObject({ code: 'ZEN_EXAMPLES_FORMAT' })
})

it('refuses shards that do not hold as many rows as examples.json says', async () => {
  const directory = temporary()
  await Examples.materializer.save({ splits: { train: [batchOf(rowsFrom(0, 5), { x: 'float' })] } }, directory)
  const path = join(directory, 'examples.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"rows":5,"shards":[5]', '"rows":6,"shards":[6]'))
  const reader = await openExamples(directory)
  await expect(all(reader.read('train'))).rejects.toMatchObject({ code: 'ZEN_TFRECORD_CORRUPT' })
})

it('ends in rows or in a ZEN_ error whatever happened to the files', async () => {
  const directory = temporary()
  await Examples.materializer.save({ splits: { all: [batchOf(rowsFrom(0, 20), { x: 'float' })] } }, directory)
  const files = ['examples.json', 'Split-all/data_tfrecord-00000-of-00001'].map((path) => join(directory, path))
  const whole = files.map((path) => readFileSync(path))
  const damage = fc.record({ file: fc.nat(1), at: fc.nat(3000), byte: fc.nat(255), cut: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (edits) => {
      const contents = whole.map((bytes) => Buffer.from(bytes))
      for (const { file, at, byte, cut } of edits) {
        const bytes = contents[file]!
        if (cut) contents[file] = bytes.subarray(0, at % (bytes.length + 1))
        else if (bytes.length > 0) bytes[at % bytes.length] = byte
      }
      for (const [index, path] of files.entries()) writeFileSync(path, contents[index]!)
      try {
        const reader = await openExamples(directory)
        for (const split of reader.splits) await all(reader.objects(split))
      } catch (error) {
        if (!(error instanceof ZenmlError)) throw error
        expect(error.code).toMatch(/^ZEN_(EXAMPLES?|TFRECORD)_/)
      }
    }),
    { numRuns: 200 },
  )
})

it.skipIf(!existsSync(tfx))(
  'reads what TensorFlow Extended wrote (skipped where the shared samples are absent)',
  async () => {
    const reader = await openExamples(tfx)
    expect(reader.splits).toEqual(['train'])
    expect(reader.rows('train')).toBe(9909)
    expect(reader.shards('train').length).toBe(12)
    expect(reader.features.get('company')).toBe('bytes')
    expect(reader.features.get('fare')).toBe('float')
    expect(reader.features.get('trip_start_timestamp')).toBe('int')
    expect(reader.features.size).toBe(18)
    const companies = new Set<string>()
    let missing = 0
    let rows = 0
    for await (const batch of reader.read('train', { columns: ['company', 'pickup_census_tract'] })) {
      rows += batch.length
      const company = batch.columns.get('company')!
      if (company.kind !== 'bytes') throw new Error('company must be bytes')
      for (let value = 0; value < company.ends.length; value++) companies.add(textAt(company, value))
      missing += batch.length - valueCount(batch.columns.get('pickup_census_tract')!)
    }
    expect(rows).toBe(9909)
    expect(companies.has('Dispatch Taxi Affiliation')).toBe(true)
    expect(missing).toBeGreaterThan(0)
    for await (const row of reader.objects('train')) {
      expect(row).toMatchObject({
        company: 'Dispatch Taxi Affiliation',
        dropoff_census_tract: 17031841900,
        pickup_census_tract: null,
        trip_start_timestamp: 1444583700,
      })
      break
    }
  },
)

it.skipIf(!existsSync(tfx))(
  'writes the rows of TensorFlow Extended anew without a change (skipped where the shared samples are absent)',
  async () => {
    const reader = await openExamples(tfx)
    const directory = temporary()
    await Examples.materializer.save({ splits: { train: reader.read('train', { batchSize: 1000 }) } }, directory)
    const copy = await openExamples(directory)
    expect(await all(copy.objects('train'))).toEqual(await all(reader.objects('train')))
  },
)

it('decodes texts as the engine does', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uint8Array()), (value) => {
      const batch = batchOf([{ a: value }], { a: 'bytes' })
      const column = batch.columns.get('a')!
      if (column.kind !== 'bytes') throw new Error('a must be bytes')
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
      expect(textAt(column, 0)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
    }),
  )
})

it('reads from any row on, without the files before it', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes: 2048 })
  await writer.write('train', batchOf(rowsFrom(0, 1000)))
  await writer.finish()
  const reader = await openExamples(directory)
  const every = await all(reader.objects('train'))
  expect(reader.shards('train').length).toBeGreaterThan(5)
  await fc.assert(
    fc.asyncProperty(fc.nat(1010), fc.integer({ min: 1, max: 300 }), async (start, batchSize) => {
      expect(await all(reader.objects('train', { start, batchSize }))).toEqual(every.slice(start))
    }),
    { numRuns: 50 },
  )
  await expect(all(reader.read('train', { start: -1 }))).rejects.toThrow('start must be a whole number from 0')
  // What is not opened may be broken.
  writeFileSync(join(directory, 'Split-train', reader.shards('train')[0]!.split('/').at(-1)!), 'broken')
  expect(await all(reader.objects('train', { start: 900 }))).toEqual(every.slice(900))
})

it('ends a batch of large rows at 16 MiB, but where it is told how many rows one has', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory)
  const large = new Uint8Array(1 << 20)
  for (let row = 0; row < 40; row++) await writer.write('train', batchOf([{ row, large }]))
  await writer.finish()
  const reader = await openExamples(directory)
  const lengths = (await all(reader.read('train'))).map(({ length }) => length)
  expect(lengths).toEqual([16, 16, 8])
  expect((await all(reader.read('train', { batchSize: 30 }))).map(({ length }) => length)).toEqual([30, 10])
  const rows = (await all(reader.objects('train', { columns: ['row'] }))).map(({ row }) => row)
  expect(rows).toEqual(Array.from({ length: 40 }, (_, row) => row))
})
