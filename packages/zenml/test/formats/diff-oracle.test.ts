import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import type { FeatureKind } from '../../src/formats/batch.ts'
import { crc32c, maskedCrc32c } from '../../src/formats/crc32c.ts'
import { type DiffSide, diffExamples } from '../../src/formats/diff-examples.ts'
import { batchOf, type Cell, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import { type FileBlock, pairRecords, type RecordRun } from '../../src/formats/pair-records.ts'
import { readRecordBlocks } from '../../src/formats/tfrecord.ts'
import { countDifference } from './diff-oracle.ts'
import { encodeAll, oracle, recordsOf } from './example-oracle.ts'
import { temporary } from './temporary.ts'

type Row = { readonly [feature: string]: Cell }

const kinds = { id: 'int', x: 'int', text: 'bytes', y: 'float' } as const

async function ours(rows: readonly Row[], shardBytes: number): Promise<DiffSide> {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes })
  await writer.declare('all')
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const used = Object.fromEntries(Object.entries(kinds).filter(([name]) => names.has(name)))
  if (rows.length > 0) await writer.write('all', batchOf(rows, used))
  await writer.finish()
  const folder = join(directory, 'Split-all')
  const digests = readdirSync(folder).map(
    (name) => [`Split-all/${name}`, sha256(readFileSync(join(folder, name)))] as const,
  )
  return { examples: await openExamples(directory), digests: new Map(digests) }
}

/** Rows as another program may write them: every second record has its features the other way round, and so other bytes. */
async function foreign(rows: readonly Row[], used: { readonly [name: string]: FeatureKind }): Promise<DiffSide> {
  const records = recordsOf(encodeAll(batchOf(rows, used))).map((record, index) => {
    if (index % 2 === 0) return record
    const { features } = oracle.decode(record) as unknown as { features: { feature: object } }
    const feature = Object.fromEntries(Object.entries(features.feature).reverse())
    return oracle.encode({ features: { feature } }).finish()
  })
  const directory = temporary()
  mkdirSync(join(directory, 'Split-all'))
  writeFileSync(join(directory, 'Split-all', 'data'), Buffer.concat(records.map(frame)))
  return { examples: await openExamples(directory) }
}

function frame(data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(data.length + 16)
  bytes.writeBigUInt64LE(BigInt(data.length), 0)
  bytes.writeInt32LE(maskedCrc32c(bytes, 0, 8), 8)
  bytes.set(data, 12)
  bytes.writeInt32LE(maskedCrc32c(bytes, 12, 12 + data.length), 12 + data.length)
  return bytes
}

const someRows = fc
  .tuple(fc.constantFrom(1, 40, 300, 2500), fc.constantFrom(2, 50, 100_000))
  .map(([count, distinct]) =>
    Array.from(
      { length: count },
      (_, id): Row => ({ id: id % distinct, x: (id * 7) % 5, y: id % 3 === 0 ? null : id }),
    ),
  )
const edit = fc.record({
  what: fc.constantFrom('change', 'remove', 'insert', 'move', 'repeat', 'scatter', 'shuffle'),
  at: fc.nat(2500),
  count: fc.constantFrom(1, 2, 40, 700),
  to: fc.nat(2500),
})

function edited(
  rows: readonly Row[],
  { what, at, count, to }: typeof edit extends fc.Arbitrary<infer E> ? E : never,
): Row[] {
  const [from, result] = [at % (rows.length + 1), [...rows]]
  const changed = (row: Row): Row => ({ ...row, x: 9, text: `new ${at}` })
  if (what === 'change') return rows.map((row, index) => (index >= from && index < from + count ? changed(row) : row))
  if (what === 'scatter') return rows.map((row, index) => (index % (count + 1) === 0 ? changed(row) : row))
  if (what === 'shuffle') return rows.toSorted((left, right) => hashed(left) - hashed(right))
  if (what === 'insert')
    result.splice(from, 0, ...Array.from({ length: count }, (_, index) => ({ id: 200_000 + index + to, x: 1 })))
  else if (what === 'repeat') result.splice(from, 0, ...rows.slice(0, count))
  else {
    const taken = result.splice(from, count)
    if (what === 'move') result.splice(to % (result.length + 1), 0, ...taken)
  }
  return result
}

function hashed(row: Row): number {
  return crc32c(Buffer.from(JSON.stringify(row)))
}

it('counts what counting all decoded rows counts, whatever was changed, added, removed, moved and repeated', async () => {
  await fc.assert(
    fc.asyncProperty(
      someRows,
      fc.array(edit, { maxLength: 4 }),
      fc.constantFrom(200, 5000, 100_000),
      fc.boolean(),
      async (rows, edits, shardBytes, knowsDigests) => {
        const after = await ours(edits.reduce(edited, rows), shardBytes)
        const before = await ours(rows, shardBytes)
        const given = [before, after].map((side) => (knowsDigests ? side : { examples: side.examples })) as [
          DiffSide,
          DiffSide,
        ]
        for (const key of [undefined, ['x', 'id']]) {
          const hasKey = key === undefined || after.examples.features.has('id')
          if (!hasKey) continue
          const { splits } = await diffExamples(...given, { key })
          expect(splits).toMatchObject(await countDifference(before, after, key))
        }
      },
    ),
    { numRuns: 25 },
  )
})

it('counts what counting all decoded rows counts where one row may be several bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      someRows,
      fc.array(edit, { maxLength: 3 }),
      fc.constantFrom('ours', 'foreign'),
      async (rows, edits, first) => {
        const changed = edits.reduce(edited, rows)
        if (changed.length === 0) return
        const used = { ...kinds }
        const before = first === 'ours' ? await ours(rows, 5000) : await foreign(rows, used)
        const after = await foreign(changed, used)
        for (const key of [undefined, ['id']]) {
          const { splits } = await diffExamples(before, after, { key })
          expect(splits).toMatchObject(await countDifference(before, after, key))
        }
      },
    ),
    { numRuns: 25 },
  )
})

/** How many records of each side `pairRecords` hands on; those of `takeEach` that it does not ask for are not counted. */
async function handedOn(left: readonly Uint8Array[], right: readonly Uint8Array[]): Promise<[number, number]> {
  const counts: [number, number] = [0, 0]
  const waiting = new Map<string, number>()
  const add = (side: 0 | 1, { block, from }: RecordRun): boolean => {
    counts[side]++
    const record = Buffer.from(block.bytes.subarray(block.starts[from], block.ends[from])).toString('latin1')
    const before = waiting.get(record) ?? 0
    waiting.set(record, before + (side === 0 ? 1 : -1))
    return before * (side === 0 ? 1 : -1) < 0
  }
  const stream = async function* (records: readonly Uint8Array[]): AsyncGenerator<FileBlock> {
    const file = join(temporary(), 'data')
    writeFileSync(file, Buffer.concat(records.map(frame)))
    for await (const block of readRecordBlocks(file)) yield { block, file }
  }
  const unpaired = {
    take(side: 0 | 1, run: RecordRun) {
      for (let from = run.from; from < run.to; from++) add(side, { ...run, from })
    },
    *takeEach(side: 0 | 1, run: RecordRun) {
      for (let from = run.from; from < run.to; from++) yield add(side, { ...run, from })
    },
  }
  await pairRecords([stream(left), stream(right)], unpaired, { paired: true })
  return counts
}

const many = Array.from({ length: 30_000 }, (_, id) => Buffer.from(`record ${id} of many, with some text`))

it('hands on only what differs where single records were changed, removed and added all over', async () => {
  const after = many.flatMap((record, id) => {
    if (id % 100 === 7) return [Buffer.from(`changed ${id}`)]
    if (id % 100 === 40) return []
    return id % 100 === 80 ? [record, Buffer.from(`added ${id}`)] : [record]
  })
  expect(await handedOn(many, after)).toEqual([600, 600])
})

it('finds the way back after a long stretch that only one side has', async () => {
  const scattered = many.map((record, id) => (id % 100 === 7 ? Buffer.from(`changed ${id}`) : record))
  for (const length of [100, 1000, 9000]) {
    const stretch = Array.from({ length }, (_, id) => Buffer.from(`added ${id}`))
    const [before, after] = await handedOn(many, [...stretch, ...scattered])
    const [first, second] = await handedOn([...stretch, ...scattered], many)
    // The stretch, as much of the other side as was read beside it, and the changed ones.
    for (const few of [before, second]) expect(few).toBeLessThan(length + 1500)
    for (const more of [after, first]) expect(more).toBeLessThan(2 * length + 1500)
  }
})

it('is not misled by two rows with the same checksum', async () => {
  const rows: Row[] = [2_981_421_005, 3_526_264_043].map((id) => ({ id, text: 'a' }))
  const [first, second] = recordsOf(encodeAll(batchOf(rows)))
  expect([crc32c(first!), first!.length]).toEqual([crc32c(second!), second!.length])
  const same = { id: 1, text: 'a' }
  const before = await ours([same, rows[0]!, same], 1000)
  const after = await ours([same, rows[1]!, same], 1000)
  const { splits } = await diffExamples(before, after)
  expect(splits['all']).toMatchObject({ added: 1, removed: 1, same: 2 })
})

it('names the record whose bytes are damaged on one side', async () => {
  const rows = Array.from({ length: 100 }, (_, id): Row => ({ id, text: `row ${id}` }))
  const before = await ours(rows, 100_000)
  const after = await ours([...rows, { id: 100, text: 'one more' }], 100_000)
  const [file] = after.examples.shards('all')
  const bytes = readFileSync(file!)
  const at = bytes.indexOf('row 57')
  bytes[at] = 0
  writeFileSync(file!, bytes)
  const offset = recordsOf(bytes)
    .slice(0, 57)
    .reduce((sum, { length }) => sum + length + 16, 0)
  await expect(diffExamples(before, after)).rejects.toMatchObject({
    code: 'ZEN_TFRECORD_CORRUPT',
    facts: { file, record: 57, offset },
  })
})
