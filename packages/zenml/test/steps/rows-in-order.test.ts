import fc from 'fast-check'
import { expect, it } from 'vitest'
import { batchOf, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import { RowsInOrder } from '../../src/steps/rows-in-order.ts'
import { temporary } from '../formats/temporary.ts'

it('gives the rows of any ranges in any order, whatever it may hold', async () => {
  const directory = temporary()
  const writer = await createExamplesWriter(directory, { shardBytes: 50_000 })
  await writer.write('all', batchOf(Array.from({ length: 20_000 }, (_, n) => ({ n, text: `row ${n}` }))))
  await writer.finish()
  const examples = await openExamples(directory)
  const range = fc
    .tuple(fc.nat(19_999), fc.nat(6000))
    .map(([start, length]) => [start, Math.min(20_000, start + length)])
  await fc.assert(
    fc.asyncProperty(fc.array(range, { maxLength: 6 }), fc.constantFrom(0, 100_000, 1 << 26), async (ranges, held) => {
      const rows = new RowsInOrder(examples, 'all', held)
      try {
        for (const [start, end] of ranges as [number, number][]) {
          const got: number[] = []
          for await (const batch of rows.read(start, end)) {
            const column = batch.columns.get('n')!
            if (column.kind !== 'int') throw new Error('n is of another kind')
            expect(column.values).toHaveLength(batch.length)
            got.push(...column.values)
          }
          expect(got).toEqual(Array.from({ length: end - start }, (_, index) => start + index))
        }
      } finally {
        await rows.close()
      }
    }),
    { numRuns: 30 },
  )
  await expect(new RowsInOrder(examples, 'all').read(20_000, 20_001).next()).rejects.toThrow('ends before row 20000')
})
