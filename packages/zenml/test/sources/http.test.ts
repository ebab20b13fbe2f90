import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { completeDatasource, type HttpDatasource, type HttpOptions } from '../../src/model/datasource-spec.ts'
import { httpConnector } from '../../src/sources/http.ts'

let directory: string
let server: Server
let answer: RequestListener
let origin: string
const seen: { url: string; headers: NodeJS.Dict<string | string[]> }[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-http-'))
  seen.length = 0
  server = createServer((request, response) => {
    seen.push({ url: request.url!, headers: request.headers })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

async function fetched(given: Partial<HttpOptions> = {}, known?: string, environment = {}) {
  const spec = completeDatasource({ type: 'http', url: `${origin}/data.csv`, ...given }) as HttpDatasource
  return await httpConnector.fetch({ spec, known, directory, environment, places: { root: directory, dataRoots: [] } })
}

const failed = async (given: Partial<HttpOptions> = {}) => await fetched(given).catch((error) => error)

describe('a file behind HTTP', () => {
  test('is kept byte for byte, with its strong entity tag as version', async () => {
    const bytes = new Uint8Array(100_000).map((_value, index) => index * 7)
    answer = (_request, response) => response.setHeader('etag', '"v1"').end(bytes)
    expect(await fetched()).toEqual({ kind: 'fetched', version: '"v1"' })
    expect(new Uint8Array(readFileSync(join(directory, 'data.csv')))).toEqual(bytes)
    expect(seen[0]!.headers['accept-encoding']).toBe('identity')
  })

  test('is not sent again where the server says that it is unchanged', async () => {
    answer = (request, response) =>
      request.headers['if-none-match'] === '"v1"' ? response.writeHead(304).end() : response.end('a\n1\n')
    expect(await fetched({}, '"v1"')).toEqual({ kind: 'unchanged' })
    expect(await fetched({}, '"v0"')).toMatchObject({ kind: 'fetched' })
  })

  test('that is said to be unchanged without having been asked is an error', async () => {
    answer = (_request, response) => response.writeHead(304).end()
    expect(await failed()).toMatchObject({ message: expect.stringContaining('it answers with status 304') })
  })

  test('has a time as version only where a later change would have another, and no version by a weak tag', async () => {
    const changed = 'Mon, 01 Jan 2024 00:00:00 GMT'
    answer = (_request, response) =>
      response.setHeader('last-modified', changed).setHeader('etag', 'W/"v1"').end('a\n1\n')
    expect(await fetched()).toEqual({ kind: 'fetched', version: changed })
    rmSync(join(directory, 'data.csv'))
    answer = (_request, response) => {
      const now = new Date().toUTCString()
      response.setHeader('last-modified', now).setHeader('date', now).end('a\n1\n')
    }
    expect(await fetched({}, changed)).toEqual({ kind: 'fetched', version: undefined })
    expect(seen[1]!.headers['if-modified-since']).toBe(changed)
  })

  test('that breaks off or stays short of its length is lost', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('a\n1\n')
      setTimeout(() => response.destroy(), 50)
    }
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_LOST', exitCode: 1 })
    rmSync(join(directory, 'data.csv'), { force: true })
    answer = (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      response.write('a\n1\n')
      setTimeout(() => response.socket!.destroy(), 50)
    }
    expect((await failed()).message).toMatch(/was lost in the middle of the read; nothing of it is kept: /)
  })

  test('longer than maxBytes is refused, by what is told and by what is sent', async () => {
    answer = (_request, response) => response.end('a\n1\n')
    expect(await failed({ maxBytes: 3 })).toMatchObject({ code: 'ZEN_SOURCE_LIMIT' })
    expect(readdirSync(directory)).toEqual([])
    answer = (_request, response) => {
      response.write('a\n')
      setTimeout(() => response.end('1\n'), 20)
    }
    expect(await failed({ maxBytes: 3 })).toMatchObject({ code: 'ZEN_SOURCE_LIMIT' })
  })

  test('that is refused, missing or out of order has a code for each, and is asked for once', async () => {
    for (const [status, code] of [
      [401, 'ZEN_SOURCE_DENIED'],
      [403, 'ZEN_SOURCE_DENIED'],
      [404, 'ZEN_SOURCE_MISSING'],
      [503, 'ZEN_SOURCE_CONNECT'],
      [206, 'ZEN_SOURCE_READ'],
    ] as const) {
      seen.length = 0
      answer = (_request, response) => response.writeHead(status).end()
      expect(await failed()).toMatchObject({ code })
      expect(seen).toHaveLength(1)
    }
    await new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
    server.listen(0)
  })
})

describe('a redirect', () => {
  test('is followed, with headers to the same origin only', async () => {
    const other = createServer((request, response) => {
      seen.push({ url: request.url!, headers: request.headers })
      response.end('a\n1\n')
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/file`
    answer = (request, response) =>
      response.writeHead(302, { location: request.url === '/data.csv' ? '/next' : elsewhere }).end()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
    await fetched({ headers: { Authorization: 'Bearer ${env:TOKEN}' } }, undefined, { TOKEN: 'secret' })
    other.close()
    expect(seen.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      ['/data.csv', 'Bearer secret'],
      ['/next', 'Bearer secret'],
      ['/file', undefined],
    ])
  })

  test('to another scheme, to credentials or in a circle is refused', async () => {
    for (const location of ['file:///etc/passwd', 'ftp://example.com/x', 'http://a:b@example.com/', '/data.csv']) {
      answer = (_request, response) => response.writeHead(302, { location }).end()
      expect(await failed()).toMatchObject({ code: 'ZEN_SOURCE_REDIRECT' })
    }
  })
})

test('a variable that a header names and that is not set is an error before anything is sent', async () => {
  answer = (_request, response) => response.end('a\n1\n')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
  expect(await failed({ headers: { Authorization: '${env:TOKEN}' } })).toMatchObject({ code: 'ZEN_SOURCE_VARIABLE' })
  expect(seen).toEqual([])
})

test('a secret that cannot be sent is not shown', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
  const headers = { Authorization: 'Bearer ${env:TOKEN}' }
  for (const secret of ['hunter\n2', 'hunter\u20ac2']) {
    const error = await fetched({ headers }, undefined, { TOKEN: secret }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'ZEN_SOURCE_VARIABLE', message: expect.stringContaining('"Authorization"') })
    expect(String(error.message) + String(error.cause)).not.toContain('hunter')
  }
  answer = (_request, response) => response.end('a\n1\n')
  expect(await fetched({ headers }, undefined, { TOKEN: 'hunter2\n' })).toMatchObject({ kind: 'fetched' })
  expect(seen[0]!.headers.authorization).toBe('Bearer hunter2')
})
