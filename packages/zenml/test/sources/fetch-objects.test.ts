import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { completeDatasource, type FileDatasource, type GcsDatasource } from '../../src/model/datasource-spec.ts'
import type { ObjectChecksum, ObjectConnector, ObjectStore, StoredObject } from '../../src/sources/connector.ts'
import { fetchObjects } from '../../src/sources/fetch-objects.ts'
import { type ResolvedSource, resolveSource } from '../../src/sources/resolve-source.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-objects-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

type Contents = { readonly [name: string]: string }

/** A store in memory; what a test gives takes the place of its own. */
function storeOf(contents: Contents, more: Partial<ObjectStore> & { pageSize?: number } = {}) {
  const { pageSize = 2, ...own } = more
  const read: string[] = []
  const told = (name: string): StoredObject => ({
    name,
    size: Buffer.byteLength(contents[name]!),
    version: createHash('md5').update(contents[name]!).digest('hex'),
  })
  const store: ObjectStore = {
    find: async (name) => (Object.hasOwn(contents, name) ? told(name) : undefined),
    async *list(prefix) {
      // Not in order: nobody may rely on it.
      const names = Object.keys(contents).filter((name) => name.startsWith(prefix))
      for (let at = 0; at < names.length; at += pageSize) yield names.slice(at, at + pageSize).map(told)
    },
    async read({ name }) {
      read.push(name)
      return { body: Readable.from([Buffer.from(contents[name]!)]), checksum: undefined }
    },
    async [Symbol.asyncDispose]() {},
    ...own,
  }
  return { read, connector: { kind: 'objects', open: async () => store } as ObjectConnector<GcsDatasource> }
}

interface More {
  readonly known?: string
  readonly signal?: AbortSignal
  readonly patience?: number
}

async function fetched(
  { connector }: { readonly connector: ObjectConnector<GcsDatasource> },
  given: Partial<GcsDatasource>,
  { known, signal, patience }: More = {},
) {
  const spec = completeDatasource({ type: 'gcs', uri: 'gs://bkt/', format: 'csv', ...given }) as GcsDatasource
  const places = { root: directory, dataRoots: [] }
  const options = { spec, known, directory, environment: {}, places, signal }
  return await fetchObjects(connector as ObjectConnector, options, patience)
}

const failed = async (...args: Parameters<typeof fetched>) => await fetched(...args).catch((error) => error)

function files(below: string = directory): string[] {
  return readdirSync(below, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(below, join(entry.parentPath, entry.name)))
    .sort()
}

describe('objects of a store', () => {
  test('are the files that the same names in a folder would be', async () => {
    const part = fc.constantFrom(
      'a',
      'b',
      'c.csv',
      'd.csv.gz',
      'e.txt',
      '.f.csv',
      'node_modules',
      'ü.csv',
      '𝒶.csv',
      '\uff5e.csv',
    )
    const names = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 3 }), {
      selector: (one) => one.join('/'),
      maxLength: 8,
    })
    const paths = fc.constantFrom(
      '',
      'a/',
      'a/b/',
      '*.csv',
      '**/*.csv',
      'a/**',
      '**',
      'a/*/?.csv',
      '{a,b}/*.csv*',
      'a/c.csv',
    )
    await fc.assert(
      fc.asyncProperty(names, paths, async (drawn, path) => {
        const all = drawn.map((parts) => parts.join('/'))
        fc.pre(!all.some((one) => all.some((other) => other.startsWith(`${one}/`))))
        // In a folder, what is a file or a folder is not decided by the slash at the end of the path.
        fc.pre(!all.some((one) => `${path}/`.startsWith(`${one}//`) || one.startsWith(`${path}/`)))
        const base = mkdtempSync(join(directory, 'x-'))
        const local = join(base, 'local')
        const staged = join(base, 'staged')
        mkdirSync(staged, { recursive: true })
        for (const name of all) {
          mkdirSync(join(local, dirname(name)), { recursive: true })
          writeFileSync(join(local, name), name)
        }
        const spec = { type: 'file', path: `local/${path}`, format: 'csv', options: {} } as FileDatasource
        const expected: ResolvedSource | string = await resolveSource(spec, { root: base, dataRoots: [] }).catch(
          ({ code }) => code,
        )
        const store = storeOf(Object.fromEntries(all.map((name) => [name, name])))
        const options = { known: undefined, directory: staged, environment: {}, places: { root: base, dataRoots: [] } }
        const remote = completeDatasource({ type: 'gcs', uri: `gs://bkt/${path}`, format: 'csv' }) as GcsDatasource
        const found = await fetchObjects(store.connector as ObjectConnector, { ...options, spec: remote }).catch(
          ({ code }) => code,
        )
        if (typeof expected === 'string') {
          expect(found).toBe(expected)
          return
        }
        expect(found).toMatchObject({ kind: 'fetched' })
        expect(files(staged)).toEqual(expected.files.map(({ inner }) => inner).sort())
        for (const { inner, path: from } of expected.files)
          expect(readFileSync(join(staged, inner))).toEqual(readFileSync(from))
      }),
      { numRuns: 150 },
    )
  })

  test('have a version of their names, lengths and states, and are not fetched again at that', async () => {
    const first = { 'p/a.csv': 'x', 'p/b.csv': 'y', 'p/c.csv': 'z', 'q.csv': 'no' }
    const store = storeOf(first)
    const result = await fetched(store, { uri: 'gs://bkt/p/' })
    expect(result).toEqual({
      kind: 'fetched',
      version: expect.stringMatching(/^3 objects, 3 bytes, [0-9a-f]{32}$/),
    })
    const { version } = result as { version: string }
    const again = storeOf(Object.fromEntries(Object.entries({ ...first, 'q.csv': 'other' }).reverse()))
    expect(await fetched(again, { uri: 'gs://bkt/p/' }, { known: version })).toEqual({ kind: 'unchanged' })
    expect(again.read).toEqual([])
    const { 'p/c.csv': _gone, ...fewer } = first
    for (const other of [
      { ...first, 'p/b.csv': 'Y' },
      { ...first, 'p/d.csv': '' },
      fewer,
      { ...fewer, 'p/d.csv': 'z' },
    ]) {
      rmSync(directory, { recursive: true })
      mkdirSync(directory)
      expect(await fetched(storeOf(other), { uri: 'gs://bkt/p/' }, { known: version })).toMatchObject({
        kind: 'fetched',
      })
    }
  })

  test('that nothing matches are missing, and what shows a folder in a browser is none', async () => {
    const store = storeOf({ 'empty/': '', 'empty/notes.md': 'x', 'a/b.csv': 'y' })
    for (const uri of ['gs://bkt/empty/', 'gs://bkt/none/', 'gs://bkt/a', 'gs://bkt/*.csv', 'gs://bkt/empty/b.csv'])
      expect(await failed(store, { uri }), uri).toMatchObject({ code: 'ZEN_SOURCE_MISSING', exitCode: 1 })
    expect(store.read).toEqual([])
  })

  test.each([
    ['a//b.csv', 'empty parts'],
    ['/b.csv', 'empty parts'],
    ['a\\..\\b.csv', 'a backslash'],
    ['a\0.csv', 'a control character'],
    ['a\n.csv', 'a control character'],
    [`${'x'.repeat(300)}.csv`, 'more than 255 bytes'],
    [`${'é'.repeat(127)}.csv`, 'more than 255 bytes'],
    [`${'x/'.repeat(600)}b.csv`, 'too long'],
    ['\ud800.csv', 'control character'],
  ])('with the name %j are refused, and nothing is written', async (name, why) => {
    const store = storeOf({ 'p/ok.csv': 'a', [`p/${name}`]: 'b' })
    const error = await failed(store, { uri: 'gs://bkt/p/**' })
    expect(error).toMatchObject({ code: 'ZEN_SOURCE_NAME', message: expect.stringContaining(why) })
    expect(store.read).toEqual([])
    expect(files()).toEqual([])
  })

  test('that lead out of the folder are hidden files, as everything is that begins with a dot', async () => {
    const store = storeOf({ 'p/ok.csv': 'a', 'p/../up.csv': 'b', 'p/a/../../up.csv': 'b', 'p/./b.csv': 'c' })
    await fetched(store, { uri: 'gs://bkt/p/**' })
    expect(files()).toEqual(['ok.csv'])
    expect(await failed(storeOf({ 'p/.a/x': 'b', 'p/..': 'c' }), { uri: 'gs://bkt/p/..' })).toMatchObject({
      code: 'ZEN_SOURCE_NAME',
    })
  })

  test.each([
    ['A.csv', 'a.csv'],
    ['X/a.csv', 'x/b.csv'],
    ['\u00e9.csv', 'e\u0301.csv'],
  ])('%j and %j are not files beside each other on every machine', async (one, other) => {
    expect(await failed(storeOf({ [one]: 'a', [other]: 'b' }), { uri: 'gs://bkt/' })).toMatchObject({
      code: 'ZEN_SOURCE_NAME',
      message: expect.stringContaining('only in case'),
    })
  })

  test('are refused where one is the folder of another', async () => {
    const store = storeOf({ 'p/a.csv': 'a', 'p/a.csv/b.csv': 'b' })
    expect(await failed(store, { uri: 'gs://bkt/p/' })).toMatchObject({
      code: 'ZEN_SOURCE_NAME',
      message: expect.stringContaining('"a.csv" is an object and a folder'),
    })
  })

  test('beyond the bytes that are allowed together are refused before anything is read', async () => {
    const store = storeOf({ 'a.csv': '123', 'b.csv': '456' })
    expect(await failed(store, { maxBytes: 5 })).toMatchObject({
      code: 'ZEN_SOURCE_LIMIT',
      message: 'gs://bkt/ has 6 bytes, more than 5.',
    })
    expect(store.read).toEqual([])
    expect(await fetched(store, { maxBytes: 6 })).toMatchObject({ kind: 'fetched' })
  })

  test('come with the labels of images, which must be there', async () => {
    const given = { uri: 'gs://bkt/p/', format: 'image', options: { labels: 'labels.csv' } } as const
    await fetched(storeOf({ 'p/1.png': 'a', 'p/labels.csv': 'b', 'p/other.csv': 'c' }), given)
    expect(files()).toEqual(['1.png', 'labels.csv'])
    expect(await failed(storeOf({ 'p/1.png': 'a' }), given)).toMatchObject({
      code: 'ZEN_SOURCE_MISSING',
      message: 'There is no "labels.csv" at gs://bkt/p/.',
    })
    const one = { ...given, uri: 'gs://bkt/p/1.png' } as const
    rmSync(directory, { recursive: true })
    mkdirSync(directory)
    await fetched(storeOf({ 'p/1.png': 'a', 'p/2.png': 'c', 'p/labels.csv': 'b' }), one)
    expect(files()).toEqual(['1.png', 'labels.csv'])
    expect(await failed(storeOf({ 'p/1.png': 'a' }), one)).toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
    const outside = { ...given, options: { labels: '../labels.csv' } }
    expect(await failed(storeOf({ 'p/1.png': 'a' }), outside)).toMatchObject({ code: 'ZEN_SOURCE_OPTIONS' })
  })

  test('are a few at a time', async () => {
    let now = 0
    let most = 0
    const names = Array.from({ length: 50 }, (_, index) => `${index}.csv`)
    const store = storeOf(Object.fromEntries(names.map((name) => [name, name])), {
      async read({ name }) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setTimeout(resolve, 2))
        now--
        return { body: Readable.from([Buffer.from(name)]), checksum: undefined }
      },
    })
    await fetched(store, {})
    expect(files()).toEqual([...names].sort())
    expect(most).toBe(8)
  })
})

describe('an object that does not come as it was told', () => {
  const reading = (bytes: string, checksum?: ObjectChecksum) =>
    storeOf(
      { 'a.csv': '123456789' },
      { read: async () => ({ body: Readable.from([...bytes].map((one) => Buffer.from(one))), checksum }) },
    )

  test('is lost where it is shorter, and damaged where it is longer', async () => {
    expect(await failed(reading('12345678'), {})).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('ended after 8 of 9 bytes'),
    })
    rmSync(join(directory, 'a.csv'))
    expect(await failed(reading('1234567890'), {})).toMatchObject({ code: 'ZEN_SOURCE_READ' })
  })

  test('is damaged where its checksum is another one', async () => {
    const md5 = createHash('md5').update('123456789').digest('base64')
    // The check value of CRC-32C.
    for (const checksum of [
      { algorithm: 'md5', value: md5 },
      { algorithm: 'crc32c', value: Buffer.from('e3069283', 'hex').toString('base64') },
    ] as const) {
      rmSync(join(directory, 'a.csv'), { force: true })
      const good = await failed(reading('123456789', checksum), {})
      expect(good, JSON.stringify(good)).toMatchObject({ kind: 'fetched' })
      rmSync(join(directory, 'a.csv'))
      expect(await failed(reading('12345678X', checksum), {})).toMatchObject({
        code: 'ZEN_SOURCE_READ',
        message: expect.stringContaining(`instead of ${checksum.value}`),
      })
    }
  })

  test('is refused where it was not asked for', async () => {
    const store = storeOf(
      { 'p/a.csv': 'a' },
      {
        async *list() {
          yield [{ name: 'other/a.csv', size: 1, version: '1' }]
        },
      },
    )
    expect(await failed(store, { uri: 'gs://bkt/p/' })).toMatchObject({ code: 'ZEN_SOURCE_READ' })
  })

  test('ends the others at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.csv`)
    const stopped: string[] = []
    const store = storeOf(Object.fromEntries(names.map((name) => [name, 'abc'])), {
      async read({ name }, signal) {
        if (name !== '11.csv') {
          await new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          ).finally(() => stopped.push(name))
        }
        return { body: Readable.from([Buffer.from('ab')]), checksum: undefined }
      },
    })
    expect(await failed(store, {})).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('"11.csv" ended'),
    })
    expect(stopped).toHaveLength(7)
  })
})

describe('a store that is silent', () => {
  const never = (): Promise<never> => new Promise(() => {})

  test('is not waited for: neither for a page, nor for an object, nor in the middle of one', async () => {
    const given = { uri: 'gs://bkt/' }
    const all = { 'a.csv': 'abc' }
    const listing = storeOf(all, {
      // biome-ignore lint/correctness/useYield: it gives nothing
      async *list() {
        await never()
      },
    })
    expect(await failed(listing, given, { patience: 50 })).toMatchObject({
      code: 'ZEN_SOURCE_CONNECT',
      message: expect.stringContaining('it does not answer'),
    })
    expect(await failed(storeOf(all, { find: never }), { uri: 'gs://bkt/a.csv' }, { patience: 50 })).toMatchObject({
      code: 'ZEN_SOURCE_CONNECT',
    })
    expect(await failed(storeOf(all, { read: never }), given, { patience: 50 })).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('it does not answer'),
    })
    async function* half() {
      yield Buffer.from('ab')
      await never()
    }
    const stalls = storeOf(all, { read: async () => ({ body: Readable.from(half()), checksum: undefined }) })
    expect(await failed(stalls, given, { patience: 50 })).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('stopped coming'),
    })
  })

  test('is left where the caller stops', async () => {
    for (const own of [{ read: never }, { find: never }]) {
      const stop = new AbortController()
      const reading = fetched(storeOf({ 'a.csv': 'abc' }, own), { uri: 'gs://bkt/a.csv' }, { signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 20)
      await expect(reading).rejects.toThrow('enough')
    }
  })
})
