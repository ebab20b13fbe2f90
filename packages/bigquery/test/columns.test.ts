import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BigQueryDatasource } from 'zenml/sources'
import { sourceTools } from '../../zenml/src/sources/source-package.ts'
import { columnsOf, quotedName } from '../src/columns.ts'

const spec: BigQueryDatasource = { type: 'bigquery', project: 'p', table: 'd.t' }
const convert = (type: string, mode?: string) =>
  columnsOf([{ name: 'x', type, ...(mode === undefined ? {} : { mode }) }], spec, sourceTools)[0]!.convert

test('every whole number of 64 bits is read exactly, and none beyond them is taken for another', () => {
  const read = convert('INTEGER')
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      expect(BigInt(read(String(value)) as number)).toBe(value)
    }),
  )
  expect(read('1e3')).toBeUndefined()
  expect(read('')).toBeUndefined()
  expect(read('12345678901234567890')).toBeUndefined()
})

test('every double is read as itself', () => {
  const read = convert('FLOAT64')
  fc.assert(
    fc.property(fc.double(), (value) => {
      const text = Object.is(value, -0) ? '-0' : String(value)
      expect(read(text)).toBe(value)
      expect(read(text.toUpperCase())).toBe(value)
    }),
  )
  for (const wrong of ['', ' 1', '0x10', '1e', '.', 'null']) expect(read(wrong), wrong).toBeUndefined()
})

test('bytes are read from base64, alone and in lists', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (values) => {
      const sent = values.map((value) => ({ v: Buffer.from(value).toString('base64') }))
      const read = convert('BYTES', 'REPEATED')(sent) as Uint8Array[]
      expect(read.map((value) => [...value])).toEqual(values.map((value) => [...value]))
    }),
  )
  expect(convert('BYTES')('abc')).toBeUndefined()
})

test('no name ends its own quotes', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const inner = quotedName(name).slice(1, -1)
      expect(inner.replace(/\\[\\`]/g, '')).not.toMatch(/[\\`]/)
      expect(inner.replace(/\\([\\`])/g, '$1')).toBe(name)
    }),
  )
})
