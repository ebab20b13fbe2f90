import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import type { FeatureKind } from '../../src/formats/batch.ts'
import { type DiffSide, diffExamples } from '../../src/formats/diff-examples.ts'
import { differenceByKey } from '../../src/formats/diff-rows.ts'
import { batchOf, type Cell, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import { temporary } from './temporary.ts'

type Row = { readonly [feature: string]: Cell }

/** Examples on disk with the digests of their files. */
async function side(
  splits: { readonly [split: string]: readonly Row[] },
  kinds: { readonly [feature: string]: FeatureKind } = {},
  shardBytes = 1024,
): Promise<DiffSide> {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes })
  for (const [split, rows] of Object.entries(splits)) {
    await writer.declare(split)
    if (rows.length > 0) await writer.write(split, batchOf(rows, kinds))
  }
  await writer.finish()
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const digests = new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(directory.length + 1), sha256(readFileSync(path))]
    }),
  )
  return { examples: await openExamples(directory), digests }
}

function numbered(count: number): { id: number; text: string }[] {
  return Array.from({ length: count }, (_, id) => ({ id, text: `row ${id}` }))
}

it('counts rows added, removed and changed by key, and reads only shards that differ', async () => {
  const rows = numbered(5000)
  const edited = rows.filter(({ id }) => id !== 2500).map((row) => (row.id === 2510 ? { ...row, text: 'new' } : row))
  const before = await side({ all: rows })
  const after = await side({ all: [...edited, { id: 5000, text: 'row 5000' }] })
  const { features, splits } = await diffExamples(before, after, { key: ['id'] })
  expect(features).toEqual([])
  expect(splits['all']).toMatchObject({ before: 5000, after: 5000, added: 1, removed: 1, changed: 1, same: 4998 })
  expect(splits['all']!.shardsSkipped).toBeGreaterThan(splits['all']!.shardsRead * 5)
  const byContent = await diffExamples(before, after)
  expect(byContent.splits['all']).toMatchObject({ added: 2, removed: 2, changed: null, same: 4998 })
})

it('does not open a shard that has the same digest on both sides', async () => {
  const before = await side({ all: numbered(2000) })
  const after = await side({ all: numbered(2000) })
  for (const path of before.examples.shards('all')) rmSync(path)
  const { splits } = await diffExamples(before, after)
  expect(splits['all']).toMatchObject({ added: 0, removed: 0, same: 2000, shardsRead: 0 })
  await expect(diffExamples({ examples: before.examples }, after)).rejects.toMatchObject({
    code: 'ZEN_TFRECORD_MISSING',
  })
})

it('names a shard that has fewer rows than its summary says', async () => {
  const before = await side({ all: numbered(2000) })
  const after = await side({ all: numbered(1999) })
  writeFileSync(before.examples.shards('all').at(-1)!, '')
  await expect(diffExamples(before, after)).rejects.toMatchObject({ code: 'ZEN_TFRECORD_CORRUPT' })
})

it('counts duplicates, and takes rows in another order as the same', async () => {
  const before = await side({ all: [{ x: 1 }, { x: 1 }, { x: 1 }, { x: 2 }] })
  const after = await side({ all: [{ x: 2 }, { x: 1 }, { x: 3 }, { x: 1 }] })
  const byContent = await diffExamples(before, after)
  expect(byContent.splits['all']).toMatchObject({ added: 1, removed: 1, same: 3 })
  const byKey = await diffExamples(before, after, { key: ['x'] })
  expect(byKey.splits['all']).toMatchObject({ added: 1, removed: 1, changed: 0, same: 3 })
})

it('compares what both sides have where features came, went or changed their kind', async () => {
  const before = await side({
    all: [
      { id: 1, gone: 'a', kind: 1 },
      { id: 2, gone: 'b', kind: 2 },
    ],
  })
  const after = await side(
    {
      all: [
        { id: 1, come: 1, kind: 1.5 },
        { id: 3, come: 2, kind: 2.5 },
      ],
    },
    { kind: 'float' },
  )
  const { features, splits } = await diffExamples(before, after)
  expect(features).toEqual([
    { feature: 'come', change: 'added', before: null, after: 'int' },
    { feature: 'gone', change: 'removed', before: 'bytes', after: null },
    { feature: 'kind', change: 'kind', before: 'int', after: 'float' },
  ])
  expect(splits['all']).toMatchObject({ added: 1, removed: 1, same: 1 })
})

it('takes no rows as the same where no feature is there on both sides with one kind', async () => {
  const before = await side({
    all: [
      { a: 1, kind: 1 },
      { a: 2, kind: 2 },
    ],
  })
  const after = await side({ all: [{ b: 1, kind: 1.5 }] }, { kind: 'float' })
  const { splits } = await diffExamples(before, after)
  expect(splits['all']).toEqual({
    ...{ before: 2, after: 1, added: 1, removed: 2, changed: null, same: 0 },
    ...{ shardsRead: 0, shardsSkipped: 0 },
  })
})

it('counts by a key that many rows share as by one that few do, without comparing each with each', () => {
  const counted = differenceByKey()
  const rows = 20_000
  for (let row = 0; row < rows; row++) counted.add(0, `a${row}`, `key ${row % 2}`)
  // Of each key half are the same, a quarter are others, and of the first key a quarter are gone.
  const started = performance.now()
  for (let row = 0; row < rows; row += 2) counted.add(1, row % 4 === 0 ? `a${row}` : `b${row}`, 'key 0')
  for (let row = 1; row < rows; row += 4) expect(counted.add(1, `a${row}`, 'key 1')).toBe(true)
  counted.add(1, 'a1', 'key 1')
  expect(counted.counts()).toEqual({ added: 0, removed: rows / 4 - 1, changed: rows / 4 + 1 })
  // Half a minute and more where each is compared with each.
  expect(performance.now() - started).toBeLessThan(5000)
})

it('compares the values of examples that another program wrote', async () => {
  const rows = numbered(100)
  const own = await side({ all: rows })
  const foreign = await side({ all: rows.map((row) => (row.id === 7 ? { ...row, text: 'seven' } : row)) })
  rmSync(join(foreign.examples.directory, 'examples.json'))
  const after = { examples: await openExamples(foreign.examples.directory) }
  expect(after.examples.canonical).toBe(false)
  const { splits } = await diffExamples(own, after, { key: ['id'] })
  expect(splits['all']).toMatchObject({ added: 0, removed: 0, changed: 1, same: 99 })
})

it('counts a split that only one side has as added or removed', async () => {
  const before = await side({ train: numbered(3), old: numbered(2) })
  const after = await side({ train: numbered(3), empty: [], fresh: numbered(4) })
  const { splits } = await diffExamples(before, after, { key: ['id'] })
  expect(splits).toMatchObject({
    empty: { before: 0, after: 0, added: 0, removed: 0 },
    fresh: { added: 4, removed: 0, changed: 0, same: 0 },
    old: { added: 0, removed: 2, changed: 0, same: 0 },
    train: { added: 0, removed: 0, changed: 0, same: 3 },
  })
})

it('refuses a key that is not a feature of both with one kind', async () => {
  const before = await side({ all: [{ id: 1, x: 1 }] })
  const after = await side({ all: [{ id: 'one', y: 1 }] })
  for (const key of [[], ['x'], ['y'], ['id']])
    await expect(diffExamples(before, after, { key })).rejects.toMatchObject({ code: 'ZEN_DIFF_KEY' })
})

it('agrees with counting rows one by one, whatever the rows and shards are', async () => {
  const row = fc.record({ id: fc.integer({ min: 0, max: 20 }), x: fc.integer({ min: 0, max: 2 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 60 }), fc.array(row, { maxLength: 60 }), async (left, right) => {
      const kinds = { id: 'int', x: 'int' } as const
      const all = [{ id: 21, x: 0 }]
      const [before, after] = [
        await side({ all: [...left, ...all] }, kinds, 64),
        await side({ all: [...right, ...all] }, kinds, 64),
      ]
      const rest = [...right]
      const removed = left.filter(({ id, x }) => {
        const at = rest.findIndex((other) => other.id === id && other.x === x)
        if (at >= 0) rest.splice(at, 1)
        return at < 0
      })
      const byContent = await diffExamples(before, after)
      expect(byContent.splits['all']).toMatchObject({ added: rest.length, removed: removed.length })
      let changed = 0
      for (const { id } of removed) {
        const at = rest.findIndex((other) => other.id === id)
        if (at < 0) continue
        rest.splice(at, 1)
        changed++
      }
      const byKey = await diffExamples(before, after, { key: ['id'] })
      expect(byKey.splits['all']).toMatchObject({ added: rest.length, changed, removed: removed.length - changed })
    }),
    { numRuns: 40 },
  )
})
