import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { statusCodes } from '../../metadata/api/status.ts'
import { serviceName } from '../../metadata/wire/rpcs.ts'
import { answerCall } from './answer-call.ts'
import { CallError, type CallStatus, logLine, statusOf, transportCodes } from './call-status.ts'
import type { Endpoint, OpenPort } from './endpoint.ts'
import { noAddress } from './grpc-port.ts'
import { requestMessage, responseBody } from './web-frames.ts'

/**
 * Serves the same service to browsers, as gRPC-Web over HTTP/1.1. Only pages from `origins` (`https://kubeflow.example`) are
 * answered; programs that send no origin are too. Certificates are checked already. Throws
 * `ZEN_SERVE_ADDRESS`.
 */
export async function openGrpcWebPort(
  endpoint: Endpoint,
  host: string,
  port: number,
  origins: readonly string[],
): Promise<OpenPort> {
  const listener: RequestListener = (request, response) => {
    answerRequest(endpoint, origins, request, response).catch((error: unknown) => {
      endpoint.log(logLine('gRPC-Web', error))
      response.destroy()
    })
  }
  const server = await makeServer(endpoint, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(noAddress(host, port, error)))
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: (grace) => closeServer(server, grace) }
}

async function makeServer({ tls }: Endpoint, listener: RequestListener): Promise<Server> {
  if (tls === undefined) return createServer(listener)
  const https = await import('node:https')
  const { cert, key, ca } = tls
  return https.createServer(
    { cert, key, ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }) },
    listener,
  )
}

async function answerRequest(
  endpoint: Endpoint,
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers
  response.setHeader('vary', 'origin')
  if (origin !== undefined) {
    if (!origins.includes(origin)) return refuse(response, 403, 'This origin may not ask.')
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', 'grpc-status, grpc-message')
  }
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST')
    response.setHeader(
      'access-control-allow-headers',
      'authorization, content-type, grpc-timeout, x-grpc-web, x-user-agent',
    )
    response.setHeader('access-control-max-age', '600')
    response.writeHead(204).end()
    return
  }
  if (request.method !== 'POST') return refuse(response, 405, 'gRPC-Web is asked with POST.')
  const type = /^application\/grpc-web(-text)?(?:\+proto)?(?: *;.*)?$/i.exec(request.headers['content-type'] ?? '')
  if (type === null)
    return refuse(response, 415, 'The content type is not application/grpc-web or application/grpc-web-text.')
  const isText = type[1] !== undefined
  let message: Uint8Array | undefined
  let status: CallStatus = { code: 0, message: '' }
  const rpc = procedureOf(request.url)
  try {
    endpoint.guard(request.headers.authorization)
    if (rpc === undefined) throw new CallError(statusCodes.UNIMPLEMENTED, 'There is no such procedure.')
    const body = await readBody(request, endpoint.maxMessageSize, isText)
    message = await answerCall(endpoint.service, rpc, requestMessage(body, isText))
  } catch (error) {
    if (request.errored !== null || request.socket.destroyed) return void response.destroy()
    const { isOurs, ...told } = statusOf(error)
    if (isOurs) endpoint.log(logLine(rpc ?? 'gRPC-Web', error))
    status = told
  }
  // What was not read of the request would be taken for the next one.
  if (!request.complete) response.setHeader('connection', 'close')
  response.setHeader('content-type', `application/grpc-web${isText ? '-text' : ''}+proto`)
  response.end(responseBody(message, status, isText))
}

function procedureOf(url: string | undefined): string | undefined {
  const prefix = `/${serviceName}/`
  return url?.startsWith(prefix) ? url.slice(prefix.length) : undefined
}

async function readBody(request: IncomingMessage, maxMessageSize: number, isText: boolean): Promise<Buffer> {
  // Room for the frame's head, and for base64.
  const most = isText ? Math.ceil((maxMessageSize + 5) / 3) * 4 : maxMessageSize + 5
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length
    if (size > most)
      throw new CallError(
        transportCodes.RESOURCE_EXHAUSTED,
        `The request is larger than ${maxMessageSize} bytes, the most that this server takes.`,
      )
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function refuse(response: ServerResponse, code: number, words: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${words}\n`)
}

function closeServer(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
  })
}
