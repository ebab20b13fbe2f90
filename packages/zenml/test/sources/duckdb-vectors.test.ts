import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bytesAt, rowEnd, rowStart } from '../../src/formats/batch.ts'
import { ColumnBuilder } from '../../src/formats/column-builder.ts'
import type { VectorForm } from '../../src/sources/duckdb-columns.ts'
import { RawVectors } from '../../src/sources/duckdb-vectors.ts'

let instance: DuckDBInstance
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
})
afterAll(() => instance.closeSync())

const forms = {
  bytes: ['BLOB', 'bytes'],
  int32: ['INTEGER', 'int'],
  int64: ['BIGINT', 'int'],
  double: ['DOUBLE', 'float'],
} as const

/** Texts around the twelve bytes that lie in a vector itself, and whole numbers around 2^31, 2^32, 2^53 and 2^63. */
const expressions: { readonly [form in VectorForm]: string } = {
  bytes: 'encode(repeat(chr(97 + CAST(i % 26 AS INTEGER)), CAST((i * SEED) % 40 AS INTEGER)))',
  int32: 'CASE i % 4 WHEN 0 THEN -2147483648 WHEN 1 THEN 2147483647 ELSE i * SEED % 1000 END',
  int64:
    'CASE i % 8 WHEN 0 THEN -9223372036854775808 WHEN 1 THEN 9223372036854775807 WHEN 2 THEN 4294967296 WHEN 3 THEN -4294967297 WHEN 4 THEN 9007199254740993 WHEN 5 THEN -1 WHEN 6 THEN 2147483648 ELSE i * SEED END',
  double: "CASE i % 5 WHEN 0 THEN 'NaN'::DOUBLE WHEN 1 THEN '-inf'::DOUBLE WHEN 2 THEN -0.0 ELSE i / 7.0 * SEED END",
}

it('gives the values that the driver gives, null or not, from any row to any other', async () => {
  const vectors = await RawVectors.load()
  const connection = await instance.connect()
  const every = fc.record({
    form: fc.constantFrom(...(Object.keys(forms) as VectorForm[])),
    rows: fc.integer({ min: 1, max: 5000 }),
    seed: fc.integer({ min: 1, max: 1000 }),
    nulls: fc.constantFrom(0, 2, 3, 64),
    cut: fc.nat(2048),
  })
  await fc.assert(
    fc.asyncProperty(every, async ({ form, rows, seed, nulls, cut }) => {
      const [type, kind] = forms[form]
      const value = `CAST(${expressions[form].replaceAll('SEED', String(seed))} AS ${type})`
      const result = await connection.stream(
        `SELECT ${nulls === 0 ? value : `CASE WHEN i % ${nulls} = 0 THEN NULL ELSE ${value} END`} FROM range(${rows}) AS numbers(i)`,
      )
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      ) {
        const count = chunk.rowCount
        const from = Math.min(cut, count - 1)
        const builder = new ColumnBuilder('x', kind, count)
        const column = vectors.column(chunk, 0, form)
        column.addTo(builder, from, count, 0)
        const got = builder.take(count - from)
        const own = chunk.getColumnVector(0)
        for (let row = 0; row < count - from; row++) {
          const expected = own.getItem(from + row) as number | bigint | { bytes: Uint8Array } | null
          const [start, end] = [rowStart(got, row), rowEnd(got, row)]
          expect(end - start).toBe(expected === null ? 0 : 1)
          if (expected === null) continue
          if (got.kind === 'bytes')
            expect(Buffer.from(bytesAt(got, start)).equals((expected as { bytes: Uint8Array }).bytes)).toBe(true)
          else if (got.kind === 'int')
            expect(got.big?.[start] ?? BigInt(got.values[start]!)).toBe(BigInt(expected as number))
          else expect(got.values[start]).toBe(Math.fround(expected as number))
        }
      }
    }),
    { numRuns: 60 },
  )
  connection.closeSync()
})
