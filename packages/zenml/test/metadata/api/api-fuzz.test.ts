import fc from 'fast-check'
import { expect, it } from 'vitest'
import { metadataService } from '../../../src/metadata/api/service.ts'
import { StatusError } from '../../../src/metadata/api/status.ts'
import { rpcs } from '../../../src/metadata/wire/rpcs.ts'
import { anything, messagesOf } from '../wire/arbitrary-message.ts'
import { databaseTypes, freshStore, runs } from './store.ts'

/** Mostly what is there, so that requests get far; at times anything. */
const likely = {
  whole: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 14 }) }, { weight: 1, arbitrary: anything.whole }),
  key: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('p', 'q') }, { weight: 1, arbitrary: anything.key }),
  text: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'c', 'uri', 'state', 'id = 1', `type = 'a'`) },
    { weight: 1, arbitrary: anything.text },
  ),
  double: anything.double,
}

it.each(databaseTypes)(
  'whatever is asked on %s is answered or refused in words of ML Metadata (skipped without a server)',
  async (type) => {
    if (!runs(type)) return
    await using store = await freshStore(type)
    const properties = { p: 'STRING', q: 'INT' }
    await store.call('PutTypes', {
      artifact_types: [{ name: 'a', properties }],
      execution_types: [{ name: 'a', properties }],
      context_types: [{ name: 'a', properties }],
    })
    const service = metadataService(store.database)
    const odd = new Set<string>()
    const ends = new Map<string, number>()
    const noted = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1)
    for (const [rpc, { request }] of rpcs) {
      const requests = fc.sample(messagesOf(request, likely, 4), { numRuns: 60, seed: 11 })
      for (let from = 0; from < requests.length; from += 6)
        await Promise.all(
          requests.slice(from, from + 6).map((message) =>
            service.call(rpc, message).then(
              () => noted('OK'),
              (error: unknown) => {
                if (!(error instanceof StatusError)) odd.add(`${rpc}: ${error}`)
                else noted(error.status)
              },
            ),
          ),
        )
    }
    expect([...odd]).toEqual([])
    expect(ends.get('OK')).toBeGreaterThan(300)
    expect(ends.get('INVALID_ARGUMENT')).toBeGreaterThan(300)
  },
  120_000,
)
