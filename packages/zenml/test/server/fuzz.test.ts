import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeMessage } from '../../src/base/proto/encode.ts'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { rpcs, serviceName } from '../../src/metadata/wire/rpcs.ts'
import { answerCall } from '../../src/server/metadata/answer-call.ts'
import { statusOf } from '../../src/server/metadata/call-status.ts'
import { anything, messagesOf } from '../metadata/wire/arbitrary-message.ts'
import { place } from '../support/databases.ts'
import { serving, testClient } from './serving.ts'

/** What a caller may be told of a request of any bytes. INTERNAL is too, where the real core answers that, in words of its own. */
const decent = new Set([0, 3, 5, 6, 9, 10, 11, 12, 13, 15])

/** Mostly what is there, so that requests get far. */
const likely = {
  ...anything,
  whole: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 14 }) }, anything.whole),
  text: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', 'b', 'uri', 'id = 1', `type = 'a'`) }, anything.text),
}

/** A message as a caller may have spoiled it: bytes changed, cut out, put in, and halves swapped. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  kind: fc.constantFrom('change', 'cut', 'add', 'swap'),
  byte: fc.nat(255),
})

function spoiled(bytes: Uint8Array, mutations: readonly { at: number; kind: string; byte: number }[]): Uint8Array {
  let result = [...bytes]
  for (const { at, kind, byte } of mutations) {
    const place = Math.floor(at * result.length)
    if (kind === 'change' && result.length > 0) result[place] = byte
    else if (kind === 'cut') result.splice(place, 1)
    else if (kind === 'add') result.splice(place, 0, byte)
    else result = [...result.slice(place), ...result.slice(0, place)]
  }
  return Uint8Array.from(result)
}

it('ten thousand changed messages are answered or refused in words of ML Metadata', async () => {
  await using fresh = await place('sqlite')
  await using database = await openDatabase(fresh.location)
  const service = metadataService(database)
  for (const rpc of ['PutArtifactType', 'PutExecutionType', 'PutContextType'])
    await service.call(rpc, { artifactType: { name: 'a' }, executionType: { name: 'a' }, contextType: { name: 'a' } })
  const seen = new Map<number, number>()
  let sent = 0
  for (const [rpc, { request }] of rpcs) {
    const messages = fc.sample(messagesOf(request, likely, 4), { numRuns: 60, seed: 3 })
    const changes = fc.sample(fc.array(mutation, { minLength: 1, maxLength: 3 }), { numRuns: 240, seed: 4 })
    const requests = changes.map((some, index) => spoiled(encodeMessage(request, messages[index % 60]!), some))
    sent += requests.length
    const statuses = await Promise.all(
      requests.map((bytes) => answerCall(service, rpc, bytes).then(() => ({ code: 0, message: '' }), statusOf)),
    )
    for (const { code, message } of statuses) {
      seen.set(code, (seen.get(code) ?? 0) + 1)
      expect(decent, `${rpc}: ${code} ${message}`).toContain(code)
      expect(message, rpc).not.toContain('The metadata server failed')
    }
  }
  expect(sent).toBeGreaterThan(10_000)
  // The bytes were both good and bad enough to get past the reader and to be stopped by it.
  expect(seen.get(0)).toBeGreaterThan(1000)
  expect(seen.get(3)).toBeGreaterThan(1000)
})

it('answers any bytes with a status that is the caller’s own, and stays up', async () => {
  await using server = await serving()
  using client = testClient(server.port)
  await client.call('PutTypes', {
    artifact_types: [{ name: 'a' }],
    execution_types: [{ name: 'e' }],
    context_types: [{ name: 'c' }],
  })
  const seen = new Map<number, number>()
  for (const [rpc, { request }] of rpcs) {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(messagesOf(request, anything, 4), fc.array(mutation, { maxLength: 3 })), {
          minLength: 1,
          maxLength: 20,
        }),
        async (requests) => {
          const ends = await Promise.all(
            requests.map(([message, mutations]) =>
              client.send(`/${serviceName}/${rpc}`, spoiled(encodeMessage(request, message), mutations)),
            ),
          )
          for (const { code, details } of ends) {
            seen.set(code, (seen.get(code) ?? 0) + 1)
            const place = `${rpc}: ${code} ${details} ${server.lines.at(-1)}`
            expect(decent, place).toContain(code)
            expect(details, place).not.toContain('The metadata server failed')
          }
        },
      ),
      { numRuns: 20, endOnFailure: true },
    )
  }
  const calls = [...seen.values()].reduce((sum, count) => sum + count, 0)
  expect(calls).toBeGreaterThan(5000)
  // The bytes were both good and bad enough to get past the reader and to be stopped by it.
  expect(seen.get(0)).toBeGreaterThan(100)
  expect(seen.get(3)).toBeGreaterThan(100)
  expect((await client.call('GetArtifactTypes', {})).code).toBe(0)
})
