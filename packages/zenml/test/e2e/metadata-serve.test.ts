import { connect } from 'node:net'
import { credentials } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { serviceName } from '../../src/metadata/wire/rpcs.ts'
import { makeCertificates, testClient } from '../server/serving.ts'
import { testProject } from '../support/project.ts'
import { serve } from '../support/serve-command.ts'
import { numbersPipeline } from '../support/steps.ts'

const certificates = makeCertificates()

it.each(['SIGTERM', 'SIGINT'] as const)('serves the store that runs are recorded in, until %s', async (signal) => {
  using project = testProject()
  project.write(numbersPipeline)
  project.commit()
  const served = await serve(project, '--grpc-web-port=0')
  expect(served.document).toMatchObject({ host: '127.0.0.1', tls: false, token: false })
  using client = testClient(served.port)
  // Others go on writing to the store while it is served.
  expect((await project.zenml('pipeline', 'run', 'pipeline.yaml')).code).toBe(0)
  const { code, response } = await client.call('GetExecutions', {})
  expect(code).toBe(0)
  expect((response as { executions: unknown[] }).executions.length).toBeGreaterThan(0)
  const put = await client.call('PutArtifactType', { artifact_type: { name: 'Theirs' } })
  expect(put.code).toBe(0)
  const web = await fetch(`http://127.0.0.1:${served.grpcWebPort}/${serviceName}/GetArtifactTypes`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web' },
    body: new Uint8Array(5),
  })
  expect(Buffer.from(await web.arrayBuffer()).includes('Theirs')).toBe(true)
  expect(await served.end(signal)).toBe(0)
  expect((await project.json('pipeline', 'status', '@latest')).status).toBe('complete')
})

it('ends at once at the second signal, though a caller holds a request open', async () => {
  using project = testProject()
  const served = await serve(project, '--grpc-web-port=0')
  const hanging = connect(served.grpcWebPort!, '127.0.0.1')
  hanging.on('error', () => undefined)
  await new Promise<void>((resolve) => hanging.once('connect', resolve))
  await new Promise<void>((resolve) =>
    hanging.write(
      `POST /${serviceName}/GetArtifacts HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\ncontent-length: 9\r\n\r\n\0`,
      () => resolve(),
    ),
  )
  // The server has read the request when it answers one that came later.
  using client = testClient(served.port)
  expect((await client.call('GetArtifactTypes', {})).code).toBe(0)
  const stopping = new Promise<void>((resolve) => served.child.stderr!.on('data', () => resolve()))
  const first = served.end('SIGINT')
  await stopping
  expect(served.stderr()).toContain('again to leave at once')
  served.child.kill('SIGINT')
  expect(await first).toBe(130)
  hanging.destroy()
})

it.skipIf(certificates === undefined)(
  'serves over TLS with a token from the environment, which it never tells (skipped without openssl)',
  async () => {
    using project = testProject()
    const { ca, cert, key } = certificates!
    project.write({ 'cert.pem': cert, 'key.pem': key, 'token.txt': 'S3cret-token\n' })
    const served = await serve(
      project,
      ...['--tls-cert=cert.pem', '--tls-key=key.pem', '--token-file=token.txt', '--host=0.0.0.0', '--grpc-web-port=0'],
    )
    using client = testClient(served.port, credentials.createSsl(ca))
    const path = `/${serviceName}/GetArtifactTypes`
    expect((await client.send(path, new Uint8Array(0))).code).toBe(16)
    expect((await client.send(path, new Uint8Array(0), 'Bearer S3cret-token')).code).toBe(0)
    expect(await served.end('SIGTERM')).toBe(0)
    expect(served.stderr() + JSON.stringify(served.document)).not.toContain('S3cret')
  },
)

it('warns who could read and change a store that is served to others without protection', async () => {
  using project = testProject()
  const served = await serve(project, '--host=0.0.0.0')
  expect(served.stderr()).toContain('Whoever reaches 0.0.0.0 can read and change this store')
  expect(served.stderr()).toContain('Whoever is between can read along')
  expect(await served.end('SIGTERM')).toBe(0)
})

it.each([
  [['--port=65536'], '--port takes a whole number from 0 to 65535'],
  [['--port=x'], '--port takes a whole number'],
  [['--grpc-web-port=-1'], '--grpc-web-port takes a whole number'],
  [['--grpc-web-origin=https://a.example'], 'nothing without --grpc-web-port'],
  [['--grpc-web-port=0', '--grpc-web-origin=*'], '"*" is no origin'],
  [['--grpc-web-port=0', '--grpc-web-origin=https://a.example/'], 'is no origin'],
  [['--tls-cert=cert.pem'], 'TLS needs both'],
  [['--tls-cert=none.pem', '--tls-key=none.pem'], 'none.pem cannot be read (ENOENT)'],
  [['--token-env=NOT_SET'], 'The variable NOT_SET holds no token'],
  [['--token-file=spaces.txt'], 'spaces.txt holds no token'],
  [['--token-env=A', '--token-file=b'], 'exclude one another'],
  [['--max-message-size=0'], '--max-message-size takes a whole number from 1'],
])('refuses %j', async (args, told) => {
  using project = testProject()
  project.write({ 'spaces.txt': 'S3cret token' })
  const { code, stderr } = await project.zenml('metadata', 'serve', ...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining(told)])
  expect(stderr).not.toContain('S3cret')
})
