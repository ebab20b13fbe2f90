import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import type { ExampleBatch, FloatColumn } from '../../src/formats/batch.ts'
import { batchOf, type Cell, type CellValue } from '../../src/formats/batch-of.ts'
import { exampleDecoder } from '../../src/formats/decode-examples.ts'
import { blockOf, decodeAll, encodeAll, oracle, plainByBatch, plainByOracle, recordsOf } from './example-oracle.ts'

const kinds = { i: 'int', j: 'int', f: 'float', b: 'bytes', a_longer_name: 'bytes', é: 'float' } as const
// protobufjs reads whole numbers as doubles: those beyond 2^53 - 1 have properties of their own.
const int = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.maxSafeInteger())
const big = fc.oneof(int, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))
const float = fc.oneof(
  fc.float(),
  fc.integer().map(Math.fround),
  fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY),
)
const bytes = fc.oneof(fc.string(), fc.uint8Array(), fc.uint8Array({ minLength: 90, maxLength: 200 }))
function cell<T extends CellValue>(value: fc.Arbitrary<T>): fc.Arbitrary<Cell> {
  return fc.oneof<fc.Arbitrary<Cell>[]>(value, value, value, fc.array(value, { maxLength: 40 }), fc.constant(null))
}
const row = fc.record(
  {
    i: cell(int),
    j: cell(fc.integer({ min: 0, max: 9 })),
    f: cell(float),
    b: cell(bytes),
    a_longer_name: cell(bytes),
    é: cell(float),
  },
  { requiredKeys: [] },
)
const rows = fc.array(row, { maxLength: 12 })
const bigRows = fc.array(fc.record({ i: cell(big), j: cell(int) }, { requiredKeys: [] }), { maxLength: 12 })

function plain(batch: ExampleBatch): unknown[] {
  return Array.from({ length: batch.length }, (_, index) => plainByBatch(batch, index))
}

describe('the encoder', () => {
  it('writes the bytes that it has always written', () => {
    const framed = encodeAll(
      batchOf([{ b: 'Gentoo', f: 1.5, i: 300, none: null, several: [1, -1] }], { f: 'float', none: 'bytes' }),
    )
    expect(Buffer.from(framed).toString('hex')).toBe(
      '4b0000000000000087099996' +
        '0a49' +
        '0a0f0a0162120a0a080a0647656e746f6f' +
        '0a0d0a0166120812060a040000c03f' +
        '0a0b0a016912061a040a02ac02' +
        '0a1a0a077365766572616c120f1a0d0a0b01ffffffffffffffffff01' +
        '55251e63',
    )
  })

  it('writes what protobufjs reads as the same values', () => {
    fc.assert(
      fc.property(rows, (items) => {
        const batch = batchOf(items, kinds)
        const records = recordsOf(encodeAll(batch))
        expect(records.map(plainByOracle)).toEqual(plain(batch))
      }),
    )
  })

  it('writes the bytes that protobufjs writes for the same features in the same order', () => {
    fc.assert(
      fc.property(rows, (items) => {
        for (const record of recordsOf(encodeAll(batchOf(items, kinds)))) {
          const again = oracle.encode(oracle.decode(record)).finish()
          expect(Buffer.from(record).equals(again)).toBe(true)
        }
      }),
    )
  })

  it('writes the same bytes however rows are cut into batches', () => {
    fc.assert(
      fc.property(rows, fc.nat(12), (items, cut) => {
        const whole = encodeAll(batchOf(items, kinds))
        const parts = encodeAll(batchOf(items.slice(0, cut), kinds), batchOf(items.slice(cut), kinds))
        expect(Buffer.from(parts).equals(whole)).toBe(true)
      }),
    )
  })

  it('writes and reads every 64-bit whole number', () => {
    fc.assert(
      fc.property(bigRows, (items) => {
        const batch = batchOf(items, { i: 'int', j: 'int' })
        expect(plain(decodeAll(recordsOf(encodeAll(batch))))).toEqual(plain(batch))
      }),
    )
    for (const [value, varint] of [
      [2n ** 63n - 1n, 'ffffffffffffffff7f'],
      [-(2n ** 63n), '80808080808080808001'],
      [-1n, 'ffffffffffffffffff01'],
      [2n ** 53n, '8080808080808010'],
      [2n ** 32n, '8080808010'],
      [2n ** 28n - 1n, 'ffffff7f'],
      [2n ** 28n, '8080808001'],
    ] as const) {
      const [record] = recordsOf(encodeAll(batchOf([{ i: value }])))
      expect(Buffer.from(record!).toString('hex').endsWith(varint)).toBe(true)
    }
  })

  it('keeps every bit of a float, also of a NaN', () => {
    const values = new Float32Array(3)
    new Uint32Array(values.buffer).set([0x7fa00001, 0xffc12345, 0x80000000])
    const batch: ExampleBatch = { length: 3, columns: new Map([['f', { kind: 'float', values }]]) }
    const column = decodeAll(recordsOf(encodeAll(batch))).columns.get('f') as FloatColumn
    expect(column.kind).toBe('float')
    expect(new Uint8Array(column.values.slice().buffer)).toEqual(new Uint8Array(values.buffer))
  })

  it.each<[string, ExampleBatch['columns']]>([
    ['a fraction among ints', new Map([['x', { kind: 'int', values: Float64Array.of(0.5) }]])],
    ['a fraction below a thousand', new Map([['x', { kind: 'int', values: Float64Array.of(300.25) }]])],
    ['a NaN among ints', new Map([['x', { kind: 'int', values: Float64Array.of(Number.NaN) }]])],
    ['an int that a double cannot hold', new Map([['x', { kind: 'int', values: Float64Array.of(2 ** 60) }]])],
    ['too few values', new Map([['x', { kind: 'int', values: new Float64Array(0) }]])],
    ['too few offsets', new Map([['x', { kind: 'float', values: new Float32Array(1), offsets: Uint32Array.of(0) }]])],
    [
      'offsets that go back',
      new Map([['x', { kind: 'float', values: new Float32Array(1), offsets: Uint32Array.of(1, 0) }]]),
    ],
    [
      'offsets beyond the values',
      new Map([['x', { kind: 'float', values: new Float32Array(1), offsets: Uint32Array.of(0, 5) }]]),
    ],
    [
      'an offset just beyond the values',
      new Map([['x', { kind: 'float', values: new Float32Array(1), offsets: Uint32Array.of(1, 2) }]]),
    ],
    ['ends beyond the data', new Map([['x', { kind: 'bytes', data: new Uint8Array(2), ends: Uint32Array.of(3) }]])],
    ['a name that is no text', new Map([['\ud800', { kind: 'float', values: new Float32Array(1) }]])],
  ])('refuses %s', (_, columns) => {
    expect(() => encodeAll({ length: 1, columns })).toThrow(expect.objectContaining({ code: 'ZEN_BATCH_INVALID' }))
  })
})

describe('the decoder', () => {
  it('gives back what the encoder was given', () => {
    fc.assert(
      fc.property(fc.oneof(rows, bigRows), (items) => {
        const batch = batchOf(items, kinds)
        const decoded = decodeAll(recordsOf(encodeAll(batch)))
        expect(plain(decoded)).toEqual(plain(batch))
        for (const column of decoded.columns.values()) {
          if (column.kind === 'int') {
            const unsafe = column.values.some((value) => !Number.isSafeInteger(value))
            expect(column.big !== undefined).toBe(unsafe)
          }
        }
      }),
    )
  })

  it('reads what protobufjs wrote, its features in any order', () => {
    const feature = fc.oneof(
      fc.array(fc.uint8Array()).map((value) => ({ bytes_list: { value } })),
      fc.array(fc.integer()).map((value) => ({ int64_list: { value } })),
      fc.array(fc.float()).map((value) => ({ float_list: { value } })),
      fc.constant({}),
    )
    // One kind for each name, as TensorFlow wants it: the name ends in the kind.
    const examples = fc.array(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), feature)), {
      maxLength: 10,
    })
    fc.assert(
      fc.property(examples, (items) => {
        const records = items.map((entries) => {
          const named = entries.map(([name, value]) => [`${name}_${Object.keys(value)[0] ?? 'bytes_list'}`, value])
          return oracle.encode({ features: { feature: Object.fromEntries(named) } }).finish()
        })
        expect(plain(decodeAll(records))).toEqual(records.map(plainByOracle))
      }),
    )
  })

  it('leaves offsets out exactly where every row has one value', () => {
    const batch = decodeAll(
      recordsOf(
        encodeAll(
          batchOf([
            { a: 1, b: 'x', c: [1, 2] },
            { a: 2, c: 3 },
          ]),
        ),
      ),
    )
    expect(batch.columns.get('a')!.offsets).toBeUndefined()
    expect([...batch.columns.get('b')!.offsets!]).toEqual([0, 1, 1])
    expect([...batch.columns.get('c')!.offsets!]).toEqual([0, 2, 3])
  })

  it('decodes only the features asked for, and steps over the others whatever is in them', () => {
    fc.assert(
      fc.property(rows, fc.subarray(Object.keys(kinds)), (items, columns) => {
        const records = recordsOf(encodeAll(batchOf(items, kinds)))
        const some = decodeAll(records, columns)
        const expected = records.map(plainByOracle).map((plainRow) => {
          return Object.fromEntries(Object.entries(plainRow).filter(([name]) => columns.includes(name)))
        })
        expect(plain(some)).toEqual(expected)
      }),
    )
  })

  it('gives every feature that it was told of, also where no row has it', () => {
    const decoder = exampleDecoder({
      batchSize: 10,
      features: new Map([
        ['a', 'int'],
        ['z', 'bytes'],
      ]),
    })
    decoder.decode(blockOf(recordsOf(encodeAll(batchOf([{ a: 1 }, { a: 2 }])))), 0, 'memory')
    const { columns } = decoder.take()
    expect([...columns.keys()]).toEqual(['a', 'z'])
    expect([...columns.get('z')!.offsets!]).toEqual([0, 0, 0])
  })

  /** Length-delimited field. */
  function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
    const contents = Buffer.concat(parts)
    const length = contents.length < 128 ? [contents.length] : [(contents.length & 127) | 128, contents.length >> 7]
    return Buffer.concat([Buffer.of((number << 3) | 2, ...length), contents])
  }
  const text = (value: string) => Buffer.from(value)

  it('reads numbers that are not packed, next to packed ones, with fields that it does not know between them', () => {
    const unknown = Buffer.concat([
      Buffer.of(0x78, 0x96, 0x01),
      Buffer.of(0x7d, 1, 2, 3, 4),
      Buffer.of(0x79, 1, 2, 3, 4, 5, 6, 7, 8),
      field(15, text('?')),
    ])
    const ints = field(3, Buffer.of(0x08, 0x07), unknown, field(1, Buffer.of(0x01, 0xac, 0x02)), Buffer.of(0x08, 0x02))
    const floats = field(2, Buffer.of(0x0d, 0, 0, 0x80, 0x3f), field(1, Buffer.of(0, 0, 0, 0x40, 0, 0, 0x40, 0x40)))
    const record = Buffer.concat([
      unknown,
      field(
        1,
        unknown,
        field(1, unknown, field(2, unknown, ints), field(1, text('i')), unknown),
        field(1, field(1, text('f')), field(2, floats, unknown)),
      ),
      unknown,
    ])
    expect(plain(decodeAll([record]))).toEqual([
      { f: { kind: 'float', values: ['1', '2', '3'] }, i: { kind: 'int', values: ['7', '1', '300', '2'] } },
    ])
  })

  it('takes the last of two entries of one name, and the last kind of a feature', () => {
    const one = field(1, field(1, text('a')), field(2, field(1, field(1, text('first')))))
    const two = field(1, field(1, text('a')), field(2, field(1, field(1, text('second')))))
    const none = field(1, field(1, text('a')), field(2))
    const mixed = field(
      1,
      field(1, text('a')),
      field(2, field(3, Buffer.of(8, 1)), field(1, field(1, text('x'))), field(1, field(1, text('y')))),
    )
    const values = (...entries: Buffer[]) => plain(decodeAll([field(1, ...entries)]))
    const hex = (...items: string[]) => [
      { a: { kind: 'bytes', values: items.map((item) => text(item).toString('hex')) } },
    ]
    expect(values(one, two)).toEqual(hex('second'))
    expect(values(two, one, two, one)).toEqual(hex('first'))
    expect(values(mixed)).toEqual(hex('x', 'y'))
    expect(values(one, mixed)).toEqual(hex('x', 'y'))
    expect(values(one, none)).toEqual([{}])
    // Features in two pieces are one, as protocol buffers have it.
    expect(plain(decodeAll([Buffer.concat([field(1, one), field(1, two)])]))).toEqual(hex('second'))
  })

  it('names the feature, the record and both kinds where a feature changes its kind', () => {
    const records = recordsOf(encodeAll(batchOf([{ a: 1 }]), batchOf([{ a: 'x' }])))
    expect(() => decodeAll(records)).toThrow(
      expect.objectContaining({
        code: 'ZEN_EXAMPLE_KIND',
        facts: { file: 'memory', record: 1, feature: 'a', expected: 'int', found: 'bytes' },
      }),
    )
  })

  it('follows features that come, go and change their places', () => {
    const names = Array.from({ length: 40 }, (_, index) => `feature_${String(index).padStart(2, '0')}`)
    fc.assert(
      fc.property(fc.array(fc.shuffledSubarray(names), { minLength: 1, maxLength: 12 }), (orders) => {
        const records = orders.map((order) =>
          oracle
            .encode({
              features: {
                feature: Object.fromEntries(order.map((name, at) => [name, { int64_list: { value: [at] } }])),
              },
            })
            .finish(),
        )
        expect(plain(decodeAll(records))).toEqual(records.map(plainByOracle))
      }),
    )
  })

  it('ends in a batch or in a ZEN_ error for every damaged record', () => {
    const records = recordsOf(
      encodeAll(
        batchOf(
          [
            { i: [1, 2n ** 60n], f: 1.5, b: 'text', j: 5 },
            { i: 7, f: [], b: ['a', ''], j: -1 },
          ],
          kinds,
        ),
      ),
    )
    const edit = fc.record({ record: fc.nat(1), at: fc.nat(1000), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), fc.nat(100), (edits, cut) => {
        const damaged = records.map((record) => Buffer.from(record))
        for (const { record, at, byte } of edits) damaged[record]![at % damaged[record]!.length] = byte
        damaged[1] = damaged[1]!.subarray(0, damaged[1]!.length - (cut < 30 ? cut : 0))
        try {
          const batch = decodeAll(damaged)
          plain(batch)
          expect(Buffer.from(encodeAll(batch)).length).toBeGreaterThan(0)
        } catch (error) {
          if (!(error instanceof ZenmlError)) throw error
          expect(error.code).toMatch(/^ZEN_EXAMPLE_(CORRUPT|KIND)$/)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
