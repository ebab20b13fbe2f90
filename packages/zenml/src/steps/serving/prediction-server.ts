import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { messageOf } from '../../base/errors.ts'
import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { OpenServing } from './open-serving.ts'

/** What answers: the exports of `predict.mjs`. */
export type Answering = OpenServing

/** What a request may ask for at most. */
export interface ServerLimits {
  /** Bytes of a body. */
  readonly body: number
  readonly rows: number
}

/** A request that is refused; the caller is told all of it. */
class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly headers: { readonly [name: string]: string }

  constructor(status: number, code: string, message: string, headers: { readonly [name: string]: string } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/**
 * The HTTP server of a serving folder: `POST /predict` with `{ "rows": [ … ] }` gives `{ "predictions": [ … ] }`, `GET /schema` what a row has, and
 * `GET /health` `{ "status": "ok" }`. An error is `{ "error": { "code", "message" } }`. It reads no file and starts nothing for a request.
 */
export function createPredictionServer({ manifest, predict }: Answering, limits: ServerLimits): Server {
  const { label, classes, features, unused, model, packages } = manifest
  const schema = {
    label,
    classes,
    features,
    unused,
    model: { format: model.format },
    packages,
  } as unknown as JsonObject
  const answer = async (request: IncomingMessage): Promise<JsonObject> => {
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/health' || path === '/schema') {
      allow(request, ['GET', 'HEAD'])
      return path === '/health' ? { status: 'ok' } : schema
    }
    if (path !== '/predict')
      throw new Refusal(404, 'ZEN_SERVING_PATH', 'There are POST /predict, GET /schema and GET /health.')
    allow(request, ['POST'])
    // A page of another site can send a form or a text to this machine, but no JSON.
    if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
      throw new Refusal(415, 'ZEN_SERVING_TYPE', 'The body must be sent as content-type application/json.')
    const rows = rowsIn(await bodyOf(request, limits.body))
    if (rows.length > limits.rows)
      throw new Refusal(413, 'ZEN_SERVING_SIZE', `The request has ${rows.length} rows, and may have ${limits.rows}.`)
    return { predictions: (await predict(rows)) as unknown as JsonObject[] }
  }
  const server = createServer((request, response) => {
    answer(request)
      .then((said) => send(response, 200, said, request.method === 'HEAD'))
      .catch((error: unknown) => sendError(request, response, error))
  })
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000
  return server
}

function allow({ method = '' }: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(method)) return
  const allowed = methods.join(', ')
  throw new Refusal(405, 'ZEN_SERVING_METHOD', `${method} is not answered here, but ${allowed}.`, { allow: allowed })
}

async function bodyOf(request: IncomingMessage, most: number): Promise<string> {
  const tooLong = (): Refusal =>
    // What is left of the body is not read: the connection ends.
    new Refusal(413, 'ZEN_SERVING_SIZE', `The body has more than ${most} bytes.`, { connection: 'close' })
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong()
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > most) throw tooLong()
    parts.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    throw new Refusal(400, 'ZEN_SERVING_JSON', 'The body is not UTF-8.')
  }
}

function rowsIn(text: string): readonly unknown[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, 'ZEN_SERVING_JSON', `The body is no JSON: ${messageOf(error).slice(0, 200)}`)
  }
  const keys = isJsonObject(body) ? Object.keys(body) : []
  const rows = isJsonObject(body) && Object.hasOwn(body, 'rows') ? body['rows'] : undefined
  if (keys.length !== 1 || !Array.isArray(rows))
    throw new Refusal(400, 'ZEN_SERVING_ROWS', 'The body must be { "rows": [ … ] } and nothing else.')
  return rows
}

function send(
  response: ServerResponse,
  status: number,
  body: JsonObject,
  withoutBody: boolean,
  headers: { readonly [name: string]: string } = {},
): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(withoutBody ? undefined : bytes)
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  if (error instanceof Refusal) {
    const { status, code, message, headers } = error
    return send(response, status, { error: { code, message } }, request.method === 'HEAD', headers)
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // The predict function refuses rows with an error of ours: known by its code, for it may be of another copy of the class.
  if (code.startsWith('ZEN_')) {
    const { facts, next } = error as Error & { facts?: JsonObject; next?: string }
    const message = next === undefined ? messageOf(error) : `${messageOf(error)} ${next}`
    return send(response, 400, { error: { code, message, ...(facts === undefined ? {} : { facts }) } }, false)
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  send(
    response,
    500,
    { error: { code: 'ZEN_SERVING_INTERNAL', message: 'The server failed; its log says why.' } },
    false,
  )
}
