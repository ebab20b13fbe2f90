import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { crc32c } from '../../zenml/src/formats/crc32c.ts'

/**
 * Stands in for the JSON API of Google Cloud Storage on this machine, where the service itself cannot be reached.
 *
 * What it holds to, as the service does: a private bucket needs the access token of its credentials (401), and one that was granted nothing is refused
 * (403); a bucket or object that is not there is 404, and so is a generation that is not the present one, as in a bucket without versions; every
 * write makes a new generation; a listing has the names with a prefix in the order of their UTF-8 bytes, a page at a time, with the token of the
 * next, and a token that it did not give is refused (400); only the fields that are asked for are told; sizes and generations are texts; a media
 * request gives the stored bytes with `x-goog-hash`, but unpacks an object whose `contentEncoding` is gzip for whoever does not accept gzip, without a length
 * then ("decompressive transcoding").
 *
 * Limits: objects are made by tests, not by its API; it knows no versions of the past, folders (`delimiter`), globs, ranges, permissions of single
 * objects, requester pays, encryption keys or quotas.
 */
export class JsonApiDouble implements AsyncDisposable {
  /** Every request but those for credentials: method, path and what follows it. */
  readonly asked: string[] = []
  /** Answers to the next requests that match, in the place of the right ones. */
  readonly faults: Fault[] = []
  /** Objects of a page of a listing. */
  pageLimit = 1000
  /** Whether everyone may read. */
  isPublic = false
  /** Called when a media request comes, before it is looked at. */
  beforeMedia: (name: string) => void = () => {}
  private readonly objects = new Map<string, Map<string, Stored>>()
  private readonly server: Server
  private readonly token = 'access-token-of-the-double'
  private generation = 1_700_000_000_000_000

  private constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (error instanceof Refusal) send(response, error.status, error.body)
        else send(response, 500, { error: { code: 500, message: `the double is broken: ${error}` } })
      })
    })
  }

  static async start(): Promise<JsonApiDouble> {
    const double = new JsonApiDouble()
    await new Promise<void>((resolve) => double.server.listen(0, '127.0.0.1', resolve))
    return double
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Writes an object, in a new generation. */
  put(bucket: string, name: string, bytes: Uint8Array | string, more: Partial<Stored> = {}): void {
    const objects = this.objects.get(bucket) ?? new Map<string, Stored>()
    this.objects.set(bucket, objects)
    objects.set(name, { bytes: Buffer.from(bytes as string), generation: String(++this.generation), ...more })
  }

  delete(bucket: string, name?: string): void {
    if (name === undefined) this.objects.delete(bucket)
    else this.objects.get(bucket)!.delete(name)
  }

  /** The names of objects whose bytes were asked for. */
  get read(): string[] {
    return this.asked.flatMap((line) => {
      const name = /^GET \/storage\/v1\/b\/[^/]+\/o\/([^/?]+)\?.*alt=media/.exec(line)?.[1]
      return name === undefined ? [] : [decodeURIComponent(name)]
    })
  }

  /** Writes credentials that are exchanged for an access token here, as those of another cloud would be; gives the path of their file. */
  writeCredentials(directory: string, subject = 'subject-token-of-the-test'): string {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'subject.txt'), subject)
    const file = join(directory, 'credentials.json')
    writeFileSync(
      file,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${this.url}/token`,
        credential_source: { file: join(directory, 'subject.txt') },
      }),
    )
    return file
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const url = new URL(request.url!, this.url)
    if (url.pathname === '/token') {
      const subject = new URLSearchParams(text).get('subject_token')
      if (subject !== 'subject-token-of-the-test' && subject !== 'somebody-without-rights')
        return send(response, 400, { error: 'invalid_grant', error_description: 'the subject is not known' })
      return send(response, 200, {
        access_token: subject === 'somebody-without-rights' ? 'token-without-rights' : this.token,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3600,
      })
    }
    const line = `${request.method} ${url.pathname}${url.search}`
    this.asked.push(line)
    const fault = this.faults.find(({ of, times }) => times > 0 && of.test(line))
    if (fault !== undefined) fault.times--
    if (fault?.status === 'silent') return
    if (typeof fault?.status === 'number') throw new Refusal(fault.status, `fault ${fault.status}`)
    const { authorization } = request.headers
    if (authorization === 'Bearer token-without-rights')
      throw new Refusal(403, 'somebody does not have storage.objects.list access to the Google Cloud Storage bucket.')
    if (authorization !== `Bearer ${this.token}` && (authorization !== undefined || !this.isPublic))
      throw new Refusal(
        401,
        'Anonymous caller does not have storage.objects.list access to the Google Cloud Storage bucket.',
      )
    const match = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname)
    if (match === null || request.method !== 'GET') throw new Refusal(404, `The double knows no ${line}`)
    const [bucket, name] = match.slice(1).map((part) => part && decodeURIComponent(part))
    if (name !== undefined && url.searchParams.get('alt') === 'media') this.beforeMedia(name)
    const objects = this.objects.get(bucket!)
    if (objects === undefined) throw new Refusal(404, 'The specified bucket does not exist.')
    if (name === undefined) return send(response, 200, this.list(objects, url.searchParams))
    const stored = objects.get(name)
    const generation = url.searchParams.get('generation')
    if (stored === undefined || (generation !== null && generation !== stored.generation))
      throw new Refusal(404, `No such object: ${bucket}/${name}`)
    if (url.searchParams.get('alt') !== 'media')
      return send(response, 200, asFields(name, stored, url.searchParams.get('fields')!))
    media(stored, request, response, fault)
  }

  private list(objects: ReadonlyMap<string, Stored>, query: URLSearchParams): object {
    const prefix = query.get('prefix') ?? ''
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix)).sort(byBytes)
    const token = query.get('pageToken')
    const after = token === null ? undefined : /^after (.*)$/s.exec(Buffer.from(token, 'base64').toString())?.[1]
    if (token !== null && after === undefined) throw new Refusal(400, `Invalid page token ${token}`)
    const rest = after === undefined ? names : names.filter((name) => byBytes(name, after) > 0)
    const page = rest.slice(0, this.pageLimit)
    const fields = /^items\(([^)]*)\),nextPageToken$/.exec(query.get('fields') ?? '')?.[1]
    if (fields === undefined) throw new Refusal(400, `The double knows no fields ${query.get('fields')}`)
    return {
      ...(page.length === 0 ? {} : { items: page.map((name) => asFields(name, objects.get(name)!, fields)) }),
      ...(page.length < rest.length ? { nextPageToken: Buffer.from(`after ${page.at(-1)}`).toString('base64') } : {}),
    }
  }
}

/** An object. */
export interface Stored {
  readonly bytes: Buffer
  readonly generation: string
  readonly contentEncoding?: string
  /** In the place of the right one. */
  readonly crc32c?: string
}

/** An answer in the place of the right one: a status, a body that is cut in the middle or ends too early, one that stands still, or none at all. */
export interface Fault {
  readonly of: RegExp
  times: number
  readonly status: number | 'cut' | 'stall' | 'silent'
}

function crcOf(bytes: Uint8Array): string {
  const four = Buffer.alloc(4)
  four.writeUInt32BE(crc32c(bytes))
  return four.toString('base64')
}

function asFields(name: string, stored: Stored, fields: string): object {
  const { bytes, generation, contentEncoding } = stored
  const all: { readonly [field: string]: string | undefined } = {
    name,
    generation,
    size: String(bytes.length),
    crc32c: stored.crc32c ?? crcOf(bytes),
    contentEncoding,
  }
  return Object.fromEntries(
    fields.split(',').flatMap((field) => (all[field] === undefined ? [] : [[field, all[field]]])),
  )
}

function media(stored: Stored, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
  const { bytes, generation, contentEncoding } = stored
  const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const unpacks = contentEncoding === 'gzip' && !accepts
  const body = unpacks ? gunzipSync(bytes) : bytes
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'x-goog-generation': generation,
    'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
    'x-goog-hash': `crc32c=${crcOf(bytes)},md5=${createHash('md5').update(bytes).digest('base64')}`,
    ...(contentEncoding === undefined || unpacks ? {} : { 'content-encoding': contentEncoding }),
    ...(unpacks ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) }),
  })
  if (fault === undefined) return void response.end(body)
  response.write(body.subarray(0, Math.floor(body.length / 2)))
  if (fault.status === 'cut') setTimeout(() => response.destroy(), 20)
}

class Refusal extends Error {
  readonly status: number
  readonly body: object

  constructor(code: number, message: string) {
    super(message)
    this.status = code
    this.body = { error: { code, message, errors: [{ message, domain: 'global' }] } }
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}
