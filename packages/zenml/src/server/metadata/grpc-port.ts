import { createSecureContext } from 'node:tls'
import type { Server, ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import { rpcs, serviceName } from '../../metadata/wire/rpcs.ts'
import { answerCall } from './answer-call.ts'
import { logLine, statusOf } from './call-status.ts'
import type { Endpoint, OpenPort, TlsFiles } from './endpoint.ts'
import { answerHealth, healthServiceName } from './health.ts'

type Handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void

/**
 * Serves the gRPC service `ml_metadata.MetadataStoreService` and the health service. Port 0 takes a free one. Throws
 * `ZEN_SERVE_ADDRESS` where the address cannot be had, `ZEN_SERVE_TLS` for certificates that are none.
 */
export async function openGrpcPort(endpoint: Endpoint, host: string, port: number): Promise<OpenPort> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js')
  const server = new Server({
    'grpc.max_receive_message_length': endpoint.maxMessageSize,
    'grpc.max_send_message_length': -1,
    // Without its own bookkeeping, this version of the library forgets open connections and cannot cut them at the end.
    'grpc.enable_channelz': 1,
  })
  const handlers: { [rpc: string]: Handler } = {}
  for (const rpc of rpcs.keys())
    handlers[rpc] = handler(rpc, endpoint, async (request, authorization) => {
      endpoint.guard(authorization)
      return await answerCall(endpoint.service, rpc, request)
    })
  server.addService(definition(serviceName, [...rpcs.keys()]), handlers)
  server.addService(definition(healthServiceName, ['Check']), {
    Check: handler('Check', endpoint, async (request) => answerHealth(request)),
  })
  const { tls } = endpoint
  if (tls !== undefined) checkTls(tls)
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.ca ?? null,
          [{ cert_chain: tls.cert, private_key: tls.key }],
          tls.ca !== undefined,
        )
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, at) =>
      error === null ? resolve(at) : reject(noAddress(host, port, error)),
    )
  })
  return { port: bound, close: (grace) => closeServer(server, grace) }
}

/** A service of unary procedures whose messages are bytes here: they are decoded where a fault has a status of its own. */
function definition(service: string, procedures: readonly string[]): ServiceDefinition {
  const same = (bytes: Buffer): Buffer => bytes
  return Object.fromEntries(
    procedures.map((name) => [
      name,
      {
        path: `/${service}/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]),
  )
}

function handler(
  rpc: string,
  { log }: Endpoint,
  answerBytes: (request: Buffer, authorization: string | undefined) => Promise<Uint8Array>,
): Handler {
  return (call, answer) => {
    const authorization = call.metadata.get('authorization')[0]
    answerBytes(call.request, authorization?.toString()).then(
      (bytes) => answer(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
      (error: unknown) => {
        const { code, message, isOurs } = statusOf(error)
        if (isOurs) log(logLine(rpc, error))
        answer({ code, details: message })
      },
    )
  }
}

function closeServer(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, grace)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** An address that cannot be listened on. */
export function noAddress(host: string, port: number, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_SERVE_ADDRESS', `Nothing can be served at ${host}, port ${port}: ${messageOf(cause)}.`, {
    facts: { host, port },
    next: 'Choose another port with --port or --grpc-web-port, or another address with --host.',
    cause,
  })
}

/** Tells what is wrong with certificates before a port is opened with them, without a word of what is in them. */
function checkTls({ cert, key, ca }: TlsFiles): void {
  try {
    createSecureContext({ cert, key, ca })
  } catch (error) {
    throw new ZenmlError('ZEN_SERVE_TLS', 'These files are no certificate with its key.', {
      next: 'Give PEM files that belong together with --tls-cert, --tls-key and --tls-ca.',
      cause: error,
    })
  }
}
