import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js'
import Sqlite from 'better-sqlite3'
import { decodeMessage } from '../../src/base/proto/decode.ts'
import { encodeMessage } from '../../src/base/proto/encode.ts'
import { type MetadataService, metadataService } from '../../src/metadata/api/service.ts'
import { schemaStatements, schemaVersion, simpleTypes } from '../../src/metadata/schema-10.ts'
import { sqliteDatabase } from '../../src/metadata/sql/sqlite.ts'
import { messageFromJson } from '../../src/metadata/wire/from-json.ts'
import { rpcs, serviceName } from '../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../src/metadata/wire/to-json.ts'
import { type MetadataServer, type ServeOptions, serveMetadata } from '../../src/server/metadata/serve.ts'

/** How a call ended. */
export interface CallEnd {
  readonly code: number
  readonly details: string
  readonly bytes: Buffer | undefined
}

/** A real gRPC client. */
export interface TestClient extends Disposable {
  /** Any bytes to any path. */
  send(path: string, bytes: Uint8Array, authorization?: string): Promise<CallEnd>
  /** A call of ML Metadata in JSON. */
  call(
    rpc: string,
    request: object,
  ): Promise<{ readonly code: number; readonly details: string; readonly response: unknown }>
}

/** Serves an empty in-memory store, or another service, until it is disposed of. */
export async function serving(
  options: Partial<ServeOptions> = {},
): Promise<MetadataServer & AsyncDisposable & { readonly lines: readonly string[] }> {
  const sqlite = new Sqlite(':memory:')
  for (const statement of schemaStatements) sqlite.exec(statement)
  sqlite.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
  for (const { name, kind } of simpleTypes)
    sqlite.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, kind)
  const database = sqliteDatabase(sqlite)
  const lines: string[] = []
  const server = await serveMetadata({
    service: metadataService(database),
    host: '127.0.0.1',
    port: 0,
    maxMessageSize: 1 << 20,
    log: (line) => void lines.push(line),
    ...options,
  })
  return {
    ...server,
    lines,
    async [Symbol.asyncDispose]() {
      await server.close(0)
      await database[Symbol.asyncDispose]()
    },
  }
}

/** A promise that the test settles. */
export function promised<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A service that does one thing whatever it is asked. */
export function serviceOf(call: MetadataService['call']): MetadataService {
  return { call }
}

export function testClient(port: number, secure: ChannelCredentials = credentials.createInsecure()): TestClient {
  const client = new Client(`localhost:${port}`, secure, {
    'grpc.max_receive_message_length': -1,
    'grpc.enable_retries': 0,
  })
  const send: TestClient['send'] = (path, bytes, authorization) =>
    new Promise((resolve) => {
      const metadata = new Metadata()
      if (authorization !== undefined) metadata.set('authorization', authorization)
      const same = (buffer: Buffer): Buffer => buffer
      client.makeUnaryRequest<Buffer, Buffer>(path, same, same, Buffer.from(bytes), metadata, (error, answer) =>
        resolve({ code: error?.code ?? 0, details: error?.details ?? '', bytes: answer }),
      )
    })
  return {
    send,
    async call(rpc, request) {
      const types = rpcs.get(rpc)!
      const { code, details, bytes } = await send(
        `/${serviceName}/${rpc}`,
        encodeMessage(types.request, messageFromJson(types.request, request)),
      )
      return {
        code,
        details,
        response: bytes === undefined ? undefined : messageToJson(types.response, decodeMessage(types.response, bytes)),
      }
    },
    [Symbol.dispose]: () => client.close(),
  }
}

/** Certificates for localhost and for a client, signed by an authority of their own; undefined where there is no openssl. */
export function makeCertificates():
  | { readonly [name in 'ca' | 'cert' | 'key' | 'clientCert' | 'clientKey']: Buffer }
  | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-certificates-'))
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  try {
    openssl('version')
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=a client'],
  ] as const) {
    openssl(
      'req',
      ...newKey,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
      '-addext',
      'subjectAltName=DNS:localhost',
    )
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-copy_extensions', 'copy', '-days', '2', '-out', `${name}.pem`],
    )
  }
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  const made = {
    ca: read('ca.pem'),
    cert: read('server.pem'),
    key: read('server.key'),
    clientCert: read('client.pem'),
    clientKey: read('client.key'),
  }
  rmSync(folder, { recursive: true })
  return made
}
