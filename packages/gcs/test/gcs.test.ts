import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { GcsDatasource, ObjectConnector } from 'zenml/sources'
import { completeDatasource, type GcsOptions } from '../../zenml/src/model/datasource-spec.ts'
import { fetchObjects } from '../../zenml/src/sources/fetch-objects.ts'
import { sourceTools } from '../../zenml/src/sources/source-package.ts'
import { connector } from '../src/index.ts'
import { JsonApiDouble } from './json-api-double.ts'

let double: JsonApiDouble
let root: string
let directory: string
let credentials: string
beforeEach(async () => {
  double = await JsonApiDouble.start()
  root = mkdtempSync(join(tmpdir(), 'zenml-gcs-'))
  directory = join(root, 'staged')
  mkdirSync(directory)
  credentials = double.writeCredentials(join(root, 'credentials'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await double[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

interface More {
  readonly known?: string
  readonly patience?: number
  readonly signal?: AbortSignal
  readonly environment?: { readonly [name: string]: string }
}

async function fetched(given: Partial<GcsOptions> = {}, more: More = {}) {
  const { known, patience, signal, environment = { GOOGLE_APPLICATION_CREDENTIALS: credentials } } = more
  const spec = completeDatasource({ type: 'gcs', uri: 'gs://shop/p/', format: 'csv', endpoint: double.url, ...given })
  const gcs = connector(sourceTools, { longestPause: 0.01 }) as ObjectConnector
  const places = { root: directory, dataRoots: [] }
  rmSync(directory, { recursive: true })
  mkdirSync(directory)
  return await fetchObjects(
    gcs,
    { spec: spec as GcsDatasource, known, directory, environment, places, signal },
    patience,
  )
}

const failed = async (given?: Partial<GcsOptions>, more?: More) => await fetched(given, more).catch((error) => error)

const staged = (name: string): string => readFileSync(join(directory, name), 'utf8')

describe('objects of Cloud Storage', () => {
  test('are listed page by page, and fetched in the generation that was listed', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `x y/ü+${index}%2F?#.csv`)
    for (const name of names) double.put('shop', `p/${name}`, name)
    double.put('shop', 'q/a.csv', 'no')
    double.pageLimit = 3
    expect(await fetched()).toMatchObject({ kind: 'fetched', version: expect.stringMatching(/^7 objects, /) })
    expect(readdirSync(join(directory, 'x y'))).toHaveLength(7)
    for (const name of names) expect(staged(name)).toBe(name)
    expect(double.asked.filter((line) => line.includes('/o?'))).toHaveLength(3)
    for (const line of double.asked.filter((one) => one.includes('alt=media'))) expect(line).toMatch(/generation=\d+/)
  })

  test('are not fetched again until one has another generation', async () => {
    for (const name of ['a', 'b']) double.put('shop', `p/${name}.csv`, name)
    const first = (await fetched()) as { version: string }
    const known = first.version
    double.asked.length = 0
    expect(await fetched({}, { known })).toEqual({ kind: 'unchanged' })
    expect(double.read).toEqual([])
    double.put('shop', 'p/b.csv', 'b')
    expect(await fetched({}, { known })).toMatchObject({ kind: 'fetched' })
    expect(double.read).toHaveLength(2)
  })

  test('may be one, which needs no permission to list', async () => {
    double.put('shop', 'p/a.csv', 'first')
    double.faults.push({ of: /\/o\?/, times: 99, status: 403 })
    expect(await fetched({ uri: 'gs://shop/p/a.csv' })).toMatchObject({ kind: 'fetched' })
    expect(staged('a.csv')).toBe('first')
    expect(await failed({ uri: 'gs://shop/p/b.csv' })).toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
  })

  test('are taken as they are stored, also where the service would unpack them', async () => {
    const bytes = gzipSync('id\n1\n')
    double.put('shop', 'p/a.csv', bytes, { contentEncoding: 'gzip' })
    double.put('shop', 'p/b.csv.gz', bytes)
    double.put('shop', 'p/empty.csv', '')
    await fetched()
    expect(readFileSync(join(directory, 'a.csv'))).toEqual(bytes)
    expect(readFileSync(join(directory, 'b.csv.gz'))).toEqual(bytes)
    expect(staged('empty.csv')).toBe('')
  })

  test('of a public bucket need no credentials, and are asked for without any', async () => {
    double.isPublic = true
    double.put('shop', 'p/a.csv', 'a')
    for (const environment of [{}, { GOOGLE_APPLICATION_CREDENTIALS: '/none' }])
      expect(await fetched({ anonymous: true }, { environment })).toMatchObject({ kind: 'fetched' })
    double.isPublic = false
    expect(await failed({ anonymous: true })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('Anonymous caller does not have storage.objects.list access'),
    })
  })

  test('are asked for where the datasource says, whatever STORAGE_EMULATOR_HOST says', async () => {
    double.put('shop', 'p/a.csv', 'a')
    vi.stubEnv('STORAGE_EMULATOR_HOST', 'http://127.0.0.1:1')
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
  })
})

describe('objects of Cloud Storage that do not come', () => {
  test('since they changed after the listing are a change, and never a mixture', async () => {
    for (const name of ['a', 'b', 'c']) double.put('shop', `p/${name}.csv`, name)
    double.beforeMedia = (name) => {
      if (name === 'p/b.csv') double.put('shop', name, 'other')
    }
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_CHANGED',
      message: expect.stringContaining('the object "p/b.csv" is no longer there as it was listed'),
      exitCode: 1,
    })
    double.beforeMedia = (name) => double.delete('shop', name)
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_CHANGED' })
  })

  test('as they were told are damaged', async () => {
    double.put('shop', 'p/a.csv', 'a', { crc32c: 'AAAAAA==' })
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_READ',
      message: expect.stringMatching(/the object "p\/a.csv" came with the crc32c .* instead of AAAAAA==/),
    })
  })

  test('whole are lost', async () => {
    double.put('shop', 'p/a.csv', 'x'.repeat(100_000))
    double.faults.push({ of: /alt=media/, times: 99, status: 'cut' })
    // The client does not tell of a connection that is cut: it is as one on which nothing comes any more.
    expect(await failed({}, { patience: 300 })).toMatchObject({ code: 'ZEN_SOURCE_LOST', exitCode: 1 })
    double.faults.splice(0, 9, { of: /alt=media/, times: 99, status: 503 })
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_LOST', message: expect.stringContaining('fault 503') })
  })

  test('for a moment are asked for again', async () => {
    double.put('shop', 'p/a.csv', 'a')
    double.faults.push({ of: /\/o\?/, times: 2, status: 503 }, { of: /alt=media/, times: 2, status: 429 })
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    double.faults.push({ of: /\/o\?/, times: 99, status: 503 })
    const asked = double.asked.length
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_CONNECT', message: expect.stringContaining('fault 503') })
    expect(double.asked.length - asked).toBe(4)
  })

  test('in time are not waited for', async () => {
    double.put('shop', 'p/a.csv', 'x'.repeat(100_000))
    double.faults.push({ of: /\/o\?/, times: 99, status: 'silent' })
    expect(await failed({}, { patience: 300 })).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    double.faults.splice(0, 9, { of: /alt=media/, times: 99, status: 'silent' })
    expect(await failed({}, { patience: 300 })).toMatchObject({ code: 'ZEN_SOURCE_LOST' })
    double.faults.splice(0, 9, { of: /alt=media/, times: 99, status: 'stall' })
    expect(await failed({}, { patience: 300 })).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('stopped coming'),
    })
    const stop = new AbortController()
    const reading = fetched({}, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 300)
    await expect(reading).rejects.toThrow('enough')
  })

  test('for want of access, of a bucket or of a service say which', async () => {
    double.put('shop', 'p/a.csv', 'a')
    const nobody = double.writeCredentials(join(root, 'nobody'), 'somebody-without-rights')
    expect(await failed({}, { environment: { GOOGLE_APPLICATION_CREDENTIALS: nobody } })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('somebody does not have storage.objects.list access'),
    })
    expect(await failed({ uri: 'gs://none/p/' })).toMatchObject({
      code: 'ZEN_SOURCE_MISSING',
      message: expect.stringContaining('The specified bucket does not exist'),
    })
    expect(await failed({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    double.faults.push({ of: /\/o\?/, times: 1, status: 400 })
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_READ', message: expect.stringContaining('fault 400') })
    expect(await failed({ uri: 'gs://shop/none/' })).toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
  })

  test('for want of credentials say why, and nothing of what their file holds', async () => {
    const given = async (file: string) => await failed({}, { environment: { GOOGLE_APPLICATION_CREDENTIALS: file } })
    expect(await failed({}, { environment: {} })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: 'gs://shop/p/ needs credentials: GOOGLE_APPLICATION_CREDENTIALS is not set.',
    })
    expect(await given(join(root, 'none.json'))).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('there is no such file'),
    })
    for (const text of [
      '{"private_key": "hush-hush" oops',
      'hush-hush',
      '{"type":"hush-hush","private_key":"hush-hush"}',
    ]) {
      writeFileSync(join(root, 'bad.json'), text)
      const error = await given(join(root, 'bad.json'))
      expect(error, text).toMatchObject({ code: 'ZEN_SOURCE_DENIED' })
      expect(`${error.message} ${error.cause}`).not.toContain('hush')
    }
    const other = double.writeCredentials(join(root, 'other'), 'a-subject-that-nobody-knows')
    expect(await given(other)).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('invalid_grant'),
    })
    expect(double.asked).toEqual([])
  })
})
