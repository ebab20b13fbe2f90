import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeMessage } from '../../src/base/proto/encode.ts'
import { rpcs, serviceName } from '../../src/metadata/wire/rpcs.ts'
import { anything, messagesOf } from '../metadata/wire/arbitrary-message.ts'
import { serving, testClient } from './serving.ts'

/** What a caller may be told of a request of any bytes. INTERNAL is too, where the real core answers that, in words of its own. */
const decent = new Set([0, 3, 5, 6, 9, 10, 11, 12, 13, 15])

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
