import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage } from '../../../src/base/proto/decode.ts'
import { encodeMessage } from '../../../src/base/proto/encode.ts'
import { fieldsOf, type MessageSpec, type MessageValue } from '../../../src/base/proto/proto-message.ts'
import { anySpec } from '../../../src/base/proto/well-known.ts'
import { messageFromJson } from '../../../src/metadata/wire/from-json.ts'
import { messageSpecs } from '../../../src/metadata/wire/messages.ts'
import { rpcs } from '../../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../../src/metadata/wire/to-json.ts'
import { anything, messagesOf } from './arbitrary-message.ts'
import { contract, contractMessages, contractRoot, contractRpcs, goldenVectors, samplesFolder } from './contract.ts'

/** JSON to message to bytes to message to JSON. */
function there(spec: MessageSpec, json: unknown): unknown {
  return messageToJson(spec, decodeMessage(spec, encodeMessage(spec, messageFromJson(spec, json))))
}

interface Step {
  readonly rpc: string
  readonly request?: unknown
  readonly response?: unknown
}

/** Numbers for int64, which requests of the recordings have, come back as texts. */
function wholeAsText(spec: MessageSpec, json: unknown): unknown {
  return messageToJson(spec, messageFromJson(spec, json))
}

function holdsUnchanged({ rpc, request, response }: Step): void {
  const specs = rpcs.get(rpc)!
  if (request !== undefined) expect(there(specs.request, request)).toEqual(wholeAsText(specs.request, request))
  if (response !== undefined) expect(there(specs.response, response)).toEqual(response)
}

describe.skipIf(goldenVectors === undefined)(
  'what the real core recorded (skipped where the shared samples are absent)',
  () => {
    const { scenarios } = JSON.parse(
      (goldenVectors ?? '{"scenarios":[]}').replaceAll('"<now>"', '"1700000000000"'),
    ) as {
      scenarios: { name: string; steps: Step[] }[]
    }
    it.each(scenarios)('goes over the wire unchanged: $name', ({ steps }) => {
      for (const step of steps) holdsUnchanged(step)
    })

    const answers =
      goldenVectors === undefined ? [] : readdirSync(samplesFolder).filter((file) => file.endsWith('.expected.json'))
    it.each(answers)('goes over the wire unchanged: %s', (file) => {
      const told = JSON.parse(readFileSync(join(samplesFolder, file), 'utf8')) as
        | Step[]
        | { [rpc: string]: Omit<Step, 'rpc'> }
      const steps = Array.isArray(told) ? told : Object.entries(told).map(([rpc, step]) => ({ rpc, ...step }))
      expect(steps.length).toBeGreaterThan(0)
      for (const step of steps) holdsUnchanged(step)
    })
  },
)

describe.skipIf(contract === undefined)('the written contract (skipped where the shared samples are absent)', () => {
  const text = contract ?? ''
  const root = contract === undefined ? undefined : contractRoot(text)

  it('names the same messages and remote procedures as we have', () => {
    expect([...messageSpecs.keys()].sort()).toEqual(
      contractMessages(text)
        .map((name) => `ml_metadata.${name}`)
        .sort(),
    )
    expect([...rpcs.keys()]).toEqual(contractRpcs(text))
    for (const [name, { request, response }] of rpcs)
      expect([request.name, response.name]).toEqual([`ml_metadata.${name}Request`, `ml_metadata.${name}Response`])
  })

  it('has the same fields, numbers, types and oneofs in every message', () => {
    for (const [name, spec] of messageSpecs) {
      const type = root!.lookupType(name)
      expect(fieldsOf(spec).map(({ key, number, oneof, packed }) => ({ key, number, oneof, packed }))).toEqual(
        type.fieldsArray
          .map((field) => ({
            key: field.name,
            number: field.id,
            oneof: field.partOf?.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
            packed: field.repeated && field.packed,
          }))
          .sort((left, right) => left.number - right.number),
      )
    }
  })

  // protobufjs holds whole numbers as doubles here, and orders keys that look like numbers by themselves.
  const simple = {
    ...anything,
    whole: fc.maxSafeInteger(),
    key: fc.oneof(
      fc.string({ maxLength: 4 }).map((rest) => `k${rest}`),
      fc.constant('constructor'),
    ),
  }
  it('makes the bytes that protobufjs makes of the same messages, and reads those', () => {
    for (const [name, spec] of messageSpecs) {
      const type = root!.lookupType(name)
      fc.assert(
        fc.property(messagesOf(spec, simple, 4), (message) => {
          const theirs = type.encode(type.fromObject(forOracle(spec, message) as object)).finish()
          expect(Buffer.from(encodeMessage(spec, message)).toString('hex')).toBe(Buffer.from(theirs).toString('hex'))
          expect(decodeMessage(spec, theirs)).toEqual(message)
        }),
        { numRuns: 20 },
      )
    }
  })
})

/** A message as protobufjs wants it. */
function forOracle(spec: MessageSpec, message: MessageValue): unknown {
  if (spec === anySpec) return { type_url: message['typeUrl'], value: message['value'] }
  const result: { [key: string]: unknown } = {}
  for (const { key, message: inner, repeated, entry } of fieldsOf(spec)) {
    const value = message[key]
    if (value === undefined) continue
    const one = (of: (() => MessageSpec) | undefined, item: unknown): unknown => {
      if (of === undefined) return item
      const { plain } = of()
      return forOracle(of(), plain === undefined ? (item as MessageValue) : plain.write(item)!)
    }
    if (entry !== undefined) {
      const of = fieldsOf(entry)[1]!.message
      const entries = [...(value as Map<string, unknown>)].sort(([left], [right]) => (left < right ? -1 : 1))
      result[key] = Object.fromEntries(entries.map(([name, item]) => [name, one(of, item)]))
    } else result[key] = repeated ? (value as unknown[]).map((item) => one(inner, item)) : one(inner, value)
  }
  return result
}

describe('any message', () => {
  const requests = [...rpcs.values()].flatMap(({ request, response }) => [request, response])

  it('comes back from its bytes, which are the same for equal messages', () => {
    for (const spec of requests)
      fc.assert(
        fc.property(messagesOf(spec, anything, 4), (message) => {
          const bytes = encodeMessage(spec, message)
          const back = decodeMessage(spec, bytes)
          expect(back).toEqual(message)
          expect(Buffer.compare(encodeMessage(spec, back), bytes)).toBe(0)
        }),
        { numRuns: 20 },
      )
  })

  it('comes back from its JSON', () => {
    const finite = {
      ...anything,
      double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    }
    for (const spec of requests)
      fc.assert(
        fc.property(messagesOf(spec, finite, 4), (message) => {
          const json = JSON.parse(JSON.stringify(messageToJson(spec, message)))
          expect(messageToJson(spec, messageFromJson(spec, json))).toEqual(json)
          expect(Buffer.compare(encodeMessage(spec, messageFromJson(spec, json)), encodeMessage(spec, message))).toBe(0)
        }),
        { numRuns: 20 },
      )
  })
})

describe('JSON that is no message', () => {
  const artifact = messageSpecs.get('ml_metadata.PutArtifactsRequest')!
  it.each([
    [{ artefacts: [] }, 'artefacts: ml_metadata.PutArtifactsRequest has no such field.'],
    [{ artifacts: {} }, 'artifacts: a list was expected.'],
    [{ artifacts: [{ id: '1.5' }] }, 'artifacts[0].id: a whole number was expected.'],
    [{ artifacts: [{ id: '9223372036854775808' }] }, 'artifacts[0].id: 9223372036854775808 is not from'],
    [{ artifacts: [{ state: 'ALIVE' }] }, 'artifacts[0].state: one of UNKNOWN, PENDING'],
    [{ artifacts: [{ type_id: 1, typeId: 1 }] }, 'artifacts[0].typeId: it cannot stand beside type_id.'],
    [
      { artifacts: [{ properties: { x: { int_value: 1, bool_value: true } } }] },
      'artifacts[0].properties["x"].bool_value: it cannot stand beside int_value.',
    ],
    [{ artifacts: [{ system_metadata: { '@type': 'x/y.Z', a: 1 } }] }, 'artifacts[0].system_metadata: "x/y.Z" is no'],
    [[], 'The message: an object was expected.'],
  ])('is refused with its place: %j', (json, told) => {
    expect(() => messageFromJson(artifact, json)).toThrow(told)
  })
})
