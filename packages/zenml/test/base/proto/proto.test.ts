import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ZenmlError } from '../../../src/base/errors.ts'
import { decodeMessage } from '../../../src/base/proto/decode.ts'
import { encodeMessage } from '../../../src/base/proto/encode.ts'
import type { MessageSpec, MessageValue } from '../../../src/base/proto/proto-message.ts'
import { structSpec } from '../../../src/base/proto/well-known.ts'

const nodeSpec: MessageSpec = {
  name: 'Node',
  syntax: 2,
  fields: {
    id: [1, 'int64'],
    child: [2, () => nodeSpec],
    left: [3, () => nodeSpec, 'oneof:side'],
    right: [4, 'string', 'oneof:side'],
    color: [5, { RED: 0, BLUE: 1 }],
    colors: [6, { RED: 0, BLUE: 1 }, 'packed'],
    byName: [7, () => nodeSpec, 'map'],
    colorOf: [8, { RED: 0, BLUE: 1 }, 'map'],
    byId: [9, 'string', 'map:int64'],
    data: [10, () => structSpec],
  },
}

function hex(...parts: string[]): Uint8Array {
  return new Uint8Array(Buffer.from(parts.join('').replaceAll(' ', ''), 'hex'))
}

function isBackUnchanged(bytes: Uint8Array): void {
  expect(Buffer.from(encodeMessage(nodeSpec, decodeMessage(nodeSpec, bytes))).toString('hex')).toBe(
    Buffer.from(bytes).toString('hex'),
  )
}

it('merges a message that stands twice, field by field, however deep', () => {
  // child { id: 1, child { id: 5 } }, child { color: BLUE, child { color: RED } }
  expect(decodeMessage(nodeSpec, hex('12 06 08 01 12 02 08 05', '12 06 28 01 12 02 28 00'))).toEqual({
    child: { id: 1, color: 'BLUE', child: { id: 5, color: 'RED' } },
  })
})

it('merges a Struct that stands twice', () => {
  const twice = (first: object, second: object): Uint8Array =>
    new Uint8Array(Buffer.concat([encodeMessage(nodeSpec, { data: first }), encodeMessage(nodeSpec, { data: second })]))
  expect(decodeMessage(nodeSpec, twice({ a: 1, b: { c: 1 } }, { b: { d: 2 } }))).toEqual({
    data: { a: 1, b: { d: 2 } },
  })
})

it('forgets a member of a oneof that another one follows, and does not merge it with a later one', () => {
  expect(decodeMessage(nodeSpec, hex('1a 02 08 01', '22 01 78'))).toEqual({ right: 'x' })
  expect(decodeMessage(nodeSpec, hex('1a 02 08 01', '22 01 78', '1a 02 28 01'))).toEqual({ left: { color: 'BLUE' } })
})

it('keeps numbers that an enum does not know as unknown fields', () => {
  const unknown = hex('28 07')
  expect(decodeMessage(nodeSpec, unknown)).toEqual({ unknownFields: [{ bytes: unknown }] })
  isBackUnchanged(unknown)
  // In a packed list, the known ones stay in it.
  expect(decodeMessage(nodeSpec, hex('32 03 00 07 01'))).toEqual({
    colors: ['RED', 'BLUE'],
    unknownFields: [{ bytes: hex('30 07') }],
  })
  // In a map, the whole entry stays.
  const entry = hex('42 05 0a 01 61 10 07')
  expect(decodeMessage(nodeSpec, entry)).toEqual({ unknownFields: [{ bytes: entry }] })
  isBackUnchanged(entry)
})

it('reads entries of maps that lack a key or a value, or stand twice', () => {
  expect(decodeMessage(nodeSpec, hex('3a 00'))).toEqual({ byName: new Map([['', {}]]) })
  expect(decodeMessage(nodeSpec, hex('42 03 0a 01 61'))).toEqual({ colorOf: new Map([['a', 'RED']]) })
  expect(decodeMessage(nodeSpec, hex('4a 03 12 01 78'))).toEqual({ byId: new Map([['0', 'x']]) })
  expect(decodeMessage(nodeSpec, hex('3a 07 0a 01 61 12 02 08 01', '3a 07 0a 01 61 12 02 28 01'))).toEqual({
    byName: new Map([['a', { color: 'BLUE' }]]),
  })
})

it('writes maps in the order of their keys, and takes whole numbers in any form as keys', () => {
  const made = encodeMessage(nodeSpec, {
    byId: new Map<unknown, string>([
      [10, 'c'],
      ['-1', 'a'],
      [9n, 'b'],
    ]),
  })
  expect([...(decodeMessage(nodeSpec, made)['byId'] as Map<string, string>)]).toEqual([
    ['-1', 'a'],
    ['9', 'b'],
    ['10', 'c'],
  ])
  expect(() => encodeMessage(nodeSpec, { byId: new Map([['x', 'y']]) })).toThrow('Node.by_id cannot be written')
  expect(() => encodeMessage(nodeSpec, { byId: new Map([['9223372036854775808', 'y']]) })).toThrow('is not from')
  expect(() => encodeMessage(nodeSpec, { byName: { a: {} } })).toThrow('a Map was expected')
})

it('gives numbers where they are exact, and bigints beyond', () => {
  for (const id of [
    0,
    -1,
    2 ** 31,
    2 ** 49,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    2n ** 53n,
    -(2n ** 63n),
  ])
    expect(decodeMessage(nodeSpec, encodeMessage(nodeSpec, { id }))).toEqual({ id })
})

it('takes "__proto__" for a key as any other', () => {
  const data = JSON.parse('{"__proto__": {"polluted": true}}') as object
  const back = decodeMessage(nodeSpec, encodeMessage(nodeSpec, { data }))['data'] as object
  expect(JSON.stringify(back)).toBe('{"__proto__":{"polluted":true}}')
  expect('polluted' in back).toBe(false)
})

it('refuses messages that lie too deep, in bytes and in objects, instead of running out of stack', () => {
  let bytes = new Uint8Array(0)
  let message: MessageValue = {}
  let data: object = {}
  for (let depth = 0; depth < 5000; depth++) {
    message = { child: message }
    data = { x: data }
    const length = bytes.length
    const head = length < 128 ? [0x12, length] : [0x12, (length & 0x7f) | 0x80, length >> 7]
    if (length < 8192) bytes = Uint8Array.from([...head, ...bytes])
  }
  expect(() => decodeMessage(nodeSpec, bytes)).toThrow('more than 100 deep')
  expect(() => encodeMessage(nodeSpec, message)).toThrow('more than 100 deep')
  expect(() => encodeMessage(nodeSpec, { data })).toThrow('more than 100 deep')
})

it('refuses what a Struct cannot hold', () => {
  for (const data of [[], 'x', null, { a: undefined }, { a: 1n }, { a: [() => 1] }])
    expect(() => encodeMessage(nodeSpec, { data })).toThrow('cannot be written')
})

it('ends in a message or in ZEN_PROTO_CORRUPT whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        encodeMessage(nodeSpec, decodeMessage(nodeSpec, bytes))
      } catch (error) {
        expect((error as ZenmlError).code).toBe('ZEN_PROTO_CORRUPT')
        expect(error).toBeInstanceOf(ZenmlError)
      }
    }),
    { numRuns: 3000 },
  )
})
