import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { decodeMessage } from '../../src/base/proto/decode.ts'
import { encodeMessage } from '../../src/base/proto/encode.ts'
import { rpcs, serviceName } from '../../src/metadata/wire/rpcs.ts'
import { makeCertificates, promised, serviceOf, serving } from './serving.ts'

const origin = 'https://ui.example'
const certificates = makeCertificates()

function frame(message: Uint8Array, flags: number = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function requestOf(rpc: string, message: object): Buffer {
  return frame(encodeMessage(rpcs.get(rpc)!.request, message as never))
}

/** Splits a body into its frames. */
function framesIn(body: Buffer): { flags: number; contents: Buffer }[] {
  const frames = []
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1)
    frames.push({ flags: body[at]!, contents: body.subarray(at + 5, end) })
    at = end
  }
  return frames
}

async function post(
  port: number | undefined,
  path: string,
  body: Buffer | string,
  headers: { readonly [name: string]: string } = {},
): Promise<{ status: number; headers: Headers; body: Buffer }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1', ...headers },
  })
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
}

const withWeb = { web: { port: 0, origins: [origin] } }

it('answers a call with the message and its status, and so it does as text', async () => {
  await using server = await serving(withWeb)
  const path = `/${serviceName}/PutArtifactType`
  const asked = requestOf('PutArtifactType', { artifactType: { name: 'DataSet' } })
  const binary = await post(server.webPort, path, asked)
  expect(binary.headers.get('content-type')).toBe('application/grpc-web+proto')
  const [message, trailers] = framesIn(binary.body)
  expect(decodeMessage(rpcs.get('PutArtifactType')!.response, message!.contents)).toEqual({ typeId: 10 })
  expect([message!.flags, trailers!.flags, trailers!.contents.toString()]).toEqual([0, 0x80, 'grpc-status:0\r\n'])

  // Parts of text may be padded by themselves.
  const text = `${asked.subarray(0, 4).toString('base64')}${asked.subarray(4).toString('base64')}`
  const told = await post(server.webPort, path, text, { 'content-type': 'application/grpc-web-text' })
  expect(told.headers.get('content-type')).toBe('application/grpc-web-text+proto')
  expect(Buffer.from(told.body.toString(), 'base64').equals(binary.body)).toBe(true)
})

it('tells a failure in the trailers, in words that any header can carry', async () => {
  await using server = await serving(withWeb)
  const { body } = await post(
    server.webPort,
    `/${serviceName}/GetArtifactType`,
    requestOf('GetArtifactType', { typeName: 'é\r\n' }),
  )
  const [trailers, ...others] = framesIn(body)
  expect(others).toEqual([])
  const [status, words] = trailers!.contents.toString('latin1').split('\r\n')
  expect(status).toBe('grpc-status:5')
  expect(decodeURIComponent(words!)).toContain('"é\r\n"')
})

it.each([
  ['an unknown procedure', `/${serviceName}/Nothing`, frame(new Uint8Array(0)), 12],
  ['another service', '/other/GetArtifacts', frame(new Uint8Array(0)), 12],
  ['no frame', `/${serviceName}/GetArtifacts`, Buffer.alloc(0), 3],
  [
    'two frames',
    `/${serviceName}/GetArtifacts`,
    Buffer.concat([frame(new Uint8Array(0)), frame(new Uint8Array(0))]),
    3,
  ],
  ['a cut frame', `/${serviceName}/GetArtifacts`, frame(new Uint8Array(9)).subarray(0, 9), 3],
  ['a compressed frame', `/${serviceName}/GetArtifacts`, frame(new Uint8Array(9), 1), 12],
  ['bytes that are no request', `/${serviceName}/GetArtifacts`, frame(Uint8Array.of(0xff)), 3],
  ['a request that is too large', `/${serviceName}/GetArtifacts`, frame(new Uint8Array(20_000)), 8],
])('ends with a status for %s', async (_name, path, body, code) => {
  await using server = await serving({ ...withWeb, maxMessageSize: 10_000 })
  const answer = await post(server.webPort, path, body)
  expect(framesIn(answer.body)[0]!.contents.toString()).toContain(`grpc-status:${code}\r\n`)
  const text = await post(server.webPort, path, body.toString('base64'), {
    'content-type': 'application/grpc-web-text',
  })
  expect(framesIn(Buffer.from(text.body.toString(), 'base64'))[0]!.contents.toString()).toContain(
    `grpc-status:${code}\r\n`,
  )
})

it('refuses a long text that is almost base64 as fast as it reads one', async () => {
  await using server = await serving(withWeb)
  const started = performance.now()
  const path = `/${serviceName}/GetArtifacts`
  const read = await post(server.webPort, path, 'A'.repeat(500_000), { 'content-type': 'application/grpc-web-text' })
  const took = performance.now() - started
  const refused = await post(server.webPort, path, `${'A'.repeat(500_000)}!`, {
    'content-type': 'application/grpc-web-text',
  })
  for (const { body } of [read, refused])
    expect(framesIn(Buffer.from(body.toString(), 'base64'))[0]!.contents.toString()).toContain('grpc-status:3\r\n')
  // A pattern that tries every way to cut the text never comes back; this leaves room for a busy machine.
  expect(performance.now() - started).toBeLessThan(2_000 + took * 50)
})

it('answers pages of the origins that it was given, and no others', async () => {
  await using server = await serving(withWeb)
  const path = `/${serviceName}/GetArtifacts`
  const body = requestOf('GetArtifacts', {})
  const allowed = await post(server.webPort, path, body, { origin })
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, origin])
  for (const other of ['https://ui.example.evil', 'http://ui.example', 'null', `http://127.0.0.1:${server.webPort}`]) {
    const refused = await post(server.webPort, path, body, { origin: other })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null])
  }
  const preflight = await fetch(`http://127.0.0.1:${server.webPort}${path}`, { method: 'OPTIONS', headers: { origin } })
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
  expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
})

it('refuses what is no gRPC-Web', async () => {
  await using server = await serving(withWeb)
  const path = `/${serviceName}/GetArtifacts`
  expect((await fetch(`http://127.0.0.1:${server.webPort}${path}`)).status).toBe(405)
  expect((await post(server.webPort, path, 'x', { 'content-type': 'text/plain' })).status).toBe(415)
})

it('lets only callers with the token in', async () => {
  await using server = await serving({ ...withWeb, token: 'S3cret-token' })
  const ask = async (headers: { readonly [name: string]: string }): Promise<string> => {
    const { body } = await post(server.webPort, `/${serviceName}/GetArtifacts`, requestOf('GetArtifacts', {}), headers)
    return framesIn(body).at(-1)!.contents.toString()
  }
  expect(await ask({})).toContain('grpc-status:16')
  expect(await ask({ authorization: 'Bearer S3cret-toke' })).toContain('grpc-status:16')
  expect(await ask({ authorization: 'Bearer S3cret-token' })).toBe('grpc-status:0\r\n')
})

it.skipIf(certificates === undefined)('serves over TLS (skipped without openssl)', async () => {
  const { ca, cert, key } = certificates!
  await using server = await serving({ ...withWeb, tls: { cert, key } })
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = httpsRequest(
      { host: 'localhost', port: server.webPort, ca, method: 'OPTIONS', path: '/', agent: false },
      (answer) => resolve(answer.resume().statusCode),
    )
    asked.on('error', reject).end()
  })
  expect(status).toBe(204)
})

it('outlives callers that hang up in the middle', async () => {
  const started = promised<void>()
  const finish = promised<object>()
  await using server = await serving({
    ...withWeb,
    service: serviceOf(() => {
      started.resolve()
      return finish.promise
    }),
  })
  const head = `POST /${serviceName}/GetArtifacts HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\n`
  const early = connect(server.webPort!, '127.0.0.1')
  early.write(`${head}content-length: 100\r\n\r\nabc`, () => early.destroy())
  const late = connect(server.webPort!, '127.0.0.1')
  late.write(`${head}content-length: 5\r\n\r\n\0\0\0\0\0`)
  await started.promise
  late.destroy()
  finish.resolve({})
  const { body } = await post(server.webPort, `/${serviceName}/GetArtifacts`, requestOf('GetArtifacts', {}))
  expect(framesIn(body).at(-1)!.contents.toString()).toBe('grpc-status:0\r\n')
})
