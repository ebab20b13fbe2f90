import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZenmlError } from '../base/errors.ts'
import { type HttpDatasource, placeOf } from '../model/datasource-spec.ts'
import { type ConnectOptions, type FileConnector, sourceFailure, withVariables } from './connector.ts'

const mostRedirects = 10

/** How long a server may say nothing, in milliseconds. */
const patience = 60_000

/**
 * Fetches a file byte for byte. Its version is a strong entity tag, else the time of the last change where that is old enough to be sure
 * (RFC 9110, section 8.8.2.2).
 */
export const httpConnector: FileConnector<HttpDatasource> = {
  kind: 'file',
  async fetch({ known, directory, ...options }) {
    const { spec } = options
    const silence = new AbortController()
    const response = await request(options, known, silence)
    try {
      if (response.status === 304 && known !== undefined) return { kind: 'unchanged' }
      if (!response.ok) throw refused(spec, response.status)
      if (response.status !== 200)
        throw sourceFailure('ZEN_SOURCE_READ', spec, new Error(`it answers with status ${response.status}`))
      const declared = lengthOf(response)
      if (declared !== undefined && declared > spec.maxBytes) throw tooLong(spec)
      let bytes = 0
      const count = new Transform({
        transform(chunk: Uint8Array, _encoding, done) {
          bytes += chunk.length
          options.onProgress?.(bytes, declared ?? null, 'bytes')
          done(bytes > spec.maxBytes ? tooLong(spec) : null, chunk)
        },
      })
      const file = createWriteStream(join(directory, fileName(spec.url)), { flags: 'wx' })
      try {
        const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as never)
        const signals = [silence.signal, ...(options.signal === undefined ? [] : [options.signal])]
        const timer = setInterval(
          watch(() => bytes, silence),
          patience,
        )
        try {
          await pipeline(body, count, file, { signal: AbortSignal.any(signals) })
        } finally {
          clearInterval(timer)
        }
      } catch (error) {
        if (error instanceof ZenmlError || options.signal?.aborted === true) throw error
        throw sourceFailure('ZEN_SOURCE_LOST', spec, causeOf(error))
      }
      if (declared !== undefined && bytes !== declared)
        throw sourceFailure('ZEN_SOURCE_LOST', spec, new Error(`it ended after ${bytes} of ${declared} bytes`))
      return { kind: 'fetched', version: versionOf(response) }
    } finally {
      // Whatever of the body was not read is not waited for.
      silence.abort()
    }
  },
}

/** Follows redirects by hand: only to HTTP and HTTPS, and with the headers only as long as the origin stays. */
async function request(
  { spec, environment, signal }: ConnectOptions<HttpDatasource>,
  known: string | undefined,
  silence: AbortController,
): Promise<Response> {
  const own = Object.entries(spec.headers).map(([name, value]) => [name, headerText(spec, name, value, environment)])
  const condition =
    known === undefined ? {} : known.startsWith('"') ? { 'if-none-match': known } : { 'if-modified-since': known }
  const start = new URL(spec.url)
  let url = start
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const timer = setTimeout(() => silence.abort(), patience)
    let response: Response
    try {
      response = await fetch(url.href, {
        // The bytes as they are stored: a length that is told is then that of the file.
        headers: {
          'accept-encoding': 'identity',
          ...condition,
          ...(url.origin === start.origin ? Object.fromEntries(own) : {}),
        },
        redirect: 'manual',
        signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
      })
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw sourceFailure(
        'ZEN_SOURCE_CONNECT',
        spec,
        silence.signal.aborted ? new Error('it does not answer') : causeOf(error),
      )
    } finally {
      clearTimeout(timer)
    }
    const to = response.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(response.status) || to === null) return response
    await response.body?.cancel()
    if (!URL.canParse(to, url.href)) throw badRedirect(spec, JSON.stringify(to.slice(0, 100)))
    url = new URL(to, url)
    if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      throw badRedirect(spec, url.protocol)
    if (start.protocol === 'https:' && url.protocol === 'http:') throw badRedirect(spec, 'http: from https:')
  }
  throw badRedirect(spec, `more than ${mostRedirects} others`)
}

/** The text of a header. Throws `ZEN_SOURCE_VARIABLE` for one that cannot be sent: `fetch` would say so with the secret that it holds. */
function headerText(
  spec: HttpDatasource,
  name: string,
  value: string,
  environment: ConnectOptions['environment'],
): string {
  const text = withVariables(value, environment).trim()
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return text
  throw new ZenmlError(
    'ZEN_SOURCE_VARIABLE',
    `${spec.url}: the header "${name}" cannot be sent: a variable that it names holds a line break or a letter beyond Latin-1.`,
    { facts: { header: name }, next: 'Set the variable to the secret alone.' },
  )
}

/** Ends a transfer that stands still. */
function watch(bytes: () => number, silence: AbortController): () => void {
  let before = -1
  return () => {
    const now = bytes()
    if (now === before) silence.abort(new Error('it stopped sending'))
    before = now
  }
}

/** The length that the body has on the wire; undefined where it is not told or the server encodes it in spite of being asked not to. */
function lengthOf({ headers }: Response): number | undefined {
  const text = headers.get('content-length')
  const encoding = headers.get('content-encoding')
  return text !== null && /^\d+$/.test(text) && (encoding === null || encoding === 'identity')
    ? Number(text)
    : undefined
}

function versionOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag')
  if (tag?.startsWith('"') === true) return tag
  const [changed, now] = ['last-modified', 'date'].map((name) => headers.get(name))
  const age = Date.parse(now ?? '') - Date.parse(changed ?? '')
  return age >= 1000 ? changed! : undefined
}

function fileName(url: string): string {
  const last = new URL(url).pathname.split('/').at(-1)!
  const name = last
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^\.+/, '')
    .slice(-100)
  return name === '' ? 'data' : name
}

function refused(spec: HttpDatasource, status: number): ZenmlError {
  const said = new Error(`it answers with status ${status}`)
  if (status === 401 || status === 403 || status === 407) return sourceFailure('ZEN_SOURCE_DENIED', spec, said)
  if (status === 404 || status === 410)
    return new ZenmlError('ZEN_SOURCE_MISSING', `There is nothing at ${spec.url}: it answers with status ${status}.`, {
      facts: { url: spec.url, status },
      next: 'Mend the URL.',
      exitCode: 1,
    })
  return sourceFailure('ZEN_SOURCE_CONNECT', spec, said)
}

function tooLong(spec: HttpDatasource): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_LIMIT', `${placeOf(spec)} is longer than ${spec.maxBytes} bytes.`, {
    facts: { url: spec.url, maxBytes: spec.maxBytes },
    next: 'Raise maxBytes of the datasource, if the file is meant to be that long.',
    exitCode: 1,
  })
}

function badRedirect(spec: HttpDatasource, to: string): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_REDIRECT', `${spec.url} leads to ${to}, which is not followed.`, {
    facts: { url: spec.url },
    next: 'Name the URL of the file itself.',
    exitCode: 1,
  })
}

/** `fetch` hides what happened behind "fetch failed" and "terminated". */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}
