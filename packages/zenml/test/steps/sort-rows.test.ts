import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { compareText } from '../../src/base/canonical.ts'
import { concatBatches } from '../../src/formats/concat-batches.ts'
import { batchOf, type Cell } from '../../src/formats/examples.ts'
import { cellAt } from '../../src/formats/examples-reader.ts'
import { sortedRows } from '../../src/steps/sort-rows.ts'
import { numberAt, wordAt } from '../../src/steps/values.ts'

const scratch = mkdtempSync(join(tmpdir(), 'zenml-sort-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Item {
  readonly [feature: string]: Cell
  readonly group: string
  readonly place: number
  readonly id: number
}
const kinds = { group: 'bytes', place: 'float', id: 'int', more: 'int' } as const
const item = fc.record({
  group: fc.constantFrom('', 'a', 'b', 'ab', '😀', '\uffff'),
  place: fc.constantFrom(-1, 0, 0.5, 2, Number.POSITIVE_INFINITY),
  id: fc.integer(),
  more: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 3 }),
})

async function sorted(items: readonly Item[], batchSize: number, runBytes: number): Promise<unknown[]> {
  async function* batches() {
    for (let from = 0; from < items.length; from += batchSize) yield batchOf(items.slice(from, from + batchSize), kinds)
  }
  const found: unknown[] = []
  const rows = sortedRows(
    batches(),
    ({ columns, length }) => ({
      groups: Array.from({ length }, (_, row) => wordAt(columns.get('group'), row)!),
      places: Float64Array.from({ length }, (_, row) => numberAt(columns.get('place'), row)!),
    }),
    { scratch, runBytes },
  )
  for await (const some of rows)
    for (const { batch, row, group, place } of some)
      found.push({
        group,
        place,
        id: cellAt(batch.columns.get('id')!, row),
        more: cellAt(batch.columns.get('more')!, row),
      })
  return found
}

it('rows come by group, place and arrival, whatever fits into memory and however they are batched', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { maxLength: 120 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(1, 300, 2000, 1e6),
      async (items, batchSize, runBytes) => {
        const expected = items
          .map((given, at) => ({ ...given, at }))
          .sort((a, b) => compareText(a.group, b.group) || (a.place === b.place ? 0 : a.place - b.place) || a.at - b.at)
          .map(({ group, place, id, more }) => {
            const exact = more.map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
            return { group, place, id, more: exact.length === 0 ? null : exact.length === 1 ? exact[0] : exact }
          })
        expect(await sorted(items, batchSize, runBytes)).toEqual(expected)
        expect(readdirSync(scratch)).toEqual([])
      },
    ),
    { numRuns: 40 },
  )
}, 60_000)

it('more runs than are merged at once are merged in stages, and equal keys keep their order', async () => {
  const items = Array.from({ length: 100 }, (_, id) => ({ group: 'g', place: id % 3, id, more: [] }))
  const ids = (await sorted(items, 1, 1)).map((found) => (found as Item).id)
  expect(ids).toEqual([0, 1, 2].flatMap((rest) => items.filter(({ id }) => id % 3 === rest).map(({ id }) => id)))
}, 60_000)

it('batches that do not fit together are refused', () => {
  expect(() => concatBatches([batchOf([{ x: 1 }]), batchOf([{ y: 1 }])])).toThrow('no feature "x"')
  expect(() => concatBatches([batchOf([{ x: 1 }]), batchOf([{ x: 'a' }])])).toThrow('not of one kind')
})
