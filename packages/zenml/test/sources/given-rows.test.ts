import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { openExamples } from '../../src/formats/examples.ts'
import type { GivenRow, RowsOptions } from '../../src/model/given-rows.ts'
import { writeGivenRows } from '../../src/sources/given-rows.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function write(rows: RowsOptions['rows'], schema?: RowsOptions['schema']) {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-rows-'))
  folders.push(folder)
  await writeGivenRows('people', { rows, ...(schema === undefined ? {} : { schema }) }, join(folder, 'rows'))
  expect(readdirSync(folder)).toEqual(['rows'])
  const examples = await openExamples(join(folder, 'rows'))
  const found: unknown[] = []
  for await (const row of examples.objects('all')) found.push(row)
  return { features: Object.fromEntries(examples.features), rows: found }
}

const refusal = (rows: unknown, schema?: RowsOptions['schema']) => write(rows as RowsOptions['rows'], schema)

it('values of every kind are kept, wherever the widest of a feature stands', async () => {
  const rows: GivenRow[] = Array.from({ length: 3000 }, (_, id) => ({ id, x: id }))
  rows.push({ id: 2n ** 62n, x: 0.5, on: true, at: new Date(1), text: 'é', bytes: Uint8Array.of(255), list: [1, 2.5] })
  const { features, rows: found } = await write(rows)
  expect(features).toEqual({
    ...{ at: 'int', bytes: 'bytes', id: 'int', list: 'float', on: 'int', text: 'bytes', x: 'float' },
  })
  const none = { at: null, bytes: null, list: null, on: null, text: null }
  expect(found[2999]).toEqual({ id: 2999, x: 2999, ...none })
  expect(found[3000]).toEqual({
    ...{ id: 2n ** 62n, x: 0.5, on: 1, at: 1000, text: 'é', bytes: Uint8Array.of(255), list: [1, 2.5] },
  })
})

it('arrays, iterables, async iterables and functions of them give the same', async () => {
  const rows = [{ a: 1 }, { a: null, b: 'x' }, { b: undefined }]
  function* each() {
    yield* rows
  }
  async function* later() {
    for (const row of rows) yield await Promise.resolve(row)
  }
  const wanted = await write(rows)
  expect(wanted.rows).toEqual([
    { a: 1, b: null },
    { a: null, b: 'x' },
    { a: null, b: null },
  ])
  for (const given of [
    each(),
    each,
    later(),
    later,
    async () => rows,
    new Set(rows),
    () => new Map([[0, rows[0]!]]).values(),
  ])
    expect((await write(given as RowsOptions['rows'])).features['a']).toBe(wanted.features['a'])
  for (const given of [each(), each, later(), later, async () => rows, new Set(rows)])
    expect(await write(given)).toEqual(wanted)
})

it('a schema says the kinds of features', async () => {
  expect((await write([{ a: 1, b: 2 }], { a: 'float' })).features).toEqual({ a: 'float', b: 'int' })
  await expect(refusal([{ a: 1.5 }], { a: 'int' })).rejects.toMatchObject({
    code: 'ZEN_SOURCE_VALUE',
    message: 'Datasource "people", row 1, feature "a": 1.5 is no int, as the schema says.',
  })
  await expect(refusal([{ a: 1 }], { b: 'int' })).rejects.toMatchObject({ code: 'ZEN_SOURCE_SCHEMA' })
})

it.each([
  ['a map', [{ a: 1 }, new Map([['a', 2]])], 'row 2: it is a Map, which has no properties of its own'],
  ['a date', [new Date(0)], 'row 1: it is a Date'],
  ['an object in a cell', [{ a: 1 }, { a: { b: 1 } }], 'row 2, feature "a": an object is no value'],
  ['a list in a list', [{ a: [[1]] }], 'row 1, feature "a": a list is no value'],
  ['nothing in a list', [{ a: [null] }], 'row 1, feature "a": null is no value'],
  ['half a letter', [{ a: '\ud800' }], 'row 1, feature "a": '],
  ['more than 64 bits', [{ a: 2n ** 63n }], 'row 1, feature "a": 9223372036854775808 is no value'],
  ['no date', [{ a: new Date('never') }], 'a date that is none'],
  ['texts among numbers', [{ a: 1 }, { a: 'x' }], 'row 2, feature "a": "x" is bytes, but rows above have int'],
  ['a row that is none', [{ a: 1 }, 7], 'row 2: it is 7, and no object of features'],
  ['a row that is a list', [[1]], 'row 1: it is a list'],
])('%s is refused with row and feature', async (_name, rows, message) => {
  await expect(refusal(rows)).rejects.toMatchObject({
    code: 'ZEN_SOURCE_VALUE',
    message: expect.stringContaining(message),
  })
})

it('says so where there are no rows, or the code that gives them fails', async () => {
  await expect(refusal([])).rejects.toMatchObject({ code: 'ZEN_SOURCE_EMPTY' })
  await expect(refusal(7)).rejects.toMatchObject({ code: 'ZEN_SOURCE_VALUE' })
  await expect(refusal('text')).rejects.toMatchObject({ code: 'ZEN_SOURCE_VALUE' })
  function* failing() {
    yield { a: 1 }
    throw new Error('the service is down')
  }
  await expect(refusal(failing)).rejects.toMatchObject({
    code: 'ZEN_SOURCE_READ',
    message: 'The rows of datasource "people" cannot be read: the service is down.',
  })
})

it('what is written is what was given, whatever the values and however the names are', async () => {
  const name = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'é')
  const values: { [kind: string]: fc.Arbitrary<unknown> } = {
    int: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    float: fc.float({ noNaN: true }),
    bytes: fc.string({ unit: 'grapheme' }),
  }
  const cell = (kind: string) =>
    fc.oneof(fc.constant(null), values[kind]!, fc.array(values[kind]!, { minLength: 2, maxLength: 3 }))
  const table = fc
    .dictionary(name, fc.constantFrom('int', 'float', 'bytes'), { minKeys: 1, noNullPrototype: true })
    .chain((kinds) =>
      fc.tuple(
        fc.constant(kinds),
        fc.array(fc.record(Object.fromEntries(Object.entries(kinds).map(([key, kind]) => [key, cell(kind)]))), {
          minLength: 1,
          maxLength: 20,
        }),
      ),
    )
  await fc.assert(
    fc.asyncProperty(table, async ([kinds, rows]) => {
      const found = await write(rows as GivenRow[], kinds as RowsOptions['schema'])
      const plain = (value: unknown): unknown =>
        typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
      expect(found.rows).toEqual(
        rows.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([key, given]) => [key, Array.isArray(given) ? given.map(plain) : plain(given)]),
          ),
        ),
      )
    }),
    { numRuns: 80 },
  )
})
