import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import { maskedCrc32c } from '../../src/formats/crc32c.ts'
import { batchOf, type Cell, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import { formatOf } from '../../src/model/datasource-spec.ts'
import type { SourceFile } from '../../src/model/source-files.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

const tfx = fileURLToPath(new URL('../../../../../shared/tfx/csv_example_gen', import.meta.url))

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder with one file of records for each list of rows; their paths. */
async function records(...lists: { readonly [feature: string]: Cell }[][]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-tfrecord-'))
  folders.push(folder)
  const paths: string[] = []
  for (const [index, rows] of lists.entries()) {
    const writer = await createExamplesWriter(join(folder, String(index)))
    await writer.write('all', batchOf(rows))
    await writer.finish()
    paths.push(join(folder, String(index), 'Split-all/data_tfrecord-00000-of-00001'))
  }
  return paths
}

function source(paths: readonly string[], options = {}): { format: string; options: object; files: SourceFile[] } {
  const files = paths.map((path, index) => ({
    name: `part-${index}`,
    inner: `part-${index}`,
    path,
    size: readFileSync(path).length,
  }))
  return { format: 'tfrecord', options, files }
}

// biome-ignore lint/suspicious/noExplicitAny: what a source is, is the step's to check
const trial = (given: any) => runStep(snapshot, { inputs: { source: given } })

it('reads plain and gzip files one after the other, with features that only some have', async () => {
  const [plain, other] = (await records(
    [{ id: 1, tags: ['a', 'b'] }],
    [
      { id: 2, x: 0.5 },
      { id: 2n ** 62n, x: null },
    ],
  )) as [string, string]
  writeFileSync(other, gzipSync(readFileSync(other)))
  await using made = await trial(source([plain, other]))
  const { examples } = made.outputs
  expect([...examples.features]).toEqual([
    ['id', 'int'],
    ['tags', 'bytes'],
    ['x', 'float'],
  ])
  const rows: unknown[] = []
  for await (const row of examples.objects('all')) rows.push(row)
  expect(rows).toEqual([
    { id: 1, tags: ['a', 'b'], x: null },
    { id: 2, tags: null, x: 0.5 },
    { id: 2n ** 62n, tags: null, x: null },
  ])
})

it('makes of the files of a snapshot the same snapshot, byte for byte', async () => {
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `row ${id}`.repeat(10), x: id / 3 }))
  const [path] = await records(rows)
  const folder = join(path!, '../..')
  const paths = readdirSync(join(path!, '..')).sort()
  await using made = await trial(source(paths.map((name) => join(path!, '..', name))))
  const again = made.outputs.examples.directory
  for (const name of ['examples.json', ...paths.map((name) => `Split-all/${name}`)])
    expect(readFileSync(join(again, name)).equals(readFileSync(join(folder, name)))).toBe(true)
})

it.skipIf(!existsSync(tfx))('reads what TensorFlow Extended wrote (skipped where the samples are absent)', async () => {
  const folder = join(tfx, 'Split-train')
  const names = readdirSync(folder).sort()
  expect(names.map(formatOf)).toEqual(names.map(() => 'tfrecord'))
  await using made = await trial(source(names.map((name) => join(folder, name))))
  const foreign = await openExamples(tfx)
  const { examples } = made.outputs
  expect([...examples.features]).toEqual([...foreign.features])
  expect(examples.rows('all')).toBe(foreign.rows('train'))
  const theirs = foreign.objects('train')[Symbol.asyncIterator]()
  for await (const row of examples.objects('all')) expect((await theirs.next()).value).toEqual(row)
})

it('names file and record of what is damaged or of two kinds, by the name that the user knows', async () => {
  const [one, two] = (await records([{ x: 1 }, { x: 2 }], [{ x: 'text' }])) as [string, string]
  await expect(trial(source([one, two]))).rejects.toMatchObject({
    code: 'ZEN_EXAMPLE_KIND',
    message: expect.stringContaining('part-1'),
  })
  const bytes = readFileSync(one)
  bytes[bytes.length - 6]! ^= 1
  writeFileSync(one, bytes)
  await expect(trial(source([one]))).rejects.toMatchObject({
    code: 'ZEN_TFRECORD_CORRUPT',
    message: expect.stringMatching(/^part-0: record 1 /),
  })
})

it('is told by the names that such files have', () => {
  for (const name of ['a.tfrecord', 'a.tfrecords', 'a.tfrecord.gz', 'a.tfrecord-00000-of-00002', 'tfrecord-0-of-1.gz'])
    expect([name, formatOf(name)]).toEqual([name, 'tfrecord'])
  for (const name of ['tfrecord', 'a.tfrecord.txt', 'tfrecord.csv']) expect(formatOf(name)).not.toBe('tfrecord')
})

/** A file of TFRecord with these records, packed with gzip where told. */
function fileOf(recordsOf: readonly Uint8Array[], packed = false): string {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-tfrecord-'))
  folders.push(folder)
  const frames = recordsOf.map((record) => {
    const frame = Buffer.alloc(record.length + 16)
    frame.writeUInt32LE(record.length, 0)
    frame.writeInt32LE(maskedCrc32c(frame, 0, 8), 8)
    frame.set(record, 12)
    frame.writeInt32LE(maskedCrc32c(frame, 12, 12 + record.length), 12 + record.length)
    return frame
  })
  const path = join(folder, 'data')
  const bytes = Buffer.concat(frames)
  writeFileSync(path, packed ? gzipSync(bytes) : bytes)
  return path
}

it('refuses a SequenceExample, whose lists it would lose, with file and record', async () => {
  // context { } and feature_lists { feature_list { key: "a" value { feature { } } } }
  const example = Buffer.from('0a00', 'hex')
  const sequence = Buffer.from('0a0012090a070a016112020a00', 'hex')
  await expect(trial(source([fileOf([example, sequence])]))).rejects.toMatchObject({
    code: 'ZEN_EXAMPLE_CORRUPT',
    message: 'part-0: record 1 is no tf.train.Example: it has feature lists, so it is a tf.train.SequenceExample.',
  })
})

it('a schema spares a read, and then names every feature', async () => {
  const [path] = await records([{ a: 1, b: 'x' }])
  await using made = await trial(source([path!], { schema: { b: 'bytes', a: 'int', c: 'float' } }))
  expect([...made.outputs.examples.features.keys()]).toEqual(['a', 'b', 'c'])
  await expect(trial(source([path!], { schema: { a: 'int' } }))).rejects.toMatchObject({
    code: 'ZEN_SOURCE_SCHEMA',
    message: 'part-0: record 0 has the feature "b", which the schema does not name.',
  })
  await expect(trial(source([path!], { schema: { a: 'float', b: 'bytes' } }))).rejects.toMatchObject({
    code: 'ZEN_EXAMPLE_KIND',
  })
})

it('every cut and every flipped bit of a file is told, plain and packed, and never gives other rows', async () => {
  const [path] = await records([
    { a: 1, b: 'some text' },
    { a: 2, b: 'other' },
  ])
  const plain = readFileSync(path!)
  const lengthOfFirst = plain.readUInt32LE(0) + 16
  const changed = join(path!, '../changed')
  await fc.assert(
    fc.asyncProperty(fc.nat(plain.length - 1), fc.nat(7), fc.boolean(), fc.boolean(), async (at, bit, cut, packed) => {
      let bytes = Buffer.from(plain)
      if (cut) bytes = bytes.subarray(0, at)
      else bytes[at]! ^= 1 << bit
      if (packed && cut) {
        const whole = gzipSync(plain)
        bytes = whole.subarray(0, Math.floor((at * whole.length) / plain.length))
      } else if (packed) bytes = gzipSync(bytes)
      writeFileSync(changed, bytes)
      const work = trial(source([changed]))
      if (bytes.length === 0) await expect(work).rejects.toMatchObject({ code: 'ZEN_SOURCE_EMPTY' })
      else if (cut && !packed && at === lengthOfFirst) await (await work)[Symbol.asyncDispose]()
      else
        await expect(work).rejects.toMatchObject({
          code: 'ZEN_TFRECORD_CORRUPT',
          message: expect.stringMatching(packed && cut ? /^part-0: / : /^part-0: record [01] /),
        })
    }),
    { numRuns: 150 },
  )
})
