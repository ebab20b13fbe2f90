import { credentials } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import { StatusError, statusCodes } from '../../src/metadata/api/status.ts'
import { serviceName } from '../../src/metadata/wire/rpcs.ts'
import { comparable, goldenScenarios, hasFacts } from '../support/golden.ts'
import { makeCertificates, promised, serviceOf, serving, testClient } from './serving.ts'

const certificates = makeCertificates()

/** What the real core answers in a way that ours mends; see the test of the recordings below the service. */
const mended = new Set(['put_execution/full GetArtifactsByContext'])

it.skipIf(!hasFacts).for(goldenScenarios().map((scenario) => [scenario.name, scenario] as const))(
  'answers a real client as the real core does: %s',
  async ([name, { steps }]) => {
    await using server = await serving()
    using client = testClient(server.port)
    for (const { rpc, request, status, response } of steps) {
      if (mended.has(`${name} ${rpc}`)) continue
      const end = await client.call(rpc, request)
      const place = `${rpc} ${JSON.stringify(request)}: ${end.details}`
      expect(end.code, place).toBe(status === 'OK' ? 0 : statusCodes[status as keyof typeof statusCodes])
      if (status === 'OK') expect(comparable(end.response), place).toEqual(comparable(response))
    }
  },
)

it('answers what it does not implement with UNIMPLEMENTED', async () => {
  await using server = await serving()
  using client = testClient(server.port)
  expect((await client.call('GetLineageGraph', {})).code).toBe(12)
  expect((await client.send(`/${serviceName}/DropEverything`, new Uint8Array(0))).code).toBe(12)
  expect((await client.send('/other.Service/Get', new Uint8Array(0))).code).toBe(12)
})

it('answers bytes that are no request with INVALID_ARGUMENT', async () => {
  await using server = await serving()
  using client = testClient(server.port)
  const end = await client.send(`/${serviceName}/PutArtifacts`, Uint8Array.from([0x0a, 0x7f, 0x01]))
  expect(end).toMatchObject({ code: 3, details: expect.stringContaining('ml_metadata.PutArtifactsRequest') })
})

it('gives the status of what the service throws, and keeps to itself what the caller did not cause', async () => {
  let thrown: unknown
  await using server = await serving({ service: serviceOf(() => Promise.reject(thrown)) })
  using client = testClient(server.port)
  const ends: [unknown, number, string][] = [
    [new StatusError('NOT_FOUND', 'No type "é\ud800".'), 5, 'No type "é\ufffd".'],
    [new StatusError('FAILED_PRECONDITION', 'x'.repeat(100_000)), 9, `${'x'.repeat(1000)}…`],
    // In bytes: a header of gRPC has three for each, and clients take 8 KiB of headers.
    [new StatusError('FAILED_PRECONDITION', `x${'語'.repeat(1000)}`), 9, `x${'語'.repeat(333)}…`],
    [new StatusError('FAILED_PRECONDITION', '😀'.repeat(1000)), 9, `${'😀'.repeat(250)}…`],
    [
      new ZenmlError('ZEN_METADATA_BUSY', '/secret/path is locked'),
      10,
      'The metadata store is busy with other writers; try again.',
    ],
    // Not UNAVAILABLE, which clients answer by doing it again.
    [
      new ZenmlError('ZEN_METADATA_UNCERTAIN', 'mysql at secret.host'),
      13,
      'The metadata server failed; its log says more.',
    ],
    [
      new ZenmlError('ZEN_METADATA_CONNECTION', 'mysql at secret.host'),
      14,
      'The database of the metadata store cannot be reached.',
    ],
    [new ZenmlError('ZEN_OTHER', '/secret/path'), 13, 'The metadata server failed; its log says more.'],
    [new TypeError('secret is not a function'), 13, 'The metadata server failed; its log says more.'],
    ['secret', 13, 'The metadata server failed; its log says more.'],
    [undefined, 13, 'The metadata server failed; its log says more.'],
  ]
  for (const [error, code, details] of ends) {
    thrown = error
    expect(await client.call('GetArtifacts', {})).toMatchObject({ code, details })
  }
  expect(server.lines).toHaveLength(7)
  expect(server.lines[0]).toBe('GetArtifacts: ZEN_METADATA_BUSY /secret/path is locked')
})

it('answers an answer that cannot be written with INTERNAL', async () => {
  await using server = await serving({ service: serviceOf(async () => ({ artifacts: 'none' })) })
  using client = testClient(server.port)
  expect((await client.call('GetArtifacts', {})).code).toBe(13)
  expect(server.lines[0]).toContain('ZEN_PROTO_VALUE')
})

it('answers a request that is too large with RESOURCE_EXHAUSTED and the limit, and serves on', async () => {
  await using server = await serving({ maxMessageSize: 10_000 })
  using client = testClient(server.port)
  const put = (length: number): object => ({
    artifact_type: { name: 'x', description: 'x'.repeat(length) },
  })
  expect(await client.call('PutArtifactType', put(10_000))).toMatchObject({
    code: 8,
    details: expect.stringContaining('10000'),
  })
  expect((await client.call('PutArtifactType', put(9000))).code).toBe(0)
})

it('lets only callers with the token in, but anybody ask whether it serves', async () => {
  await using server = await serving({ token: 'S3cret-token' })
  using client = testClient(server.port)
  const path = `/${serviceName}/GetArtifacts`
  const none = new Uint8Array(0)
  for (const wrong of [undefined, '', 'Bearer', 'Bearer S3cret-toke', 'Bearer S3cret-token2', 'Basic S3cret-token'])
    expect((await client.send(path, none, wrong)).code, wrong).toBe(16)
  expect((await client.send(path, none, 'Bearer S3cret-token')).code).toBe(0)
  expect((await client.send('/grpc.health.v1.Health/Check', none)).code).toBe(0)
})

it('says that it serves', async () => {
  await using server = await serving()
  using client = testClient(server.port)
  const ask = (service: string) =>
    client.send(
      '/grpc.health.v1.Health/Check',
      Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]),
    )
  expect((await ask('')).bytes?.toString('hex')).toBe('0801')
  expect((await ask(serviceName)).bytes?.toString('hex')).toBe('0801')
  expect((await ask('other')).code).toBe(5)
  expect((await client.send('/grpc.health.v1.Health/Check', Uint8Array.of(0xff))).code).toBe(3)
})

it.skipIf(certificates === undefined)(
  'serves over TLS, to whoever trusts its certificate (skipped without openssl)',
  async () => {
    const { ca, cert, key } = certificates!
    await using server = await serving({ tls: { cert, key } })
    using trusting = testClient(server.port, credentials.createSsl(ca))
    expect((await trusting.call('GetArtifacts', {})).code).toBe(0)
    using strict = testClient(server.port, credentials.createSsl())
    expect((await strict.call('GetArtifacts', {})).code).toBe(14)
    using plain = testClient(server.port)
    expect((await plain.call('GetArtifacts', {})).code).toBe(14)
  },
)

it.skipIf(certificates === undefined)(
  'wants certificates of clients where it has their authority (skipped without openssl)',
  async () => {
    const { ca, cert, key, clientCert, clientKey } = certificates!
    await using server = await serving({ tls: { cert, key, ca } })
    using known = testClient(server.port, credentials.createSsl(ca, clientKey, clientCert))
    expect((await known.call('GetArtifacts', {})).code).toBe(0)
    using unknown = testClient(server.port, credentials.createSsl(ca))
    expect((await unknown.call('GetArtifacts', {})).code).toBe(14)
  },
)

it('refuses certificates that are none, and addresses that are taken or not its own', async () => {
  const nonsense = Buffer.from('-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n')
  const broken = serving({ tls: { cert: nonsense, key: nonsense } })
  await expect(broken).rejects.toMatchObject({ code: 'ZEN_SERVE_TLS', message: expect.not.stringContaining('secret') })
  await using server = await serving()
  await expect(serving({ port: server.port })).rejects.toMatchObject({ code: 'ZEN_SERVE_ADDRESS' })
  await expect(serving({ web: { port: server.port, origins: [] } })).rejects.toMatchObject({
    code: 'ZEN_SERVE_ADDRESS',
  })
  await expect(serving({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'ZEN_SERVE_ADDRESS' })
})

it('finishes the calls that run when it is closed, and takes no others', async () => {
  const started = promised<void>()
  const finish = promised<object>()
  await using server = await serving({
    service: serviceOf(() => {
      started.resolve()
      return finish.promise
    }),
  })
  using client = testClient(server.port)
  const running = client.call('GetArtifacts', {})
  await started.promise
  const closed = server.close(60_000)
  using late = testClient(server.port)
  expect((await late.call('GetArtifacts', {})).code).toBe(14)
  finish.resolve({ nextPageToken: 'done' })
  expect(await running).toMatchObject({ code: 0, response: { next_page_token: 'done' } })
  await closed
})

it('does not wait for a call beyond its grace', async () => {
  const started = promised<void>()
  await using server = await serving({
    service: serviceOf(() => {
      started.resolve()
      return new Promise(() => undefined)
    }),
  })
  using client = testClient(server.port)
  const running = client.call('GetArtifacts', {})
  await started.promise
  await server.close(1)
  expect((await running).code).not.toBe(0)
})
