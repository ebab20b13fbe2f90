import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { runStep } from '../../src/define/run-step.ts'
import { valueFailure } from '../../src/sources/duckdb-failures.ts'
import { findKinds, readSource } from '../../src/sources/read-source.ts'
import { resolveSource } from '../../src/sources/resolve-source.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(files: { readonly [name: string]: string | Uint8Array }): string {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-sources-'))
  folders.push(directory)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

/** The rows of a snapshot of one file, as people see them. */
async function read(content: string | Uint8Array, format: string, options: JsonObject = {}): Promise<unknown[]> {
  const directory = folder({ data: content })
  const files = [{ name: 'data', inner: 'data', path: join(directory, 'data'), size: content.length }]
  await using trial = await runStep(snapshot, { inputs: { source: { format, options, files } } })
  const rows: unknown[] = []
  for await (const row of trial.outputs.examples.objects('all')) rows.push(row)
  return rows
}

async function refusal(work: Promise<unknown>): Promise<ZenmlError> {
  try {
    await work
  } catch (error) {
    if (error instanceof ZenmlError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('CSV', () => {
  it('quotes, doubled quotes and line breaks in quotes, CRLF, and missing values are read', async () => {
    expect(await read('name,n,x\r\n"a, ""b""\r\nc",1,0.5\r\nd,,2\r\n', 'csv')).toEqual([
      { name: 'a, "b"\r\nc', n: 1, x: 0.5 },
      { name: 'd', n: null, x: 2 },
    ])
  })

  it('kinds are the narrowest that hold every value, wherever the widest stands', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `${index},${index},00${index % 7},1`)
    rows[4990] = 'n/a,1.5,007,9223372036854775807'
    const read1 = (await read(`a,b,c,d\n${rows.join('\n')}`, 'csv')) as {
      a: unknown
      b: unknown
      c: unknown
      d: unknown
    }[]
    expect(read1[0]).toEqual({ a: '0', b: 0, c: '000', d: 1 })
    expect(read1[4990]).toEqual({ a: 'n/a', b: 1.5, c: '007', d: 9223372036854775807n })
  })

  it.each([
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffé,b\nü,1\n'), {}],
    ['UTF-16 by its mark', Buffer.from('\ufeffé,b\nü,1\n', 'utf16le'), {}],
    ['Latin-1 as told', Buffer.from('é,b\nü,1\n', 'latin1'), { encoding: 'latin1' }],
    ['gzip by its first bytes', gzipSync('é,b\nü,1\n'), {}],
    ['semicolons, guessed', Buffer.from('é;b\nü;1\n'), {}],
  ])('%s is read', async (_name, bytes, options) => {
    expect(await read(bytes, 'csv', options)).toEqual([{ é: 'ü', b: 1 }])
  })

  it('files without a header, and texts that mean missing', async () => {
    expect(await read('1,NA\n2,x\n', 'csv', { header: false, missing: ['', 'NA'] })).toEqual([
      { column1: 1, column2: null },
      { column1: 2, column2: 'x' },
    ])
  })

  it('quoted empty cells are missing among numbers and empty texts among texts, as programs that quote all write them', async () => {
    expect(await read('"a","b","c"\n"1","x",""\n"","",""\n', 'csv')).toEqual([
      { a: 1, b: 'x', c: '' },
      { a: null, b: '', c: '' },
    ])
  })

  it('names that objects have by themselves are names of columns like others', async () => {
    // More than one window of the reader, so that the kinds are guessed wrong at first.
    const rows = `1,2,${'x'.repeat(1000)}\n`.repeat(3000)
    const found = await read(`constructor,__proto__,valueOf\n${rows}x,1.5,\n`, 'csv')
    expect(found).toHaveLength(3001)
    expect(Object.entries(found.at(-1) as object)).toEqual([
      ['__proto__', 1.5],
      ['constructor', 'x'],
      ['valueOf', null],
    ])
  })

  it('given names stand in for a header that has a name twice, and a byte order mark goes before the encoding', async () => {
    expect(await read('a,a\n1,2\n', 'csv', { columns: ['x', 'y'] })).toEqual([{ x: 1, y: 2 }])
    expect(await read(Buffer.from('\ufeffé\n1\n'), 'csv', { encoding: 'latin1' })).toEqual([{ é: 1 }])
    expect(await read('BZhello\n1\n', 'csv')).toEqual([{ BZhello: 1 }])
  })

  it('a ragged row is named by row, line and counts', async () => {
    const error = await refusal(read('a,b\n1,2\n"x\ny",2\n1,2,3\n', 'csv'))
    expect(error).toMatchObject({ code: 'ZEN_CSV_RAGGED', facts: { row: 3, line: 5, found: 3, expected: 2 } })
  })

  it.each([
    ['a quote that is never closed', 'a,b\n1,"2\n3,4\n', 'ZEN_CSV_QUOTE'],
    ['a name that stands twice', 'a,a\n1,2\n', 'ZEN_CSV_HEADER'],
    ['bytes that are no text', Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a]), 'ZEN_SOURCE_ENCODING'],
    ['no rows', 'a,b\n', 'ZEN_SOURCE_EMPTY'],
  ])('%s is refused', async (_name, content, code) => {
    expect((await refusal(read(content, 'csv'))).code).toBe(code)
  })

  it('cells that lie across the pieces of a large file are whole, however they are cut', async () => {
    const long = `"${'é'.repeat(1000)}\n""${'😀'.repeat(500)}"`
    const rows = Array.from({ length: 1500 }, (_, index) => `${index},${long},${index / 3}`)
    const content = `n,text,x\r\n${rows.join('\r\n')}\r\n`
    for (const bytes of [Buffer.from(content), gzipSync(content), Buffer.from(`\ufeff${content}`, 'utf16le')]) {
      const found = (await read(bytes, 'csv')) as { n: number; text: string; x: number }[]
      expect(found.map(({ n }) => n)).toEqual(rows.map((_, index) => index))
      expect(new Set(found.map(({ text }) => text))).toEqual(new Set([`${'é'.repeat(1000)}\n"${'😀'.repeat(500)}`]))
      expect(found[1499]!.x).toBe(Math.fround(1499 / 3))
    }
  })

  it('files of one datasource may have different columns, and widen the kinds of each other', async () => {
    const directory = folder({ 'a.csv': 'x,y\n1,2\n', 'b.csv': 'y,z\n2.5,q\n,\n' })
    const files = ['a.csv', 'b.csv'].map((name) => ({ name, inner: name, path: join(directory, name), size: 1 }))
    await using trial = await runStep(snapshot, { inputs: { source: { format: 'csv', options: {}, files } } })
    const rows: unknown[] = []
    for await (const row of trial.outputs.examples.objects('all')) rows.push(row)
    expect(rows).toEqual([
      { x: 1, y: 2, z: null },
      { x: null, y: 2.5, z: 'q' },
      { x: null, y: null, z: null },
    ])
  })

  it.each([
    ['a record that never ends', `a,b\n${'x'.repeat(18 << 20)}`, {}, 'ZEN_CSV_RECORD'],
    ['zstd, which is not read', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), {}, 'ZEN_SOURCE_COMPRESSION'],
    ['gzip that is cut off', gzipSync('a,b\n1,2\n'.repeat(1000)).subarray(0, 40), {}, 'ZEN_SOURCE_READ'],
    ['a delimiter beyond ASCII', 'a§b\n', { delimiter: '§' }, 'ZEN_SOURCE_OPTIONS'],
    ['a value that the schema does not allow', 'a,b\n1,2\nx,3\n', { schema: { a: 'int' } }, 'ZEN_SOURCE_VALUE'],
    ['a delimiter that is the quote', 'a,b\n', { delimiter: '"' }, 'ZEN_SOURCE_OPTIONS'],
    ['a given name that stands twice', 'a,b\n', { columns: ['x', 'x'] }, 'ZEN_SOURCE_OPTIONS'],
    ['UTF-16 without a mark', Buffer.from('a,b\n1,2\n', 'utf16le'), {}, 'ZEN_SOURCE_ENCODING'],
    ['a schema for a column that is not there', 'a,b\n1,2\n', { schema: { c: 'int' } }, 'ZEN_SOURCE_SCHEMA'],
  ])('%s is refused with its code', async (_name, content, options, code) => {
    expect((await refusal(read(content, 'csv', options as JsonObject))).code).toBe(code)
  })

  it('any table of texts that is written is read back', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', ';', ' ', '😀'),
      minLength: 1,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), async (table) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
        const text = ['p,q', ...table.map((row) => row.map(quoted).join(','))].join('\n')
        const rows = await read(text, 'csv', { schema: { p: 'bytes', q: 'bytes' } })
        expect(rows).toEqual(table.map(([p, q]) => ({ p, q })))
      }),
      { numRuns: 60 },
    )
  })

  it('200 damaged files each end in rows or in an error with a code', async () => {
    const good = Buffer.from('id,name,x\n1,"a ""b""",0.5\n2,c,\n3,"d\ne",1e3\n')
    const edit = fc.record({
      at: fc.nat({ max: good.length - 1 }),
      bytes: fc.uint8Array({ maxLength: 4 }),
      remove: fc.nat({ max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let bytes: Uint8Array = good
        for (const { at, bytes: inserted, remove } of edits)
          bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + remove)])
        try {
          expect(Array.isArray(await read(bytes, 'csv'))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(ZenmlError)
          expect((error as ZenmlError).code).toMatch(/^ZEN_[A-Z_]+$/)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('JSON', () => {
  it('nested objects are flattened, lists are several values, booleans are 0 and 1', async () => {
    const rows: Json = [
      { a: { b: 1, c: 'x' }, tags: ['p', 'q'], ok: true },
      { a: { b: 2.5, c: null }, tags: [], ok: false },
    ]
    const expected = [
      { 'a.b': 1, 'a.c': 'x', tags: ['p', 'q'], ok: 1 },
      { 'a.b': 2.5, 'a.c': null, tags: null, ok: 0 },
    ]
    expect(await read(JSON.stringify(rows), 'json')).toEqual(expected)
    expect(await read(rows.map((row) => JSON.stringify(row)).join('\n'), 'jsonl')).toEqual(expected)
  })

  it('identifiers beyond 2^53 keep their last digits, and texts and fractions of as many digits stay what they are', async () => {
    const text =
      '{"id": 9007199254740993, "x": 0.1234567890123456, "t": "1234567890123456", "l": [-9223372036854775808]}'
    expect(await read(`[${text}]`, 'json')).toEqual([
      { id: 9007199254740993n, l: -9223372036854775808n, t: '1234567890123456', x: Math.fround(0.1234567890123456) },
    ])
    expect(await read(`${text}\n{"id": 18446744073709551615}`, 'jsonl')).toMatchObject([
      { id: 2 ** 53 },
      { id: 2 ** 64 },
    ])
  })

  it('kinds are the narrowest that hold every value, and features are found, wherever they stand in a large file', async () => {
    const filler = 'x'.repeat(1000)
    const rows: JsonObject[] = Array.from({ length: 4000 }, (_, index) => ({ a: index, b: index, c: null, t: filler }))
    rows[3990] = { a: 1.5, b: 'text', c: 7, t: filler, late: { d: [1, 2] } }
    for (const [text, format] of [
      [rows.map((row) => JSON.stringify(row)).join('\n'), 'jsonl'],
      [JSON.stringify(rows), 'json'],
    ] as const) {
      const got = await read(text, format)
      expect(got).toHaveLength(4000)
      expect(got[0]).toEqual({ a: 0, b: '0', c: null, 'late.d': null, t: filler })
      expect(got[3990]).toEqual({ a: 1.5, b: 'text', c: 7, 'late.d': [1, 2], t: filler })
    }
  })

  it('any rows that are written are read back, in both forms and across the pieces of a file', async () => {
    const value = fc.oneof(
      fc.integer(),
      fc.constant(null),
      fc.array(fc.integer(), { minLength: 2, maxLength: 3 }),
      fc.record({ z: fc.integer() }, { requiredKeys: [] }),
    )
    const row = fc.dictionary(
      fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !name.includes('.')),
      value,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), fc.nat(3), async (rows, pad) => {
        const spaces = ' '.repeat(pad)
        const flat = rows.map((given) =>
          Object.fromEntries(
            Object.entries(given).flatMap(([name, cell]): [string, unknown][] =>
              cell === null || Array.isArray(cell) || typeof cell === 'number'
                ? [[name, cell]]
                : Object.entries(cell).map(([inner, number]) => [`${name}.${inner}`, number]),
            ),
          ),
        )
        const names = new Set(flat.flatMap((given) => Object.keys(given)))
        const expected = flat.map((given) =>
          Object.fromEntries([...names].map((name) => [name, Object.hasOwn(given, name) ? given[name] : null])),
        )
        expect(await read(`[${rows.map((given) => spaces + JSON.stringify(given)).join(',')}]`, 'json')).toEqual(
          expected,
        )
        expect(await read(rows.map((given) => `${spaces}${JSON.stringify(given)}\r\n`).join(''), 'jsonl')).toEqual(
          expected,
        )
      }),
      { numRuns: 50 },
    )
  })

  it('a value that the schema does not allow is told with its file and row, also beyond the beginning of the file', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => `{"a": ${index}, "t": "${'x'.repeat(1000)}"}`)
    rows[2900] = '{"a": "no number"}'
    const error = await refusal(read(rows.join('\n'), 'jsonl', { schema: { a: 'int' } }))
    expect(error.code).toBe('ZEN_SOURCE_VALUE')
    expect(error.message).toContain('row 2901')
  })

  it.each(['json', 'jsonl', 'csv'])(
    'long texts of %s end a batch before it grows over about 16 MiB',
    async (format) => {
      const text = 'y'.repeat(100_000)
      const rows = Array.from({ length: 400 }, (_, index) => ({ n: index, text }))
      const content =
        format === 'json'
          ? JSON.stringify(rows)
          : format === 'jsonl'
            ? rows.map((row) => JSON.stringify(row)).join('\n')
            : `n,text\n${rows.map(({ n }) => `${n},${text}`).join('\n')}`
      const files = [
        { name: 'data', inner: 'data', path: join(folder({ data: content }), 'data'), size: content.length },
      ]
      const source = { format, options: {}, files }
      const lengths: number[] = []
      for await (const { length } of readSource(source, await findKinds(source))) lengths.push(length)
      expect(Math.max(...lengths)).toBeLessThan(180)
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(400)
    },
  )

  it('names that objects have by themselves are names of features like others', async () => {
    const rows = await read('{"__proto__": [1, 2], "constructor": 1}\n{"__proto__": 3}\n', 'jsonl')
    expect(rows.map((row) => Object.entries(row as object))).toEqual([
      [
        ['__proto__', [1, 2]],
        ['constructor', 1],
      ],
      [
        ['__proto__', 3],
        ['constructor', null],
      ],
    ])
  })

  it.each([
    ['a name twice, once with dots', '[{"a.b": 1, "a": {"b": 2}}]'],
    ['no array', '{}'],
    ['cut off', '[{"a": 1}, {"a"'],
    ['a comma too many', '[{"a": 1},]'],
    ['a list in a list', '[{"a": [[1]]}]'],
    ['no object', '[1]'],
  ])('%s is refused by its record', async (_name, text) => {
    expect((await refusal(read(text, 'json'))).code).toBe('ZEN_JSON_RECORD')
  })
})

describe('where sources may be', () => {
  const spec = (path: string) => ({ type: 'file' as const, path, format: 'csv' as const, options: {} })

  it('files, folders and globs are found in the order of their names; the digest is of their content', async () => {
    const root = folder({ 'd/b.csv': 'a\n1', 'd/a.csv': 'a\n2', 'd/e/c.csv': 'a\n3', 'd/readme.md': 'x' })
    const whole = await resolveSource(spec('d'), { root, dataRoots: [] })
    expect(whole.files.map(({ name }) => name)).toEqual(['d/a.csv', 'd/b.csv', 'd/e/c.csv'])
    const some = await resolveSource(spec('d/{a,b}.csv'), { root, dataRoots: [] })
    expect(some.files.map(({ name }) => name)).toEqual(['d/a.csv', 'd/b.csv'])
    const all = await resolveSource(spec('d/**/*.csv'), { root, dataRoots: [] })
    expect(all.digest).toBe(whole.digest)
    const moved = folder({ 'x/1.csv': 'a\n2', 'x/2.csv': 'a\n1', 'x/3.csv': 'a\n3' })
    expect((await resolveSource(spec('x'), { root: moved, dataRoots: [] })).digest).toBe(whole.digest)
    // What is on record goes on to be found.
    expect(whole.digest).toBe('sha256:25658c351c6f90da4242628d9f1d2c91c989e27343c59866a330fae085c9a5c9')
  })

  it('names join the digest where they are data, below the folder of the source', async () => {
    const files = { 'a.txt': 'x', 'b/c.md': 'y' }
    const root = folder(Object.fromEntries(Object.entries(files).map(([name, text]) => [`d/e/${name}`, text])))
    const text = (path: string, base = root) =>
      resolveSource({ ...spec(path), format: 'text' }, { root: base, dataRoots: [] })
    const whole = await text('d/e')
    expect(whole.files.map(({ name, inner }) => [name, inner])).toEqual([
      ['d/e/a.txt', 'a.txt'],
      ['d/e/b/c.md', 'b/c.md'],
    ])
    expect((await text('d/e/**/*.{txt,md}')).digest).toBe(whole.digest)
    expect((await text('.', folder(files))).digest).toBe(whole.digest)
    expect((await text('d')).files[0]!.inner).toBe('e/a.txt')
    expect((await text('d')).digest).not.toBe(whole.digest)
    expect((await text('.', folder({ 'b.txt': 'x', 'b/c.md': 'y' }))).digest).not.toBe(whole.digest)
    expect((await text('d/e/a.txt')).files[0]!.inner).toBe('a.txt')
  })

  it('nothing outside is read, unless its folder is named', async () => {
    const outside = folder({ 'secret.csv': 'a\n1' })
    const root = folder({ 'in.csv': 'a\n1' })
    symlinkSync(join(outside, 'secret.csv'), join(root, 'link.csv'))
    for (const path of [join(outside, 'secret.csv'), 'link.csv', `../${outside.split('/').at(-1)}/secret.csv`]) {
      expect((await refusal(resolveSource(spec(path), { root, dataRoots: [] }))).code).toBe('ZEN_SOURCE_OUTSIDE')
    }
    expect((await resolveSource(spec('link.csv'), { root, dataRoots: [outside] })).files).toHaveLength(1)
  })

  it('a file that is not there suggests the nearest', async () => {
    const root = folder({ 'penguins.csv': 'a\n1' })
    expect((await refusal(resolveSource(spec('pengiuns.csv'), { root, dataRoots: [] }))).message).toContain(
      'penguins.csv',
    )
  })

  it('a file of an installed package is found by its name', async () => {
    const root = fileURLToPath(new URL('../../../..', import.meta.url))
    const found = await resolveSource(
      { ...spec('package:vega-datasets/data/penguins.json'), format: 'json' },
      { root, dataRoots: [] },
    )
    expect(found.files[0]!.size).toBeGreaterThan(10_000)
  })
})

describe('Parquet', () => {
  /** Writes one row of these columns to a file, and gives the snapshot of it. */
  async function parquet(sql: string, name = 'data.parquet'): Promise<{ features: object; rows: unknown[] }> {
    const path = join(folder({ [`${name}.other`]: '' }), name)
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`)
    connection.closeSync()
    instance.closeSync()
    const files = [{ name, inner: name, path, size: 1 }]
    await using trial = await runStep(snapshot, { inputs: { source: { format: 'parquet', options: {}, files } } })
    const rows: unknown[] = []
    for await (const row of trial.outputs.examples.objects('all')) rows.push(row)
    return { features: Object.fromEntries(trial.outputs.examples.features), rows }
  }

  it('texts are the bytes that the file has, with a byte order mark too', async () => {
    const { rows } = await parquet("SELECT chr(65279) || 'a' AS t, [chr(65279), 'é'] AS l")
    expect(rows).toEqual([{ t: '\uFEFFa', l: ['\uFEFF', 'é'] }])
  })

  it('columns have the kinds of their types; missing values, dates and booleans are kept', async () => {
    const { features, rows } = await parquet(
      `SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'é', TRUE, TIMESTAMP '2001-01-01 00:01:00', 9223372036854775807::BIGINT),
        (NULL, NULL, NULL, NULL, NULL, 5)) AS t(i, d, s, b, t, l)`,
    )
    expect(features).toEqual({ b: 'int', d: 'float', i: 'int', l: 'int', s: 'bytes', t: 'int' })
    expect(rows).toEqual([
      { b: 1, d: 2, i: 1, l: 9223372036854775807n, s: 'é', t: 978307260000000 },
      { b: null, d: null, i: null, l: 5, s: null, t: null },
    ])
  })

  it('lists are several values, blobs are bytes, and times with a zone are the same in every zone', async () => {
    const before = process.env['TZ']
    process.env['TZ'] = 'Asia/Tokyo'
    try {
      const { rows } = await parquet(
        `SELECT [1.5, 2.5]::FLOAT[] AS l, ['a', 'b'] AS w, []::INTEGER[] AS e, 'ab'::BLOB AS b, TIMESTAMPTZ '2001-01-01 00:00:00+02' AS t`,
      )
      expect(rows).toEqual([{ b: 'ab', e: null, l: [1.5, 2.5], t: 978300000000000, w: ['a', 'b'] }])
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
    expect((await refusal(parquet('SELECT [1, NULL] AS l'))).code).toBe('ZEN_SOURCE_VALUE')
    expect((await refusal(parquet('SELECT {x: 1} AS s'))).code).toBe('ZEN_PARQUET_TYPE')
  })

  it('texts are the bytes that they are, of an enumeration and of a UUID too, and ints are exact to 64 bits', async () => {
    const texts = ['', '\\x41', 'exactly 12 b', 'of thirteen b', '日本語のテキスト', '😀', 'a\u0000b', "it's"]
    const values = texts.map(
      (text, i) => `(${i}, encode('${text.replace("'", "''").replace('\u0000', "' || chr(0) || '")}'))`,
    )
    const { features, rows } = await parquet(
      `SELECT i, decode(b) AS s, (CASE i % 2 WHEN 0 THEN 'even' ELSE 'odd' END)::ENUM('even', 'odd') AS e,
        '00000000-0000-0000-0000-00000000000a'::UUID AS u,
        [9007199254740991, 9007199254740992, -9007199254740992, -9223372036854775808, -1, 0][i % 6 + 1]::BIGINT AS n
        FROM (VALUES ${values.join(', ')}) AS t(i, b) ORDER BY i`,
    )
    expect(features).toEqual({ e: 'bytes', i: 'int', n: 'int', s: 'bytes', u: 'bytes' })
    const ints = [9007199254740991, 9007199254740992n, -9007199254740992n, -9223372036854775808n, -1, 0]
    expect(rows).toEqual(
      texts.map((s, i) => ({
        e: i % 2 === 0 ? 'even' : 'odd',
        i,
        n: ints[i % 6],
        s,
        u: '00000000-0000-0000-0000-00000000000a',
      })),
    )
  })

  it('an infinite time is refused, and no missing value', async () => {
    for (const time of ["TIMESTAMP 'infinity'", "DATE '-infinity'", "TIMESTAMPTZ 'infinity'"]) {
      const error = await refusal(parquet(`SELECT ${time} AS "it's"`))
      expect(error).toMatchObject({
        code: 'ZEN_SOURCE_VALUE',
        message: `data.parquet: the column "it's" has an infinite date or time, which no feature holds.`,
      })
    }
  })

  it('rows that are too long for the memory of a read are told from a damaged file', () => {
    const said = 'Out of Memory Error: failed to allocate data of size 128.0 MiB (128.1 MiB/244.1 MiB used)'
    expect(valueFailure('a.parquet', said)).toMatchObject({ code: 'ZEN_SOURCE_LIMIT' })
    expect(valueFailure('a.parquet', 'Invalid Input Error: No magic bytes found')).toBeUndefined()
  })

  it('the place of a file says nothing: its name is no pattern, and its folder no column', async () => {
    expect((await parquet('SELECT 7 AS a', 'year=2020/data[1]*?.parquet')).rows).toEqual([{ a: 7 }])
  })

  it('three thousand columns of lists are read: memory is limited by the number of columns too', async () => {
    const columns = Array.from({ length: 3000 }, (_, index) => `[[${index}]][1] AS c${index}`)
    const { rows } = await parquet(`SELECT ${columns.join(', ')}`)
    expect((rows[0] as { readonly [name: string]: unknown })['c2999']).toBe(2999)
  }, 60_000)

  it('a file that is no Parquet is refused', async () => {
    expect((await refusal(read('PAR1 nothing', 'parquet'))).code).toBe('ZEN_SOURCE_READ')
  })
})
