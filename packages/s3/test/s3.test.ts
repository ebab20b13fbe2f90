import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ObjectConnector, S3Datasource } from 'zenml/sources'
import { completeDatasource, type S3Options } from '../../zenml/src/model/datasource-spec.ts'
import { fetchObjects } from '../../zenml/src/sources/fetch-objects.ts'
import { sourceTools } from '../../zenml/src/sources/source-package.ts'
import { connector } from '../src/index.ts'
import { RestDouble } from './rest-double.ts'

const keys = { AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'hush-hush' }
let double: RestDouble
let root: string
let directory: string
beforeEach(async () => {
  double = await RestDouble.start()
  root = mkdtempSync(join(tmpdir(), 'zenml-s3-'))
  directory = join(root, 'staged')
  mkdirSync(directory)
  // Nobody's own files.
  vi.stubEnv('HOME', root)
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

async function fetched(given: Partial<S3Options> = {}, more: More = {}) {
  const { known, patience, signal, environment = keys } = more
  const spec = completeDatasource({ type: 's3', uri: 's3://shop/p/', format: 'csv', endpoint: double.url, ...given })
  const places = { root: directory, dataRoots: [] }
  rmSync(directory, { recursive: true })
  mkdirSync(directory)
  const options = { spec: spec as S3Datasource, known, directory, environment, places, signal }
  return await fetchObjects(connector(sourceTools) as ObjectConnector, options, patience)
}

const failed = async (given?: Partial<S3Options>, more?: More) => await fetched(given, more).catch((error) => error)

const staged = (name: string): string => readFileSync(join(directory, name), 'utf8')

describe('objects of S3', () => {
  test('are listed page by page, whatever letters their keys have, and fetched as they were listed', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `x y/ü+${index}%2F?#&<.csv`)
    for (const name of names) double.put('shop', `p/${name}`, name)
    double.put('shop', 'q/a.csv', 'no')
    double.pageLimit = 3
    expect(await fetched()).toMatchObject({ kind: 'fetched', version: expect.stringMatching(/^7 objects, /) })
    expect(readdirSync(join(directory, 'x y'))).toHaveLength(7)
    for (const name of names) expect(staged(name)).toBe(name)
    expect(double.asked.filter((line) => line.includes('list-type=2'))).toHaveLength(3)
  })

  test('with a key that XML cannot hold are told by it', async () => {
    double.put('shop', 'p/a\u0001.csv', 'a')
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_NAME', facts: { object: 'a\u0001.csv' } })
  })

  test('are not fetched again until one has another entity tag', async () => {
    for (const name of ['a', 'b']) double.put('shop', `p/${name}.csv`, name)
    const { version: known } = (await fetched()) as { version: string }
    double.asked.length = 0
    double.put('shop', 'p/b.csv', 'b')
    expect(await fetched({}, { known })).toEqual({ kind: 'unchanged' })
    expect(double.read).toEqual([])
    double.put('shop', 'p/b.csv', 'B')
    expect(await fetched({}, { known })).toMatchObject({ kind: 'fetched' })
    expect(double.read).toHaveLength(2)
  })

  test('may be one, which needs no permission to list, and is fetched in its version', async () => {
    double.isVersioned = true
    double.put('shop', 'p/a.csv', 'first')
    double.faults.push({ of: /list-type/, times: 99, status: 403, code: 'AccessDenied' })
    const uri = 's3://shop/p/a.csv'
    const { version: known } = (await fetched({ uri })) as { version: string }
    expect(staged('a.csv')).toBe('first')
    expect(double.asked.at(-1)).toContain('versionId=v1')
    expect(await fetched({ uri }, { known })).toEqual({ kind: 'unchanged' })
    double.put('shop', 'p/a.csv', 'first')
    expect(await fetched({ uri }, { known })).toMatchObject({ kind: 'fetched' })
    expect(await failed({ uri: 's3://shop/p/b.csv' })).toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
  })

  test('of another region are asked for there', async () => {
    double.region = 'eu-central-1'
    double.put('shop', 'p/a.csv', 'a')
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    const asked = double.asked.length
    expect(await fetched({ region: 'eu-central-1' })).toMatchObject({ kind: 'fetched' })
    expect(double.asked.length - asked).toBe(2)
  })

  test('of a public bucket need no credentials, and are asked for without any', async () => {
    double.isPublic = true
    double.keys.clear()
    double.put('shop', 'p/a.csv', 'a')
    for (const environment of [{}, keys])
      expect(await fetched({ anonymous: true }, { environment })).toMatchObject({ kind: 'fetched' })
    double.isPublic = false
    expect(await failed({ anonymous: true })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('AccessDenied: Access Denied'),
    })
  })

  test('are asked for with a session token, or with the keys of a profile that is named', async () => {
    double.put('shop', 'p/a.csv', 'a')
    double.keys.set('ASIATEST', 'a-session')
    const session = { ...keys, AWS_ACCESS_KEY_ID: 'ASIATEST', AWS_SESSION_TOKEN: 'a-session' }
    expect(await fetched({}, { environment: session })).toMatchObject({ kind: 'fetched' })
    const file = join(root, 'credentials')
    writeFileSync(
      file,
      '[reader]\naws_access_key_id = AKIDTEST\naws_secret_access_key = hush-hush\n[bad]\nx = hush-hush\n',
    )
    const named = (profile: string) => ({
      environment: { AWS_PROFILE: profile, AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(root, 'none') },
    })
    expect(await fetched({}, named('reader'))).toMatchObject({ kind: 'fetched' })
    for (const profile of ['bad', 'none']) {
      const error = await failed({}, named(profile))
      expect(error).toMatchObject({
        code: 'ZEN_SOURCE_DENIED',
        message: expect.stringContaining(`AWS_PROFILE: "${profile}" gives no credentials`),
      })
      expect(`${error.message} ${error.cause}`).not.toContain('hush')
    }
  })

  test('are asked for where the datasource says, whatever AWS_ENDPOINT_URL says, and with what the plan is given', async () => {
    double.put('shop', 'p/a.csv', 'a')
    for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3']) vi.stubEnv(name, 'http://127.0.0.1:1')
    for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value)
    vi.stubEnv('AWS_REGION', 'ap-south-1')
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    expect(await failed({}, { environment: {} })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message:
        's3://shop/p/ needs credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor AWS_PROFILE are set.',
    })
  })
})

describe('objects of S3 that do not come', () => {
  test.each([true, false])(
    'since they changed after the listing are a change, and never a mixture, whether the server heeds conditions: %s',
    async (heeds) => {
      double.heedsConditions = heeds
      for (const name of ['a', 'b', 'c']) double.put('shop', `p/${name}.csv`, name)
      double.beforeGet = (key) => {
        if (key === 'p/b.csv') double.put('shop', key, 'B')
      }
      expect(await failed()).toMatchObject({
        code: 'ZEN_SOURCE_CHANGED',
        message: expect.stringContaining('the object "p/b.csv" is no longer there as it was listed'),
        exitCode: 1,
      })
      double.beforeGet = (key) => double.delete('shop', key)
      expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_CHANGED' })
    },
  )

  test('as they were told are damaged, by the MD5 that the entity tag is or by another checksum', async () => {
    const sent = Buffer.from('b')
    double.put('shop', 'p/a.csv', 'a', { sent })
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_READ',
      message: expect.stringMatching(/the object "p\/a.csv" came with the md5 .* instead of /),
    })
    const checksum = createHash('sha256').update('a').digest('base64')
    const pieces = { tag: `${'0'.repeat(32)}-2`, checksum }
    double.put('shop', 'p/a.csv', 'a', { ...pieces, sent })
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_READ',
      message: expect.stringMatching(/checksum/i),
    })
    double.put('shop', 'p/a.csv', 'a', pieces)
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    double.put('shop', 'p/a.csv', 'a', { tag: '0'.repeat(32), encryption: 'aws:kms' })
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    double.put('shop', 'p/a.csv', 'a', { tag: '' })
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_READ',
      message: expect.stringContaining('no key, size or ETag'),
    })
  })

  test('whole are lost', async () => {
    double.put('shop', 'p/a.csv', 'x'.repeat(100_000))
    double.faults.push({ of: /GET .*GetObject/, times: 99, status: 'cut' })
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_LOST', exitCode: 1 })
    double.faults.splice(0, 9, { of: /GET .*GetObject/, times: 99, status: 503, code: 'SlowDown' })
    expect(await failed()).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('SlowDown: a fault'),
    })
  })

  test('for a moment are asked for again', async () => {
    double.put('shop', 'p/a.csv', 'a')
    double.faults.push({ of: /list-type/, times: 2, status: 503 }, { of: /GetObject/, times: 2, status: 500 })
    expect(await fetched()).toMatchObject({ kind: 'fetched' })
    double.faults.push({ of: /list-type/, times: 99, status: 503 })
    const asked = double.asked.length
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    expect(double.asked.length - asked).toBe(3)
  })

  test('in time are not waited for', async () => {
    double.put('shop', 'p/a.csv', 'x'.repeat(100_000))
    double.faults.push({ of: /list-type/, times: 99, status: 'silent' })
    expect(await failed({}, { patience: 300 })).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    double.faults.splice(0, 9, { of: /GetObject/, times: 99, status: 'silent' })
    expect(await failed({}, { patience: 300 })).toMatchObject({ code: 'ZEN_SOURCE_LOST' })
    double.faults.splice(0, 9, { of: /GetObject/, times: 99, status: 'stall' })
    expect(await failed({}, { patience: 300 })).toMatchObject({
      code: 'ZEN_SOURCE_LOST',
      message: expect.stringContaining('stopped coming'),
    })
    const stop = new AbortController()
    const reading = fetched({}, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 300)
    await expect(reading).rejects.toThrow('enough')
  })

  test('for want of access, of a bucket or of a service say which, and nothing that is secret', async () => {
    double.put('shop', 'p/a.csv', 'a')
    const other = { ...keys, AWS_ACCESS_KEY_ID: 'AKIDOTHER' }
    const denied = await failed({}, { environment: other })
    expect(denied).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('InvalidAccessKeyId: The AWS Access Key Id you provided does not exist'),
    })
    expect(`${JSON.stringify(denied)} ${denied.message}`).not.toContain('hush')
    expect(await failed({}, { environment: { ...keys, AWS_SESSION_TOKEN: 'wrong' } })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
    })
    expect(await failed({ uri: 's3://shop/p/a.csv' }, { environment: other })).toMatchObject({
      code: 'ZEN_SOURCE_DENIED',
      message: expect.stringContaining('it answers with status 403'),
    })
    expect(await failed({ uri: 's3://none/p/' })).toMatchObject({
      code: 'ZEN_SOURCE_MISSING',
      message: expect.stringContaining('NoSuchBucket: The specified bucket does not exist'),
    })
    expect(await failed({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    double.faults.push({ of: /list-type/, times: 1, status: 400, code: 'InvalidRequest' })
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_READ' })
    expect(await failed({ uri: 's3://shop/none/' })).toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
  })
})
