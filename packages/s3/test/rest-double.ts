import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Stands in for the REST API of Amazon S3 on this machine, where the service itself cannot be reached.
 *
 * What it holds to, as the service does: a request to a private bucket is signed (version 4) with a known key, its session token if the key has one, a date of
 * today and the region of the bucket, and a request for another region is sent there (301 with `x-amz-bucket-region`); an unsigned one is 403; buckets, keys
 * and versions that are not there are 404 with codes of their own, of HEAD without a body; `If-Match` that does not match is 412; a listing (version
 * 2 only) has the keys with a prefix in the order of their UTF-8 bytes, 1000 at the most, with the token of the next page, and a token that it did not
 * give is refused; with `encoding-type=url` keys are encoded as in a form, a space as `+`, and without it a key that XML cannot hold makes the answer
 * no XML; the entity tag is the MD5 of an object in one piece, of several pieces that of their MD5s with their number, and neither under a key of the
 * key service; an object's checksum is told where `x-amz-checksum-mode` asks for it; a listing tells no versions.
 *
 * Limits: signatures are looked at but not computed; objects are made by tests, not by its API; only buckets in the path of addresses; it knows no
 * versions of the past, delimiters, ranges, permissions of single objects, encryption keys of customers, archives or quotas.
 */
export class RestDouble implements AsyncDisposable {
  /** Every request: method, path and what follows it. */
  readonly asked: string[] = []
  /** Answers to the next requests that match, in the place of the right ones. */
  readonly faults: Fault[] = []
  /** Keys of a page of a listing. */
  pageLimit = 1000
  /** Whether everyone may read. */
  isPublic = false
  region = 'us-east-1'
  /** By key id, the session token that goes with it. */
  readonly keys: Map<string, string | undefined> = new Map([['AKIDTEST', undefined]])
  /** Whether buckets keep versions. */
  isVersioned = false
  /** Whether it heeds `If-Match`, as the service does. */
  heedsConditions = true
  /** Called when an object's bytes are asked for, before it is looked at. */
  beforeGet: (key: string) => void = () => {}
  private readonly objects = new Map<string, Map<string, Stored>>()
  private readonly server: Server
  private versions = 0

  private constructor() {
    this.server = createServer((request, response) => {
      try {
        this.answer(request, response)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        refuse(request, response, error)
      }
    })
  }

  static async start(): Promise<RestDouble> {
    const double = new RestDouble()
    await new Promise<void>((resolve) => double.server.listen(0, '127.0.0.1', resolve))
    return double
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Writes an object. */
  put(bucket: string, key: string, bytes: Uint8Array | string, more: Partial<Stored> = {}): void {
    const objects = this.objects.get(bucket) ?? new Map<string, Stored>()
    this.objects.set(bucket, objects)
    const stored = Buffer.from(bytes as string)
    const version = `v${++this.versions}`
    objects.set(key, { bytes: stored, tag: createHash('md5').update(stored).digest('hex'), version, ...more })
  }

  delete(bucket: string, key?: string): void {
    if (key === undefined) this.objects.delete(bucket)
    else this.objects.get(bucket)!.delete(key)
  }

  /** The keys of objects whose bytes were asked for. */
  get read(): string[] {
    return this.asked.flatMap((line) => {
      const key = /^GET \/[^/?]+\/([^?]+)/.exec(line)?.[1]
      return key === undefined ? [] : [decodeURIComponent(key)]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.url)
    const line = `${request.method} ${url.pathname}${url.search}`
    this.asked.push(line)
    const fault = this.faults.find(({ of, times }) => times > 0 && of.test(line))
    if (fault !== undefined) fault.times--
    if (fault?.status === 'silent') return
    if (typeof fault?.status === 'number') throw new Refusal(fault.status, fault.code ?? 'InternalError', 'a fault')
    this.checkSignature(request)
    const [, bucket, rest] = /^\/([^/]+)\/?(.*)$/s.exec(url.pathname) as unknown as [string, string, string]
    const key = decodeURIComponent(rest)
    if (request.method === 'GET' && key !== '') this.beforeGet(key)
    const objects = this.objects.get(bucket)
    if (objects === undefined) throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist')
    if (key === '') return this.list(objects, url.searchParams, response)
    const stored = objects.get(key)
    const version = url.searchParams.get('versionId')
    if (stored === undefined) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.')
    if (version !== null && version !== stored.version)
      throw new Refusal(404, 'NoSuchVersion', 'The specified version does not exist.')
    const condition = request.headers['if-match']
    if (this.heedsConditions && condition !== undefined && condition !== `"${stored.tag}"`)
      throw new Refusal(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
    this.send(stored, request, response, fault)
  }

  private checkSignature({ headers }: IncomingMessage): void {
    const { authorization } = headers
    if (authorization === undefined) {
      if (this.isPublic) return
      throw new Refusal(403, 'AccessDenied', 'Access Denied')
    }
    const match =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/.exec(
        authorization,
      )
    if (match === null) throw new Refusal(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed')
    const [, id, day, region, signed] = match as unknown as [string, string, string, string, string]
    if (!this.keys.has(id))
      throw new Refusal(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.')
    const token = this.keys.get(id)
    if (headers['x-amz-security-token'] !== token)
      throw new Refusal(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.')
    const names = [
      'host',
      'x-amz-date',
      'x-amz-content-sha256',
      ...(token === undefined ? [] : ['x-amz-security-token']),
    ]
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
    if (names.some((name) => headers[name] === undefined || !signed.split(';').includes(name)) || day !== today)
      throw new Refusal(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match')
    if (region !== this.region)
      throw new Refusal(301, 'PermanentRedirect', 'The bucket you are attempting to access is elsewhere', this.region)
  }

  private list(objects: ReadonlyMap<string, Stored>, query: URLSearchParams, response: ServerResponse): void {
    if (query.get('list-type') !== '2') throw new Refusal(400, 'InvalidArgument', 'The double lists in version 2 only')
    const prefix = query.get('prefix') ?? ''
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes)
    const token = query.get('continuation-token')
    const after = token === null ? undefined : /^after (.*)$/s.exec(Buffer.from(token, 'base64').toString())?.[1]
    if (token !== null && after === undefined)
      throw new Refusal(400, 'InvalidArgument', 'The continuation token provided is incorrect')
    const rest = after === undefined ? keys : keys.filter((key) => byBytes(key, after) > 0)
    const page = rest.slice(0, Math.min(this.pageLimit, Number(query.get('max-keys') ?? 1000)))
    const isEncoded = query.get('encoding-type') === 'url'
    const shown = (key: string): string => (isEncoded ? new URLSearchParams({ k: key }).toString().slice(2) : xml(key))
    const isTruncated = page.length < rest.length
    const contents = page.map((key) => {
      const { bytes, tag } = objects.get(key)!
      const etag = tag === '' ? '' : `<ETag>&quot;${tag}&quot;</ETag>`
      return `<Contents><Key>${shown(key)}</Key>${etag}<Size>${bytes.length}</Size></Contents>`
    })
    const next = Buffer.from(`after ${page.at(-1)}`).toString('base64')
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${isEncoded ? '<EncodingType>url</EncodingType>' : ''}<KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`,
    )
  }

  private send(stored: Stored, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const { bytes, tag, version, checksum, encryption = 'AES256' } = stored
    const body = stored.sent ?? bytes
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': String(body.length),
      etag: `"${tag}"`,
      'x-amz-server-side-encryption': encryption,
      ...(this.isVersioned ? { 'x-amz-version-id': version } : {}),
      ...(checksum !== undefined && request.headers['x-amz-checksum-mode'] === 'ENABLED'
        ? { 'x-amz-checksum-sha256': checksum, 'x-amz-checksum-type': 'FULL_OBJECT' }
        : {}),
    })
    if (fault === undefined || request.method === 'HEAD') return void response.end(body)
    response.write(body.subarray(0, Math.floor(body.length / 2)))
    if (fault.status === 'cut') setTimeout(() => response.destroy(), 20)
  }
}

/** An object. */
export interface Stored {
  readonly bytes: Buffer
  /** The entity tag without quotes; empty where none is told. */
  readonly tag: string
  readonly version: string
  /** SHA-256, in base64. */
  readonly checksum?: string
  readonly encryption?: 'AES256' | 'aws:kms'
  /** What comes in the place of the bytes. */
  readonly sent?: Buffer
}

/** An answer in the place of the right one: a status, a body that is cut in the middle, one that stands still, or none at all. */
export interface Fault {
  readonly of: RegExp
  times: number
  readonly status: number | 'cut' | 'stall' | 'silent'
  readonly code?: string
}

class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly region: string | undefined

  constructor(status: number, code: string, message: string, region?: string) {
    super(message)
    this.status = status
    this.code = code
    this.region = region
  }
}

function refuse(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, code, message, region }: Refusal,
): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    ...(region === undefined ? {} : { 'x-amz-bucket-region': region }),
  })
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  response.end(method === 'HEAD' ? undefined : text)
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
