import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import { deploy } from '../../src/steps/deploy.ts'
import { preprocess } from '../../src/steps/preprocess.ts'
import { inferSchema } from '../../src/steps/schema.ts'
import { statistics } from '../../src/steps/statistics.ts'
import { trainLinear } from '../../src/steps/train-linear.ts'
import { type ServingCopy, type ServingProcess, serve, servingCopy } from '../support/serving.ts'
import { examplesOf, type Row } from './written-examples.ts'

let copy: ServingCopy
let server: ServingProcess
beforeAll(async () => {
  const rows = (from: number): Row[] =>
    Array.from({ length: 20 }, (_, row) => ({ x: from + row / 8, y: row % 2 === 0 ? 'even' : 'odd' }))
  const examples = await examplesOf({ train: rows(0), eval: rows(3) })
  await using facts = await runStep(statistics, { inputs: { examples } })
  await using inferred = await runStep(inferSchema, { inputs: { statistics: facts.outputs.statistics } })
  await using fitted = await runStep(preprocess, { inputs: { examples }, parameters: { label: 'y' } })
  const { transform } = fitted.outputs
  await using trained = await runStep(trainLinear, { inputs: { examples, transform } })
  await using deployed = await runStep(deploy, {
    inputs: { model: trained.outputs.model, transform, schema: inferred.outputs.schema, verdict: undefined },
  })
  copy = await servingCopy(deployed.directories.serving)
  server = await serve(copy.directory, '--max-body', '2000', '--max-rows', '50')
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  copy[Symbol.dispose]()
})

it('listens on this machine alone, tells that it is well, and what a row has', async () => {
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const health = await fetch(`${server.url}/health`)
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
  const schema = (await (await fetch(`${server.url}/schema`)).json()) as object
  expect(schema).toMatchObject({
    label: 'y',
    classes: ['even', 'odd'],
    features: [{ name: 'x', kind: 'float', required: false, several: false }],
    unused: ['y'],
    model: { format: 'zenml-linear' },
  })
  expect(JSON.stringify(schema)).not.toContain(copy.directory)
})

it('refuses what is no request of its own, each with a status and a stable code', async () => {
  const codeOf = async (body: unknown, headers?: { [name: string]: string }): Promise<string> => {
    const { status, body: said } = await server.post(body, headers)
    return `${status} ${said.error?.code}`
  }
  expect(await codeOf('{"rows":')).toBe('400 ZEN_SERVING_JSON')
  expect(await codeOf(Uint8Array.of(0x22, 0xff, 0x22))).toBe('400 ZEN_SERVING_JSON')
  for (const body of ['[]', '7', 'null', '{}', '{"rows":{}}', '{"rows":[],"more":1}', '{"__proto__":{"rows":[]}}'])
    expect(await codeOf(body), body).toBe('400 ZEN_SERVING_ROWS')
  expect(await codeOf({ rows: [[]] })).toBe('400 ZEN_SERVING_ROWS')
  expect(await codeOf({ rows: [{ z: 1 }] })).toBe('400 ZEN_SERVING_FEATURE')
  expect(await codeOf('{"rows":[{"__proto__":{"x":1}}]}')).toBe('400 ZEN_SERVING_FEATURE')
  expect(await codeOf({ rows: [{ x: 'one' }] })).toBe('400 ZEN_SERVING_VALUE')
  expect(await codeOf(`{"rows":[{"x":${'['.repeat(900)}${']'.repeat(900)}}]}`)).toBe('400 ZEN_SERVING_VALUE')
  expect(await codeOf({ rows: [] }, { 'content-type': 'text/plain' })).toBe('415 ZEN_SERVING_TYPE')
  expect(await codeOf({ rows: [] }, { 'content-type': 'application/json; charset=utf-8' })).toBe('200 undefined')
  expect(await codeOf({ rows: Array.from({ length: 51 }, () => ({})) })).toBe('413 ZEN_SERVING_SIZE')
  expect(await codeOf({ rows: [], pad: 'x'.repeat(3000) })).toBe('413 ZEN_SERVING_SIZE')
  for (const path of ['/', '/serving.json', '/../serving.json', '/model/model.json', '/predict/..', '//etc/passwd'])
    expect((await fetch(`${server.url}${path}`)).status, path).toBe(404)
  const wrong = await fetch(`${server.url}/predict`)
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  const { body } = await server.post({ rows: [{ x: 1 }, { x: true }] })
  expect(body.error).toMatchObject({ facts: { row: 1 }, message: expect.stringContaining('Row 1') })
})

it('a body without a length is cut off where it is too long', async () => {
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${server.url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    })
    sent.once('response', (response) => resolve(response.statusCode))
    sent.once('error', reject)
    sent.write('{"rows":[')
    sent.write(' '.repeat(5000))
  })
  expect(status).toBe(413)
  expect((await server.post({ rows: [{ x: 1 }] })).status).toBe(200)
})

it('ends what it has begun when it is told to stop, and takes nothing new', async () => {
  await using other = await serve(copy.directory)
  const { hostname, port } = new URL(other.url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify({ rows: [{ x: 1 }] })
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const begun = `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`
  await new Promise<void>((resolve) => socket.write(`${begun}${body.slice(0, 5)}`, () => resolve()))
  // A whole exchange on another connection: the server has seen the first by then.
  expect((await fetch(`${other.url}/health`)).status).toBe(200)
  const ended = new Promise((resolve) => other.child.once('exit', resolve))
  other.child.kill('SIGTERM')
  while (
    await fetch(`${other.url}/health`).then(
      () => true,
      () => false,
    )
  );
  socket.write(body.slice(5))
  await closed
  expect(answer).toContain('HTTP/1.1 200')
  expect(await ended).toBe(0)
})

it('says what is wrong with its options, and does not serve a model that was changed', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['serve.mjs', ...args], { cwd: copy.directory, encoding: 'utf8', env: {} })
  expect(run('--help').stdout).toContain('--max-body')
  expect(run('--prot', '1')).toMatchObject({ status: 2, stderr: expect.stringContaining('--prot') })
  expect(run('--port', '70000')).toMatchObject({ status: 2, stderr: expect.stringContaining('from 0 to 65535') })
  const taken = new URL(server.url).port
  expect(run('--port', taken)).toMatchObject({ status: 1, stderr: expect.stringContaining('EADDRINUSE') })
  appendFileSync(join(copy.directory, 'model/files/linear.json'), ' ')
  expect(run('--port', '0')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('linear.json is not the file'),
  })
})
