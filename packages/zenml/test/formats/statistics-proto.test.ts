import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import {
  type DatasetFeatureStatisticsList,
  decodeStatistics,
  encodeStatistics,
} from '../../src/formats/statistics-proto.ts'

const tfdv = fileURLToPath(
  new URL('../../../../../shared/tfx/statistics_gen/Split-train/FeatureStats.pb', import.meta.url),
)

const sample: DatasetFeatureStatisticsList = {
  datasets: [
    {
      name: 'train',
      numExamples: 300,
      features: [
        {
          path: { step: ['a'] },
          type: 'FLOAT',
          numStats: {
            commonStats: { numNonMissing: 300, minNumValues: 1, maxNumValues: 1, avgNumValues: 1, totNumValues: 300 },
            mean: 0.5,
            min: -1,
            histograms: [{ buckets: [{ lowValue: -1, highValue: 2, sampleCount: 300 }], type: 'QUANTILES' }],
          },
        },
        { name: '', type: 'STRING', stringStats: { unique: 1, topValues: [{ value: 'é', frequency: 2 }] } },
      ],
    },
  ],
}

it('writes the bytes that protocol buffers want', () => {
  expect(
    Buffer.from(encodeStatistics({ datasets: [{ name: 'a', numExamples: 300, features: [{ name: '' }] }] })).toString(
      'hex',
    ),
  ).toBe(
    // datasets { name "a", num_examples 300, features { name "" } }: a member of a oneof is written even where it is empty.
    '0a0a' + '0a0161' + '10ac02' + '1a020a00',
  )
})

it('leaves out what has the default of protocol buffers, but for a negative zero', () => {
  expect(encodeStatistics({ datasets: [{ name: '', numExamples: 0, weightedNumExamples: 0 }] })).toEqual(
    Uint8Array.of(0x0a, 0),
  )
  expect(
    decodeStatistics(encodeStatistics({ datasets: [{ weightedNumExamples: -0 }] })).datasets![0]!.weightedNumExamples,
  ).toBe(-0)
})

it('gives back what it wrote', () => {
  expect(decodeStatistics(encodeStatistics(sample))).toEqual(sample)
})

it.skipIf(!existsSync(tfdv))(
  'reads what TensorFlow Data Validation wrote and writes it back byte for byte (skipped where the shared samples are absent)',
  () => {
    const bytes = readFileSync(tfdv)
    const statistics = decodeStatistics(bytes)
    const [dataset] = statistics.datasets!
    expect(dataset!.numExamples).toBe(10036)
    expect(dataset!.features!.map((feature) => feature.path!.step![0])).toContain('payment_type')
    expect(JSON.stringify(statistics)).not.toContain('unknownFields')
    expect(Buffer.from(encodeStatistics(statistics)).equals(bytes)).toBe(true)
  },
)

it('keeps fields that it does not know, and writes them behind the others', () => {
  const known = encodeStatistics(sample)
  const unknown = Uint8Array.of(0xfa, 0x01, 2, 7, 7, 0xf8, 0x01, 5)
  const statistics = decodeStatistics(Buffer.concat([unknown, known]))
  expect(statistics.unknownFields!.length).toBe(2)
  expect(Buffer.from(encodeStatistics(statistics)).equals(Buffer.concat([known, unknown]))).toBe(true)
})

it.each<[string, unknown]>([
  ['a count that is no whole number', { datasets: [{ numExamples: 1.5 }] }],
  ['a negative count', { datasets: [{ numExamples: -1 }] }],
  ['a text where a number belongs', { datasets: [{ weightedNumExamples: '1' }] }],
  ['an unknown type of feature', { datasets: [{ features: [{ type: 'TEXT' }] }] }],
  ['a type of feature that every object has', { datasets: [{ features: [{ type: 'toString' }] }] }],
  ['two members of a oneof', { datasets: [{ features: [{ numStats: {}, stringStats: {} }] }] }],
  ['one message where a list belongs', { datasets: {} }],
  ['a lone surrogate', { datasets: [{ name: '\ud800' }] }],
])('refuses to write %s', (_, statistics) => {
  expect(() => encodeStatistics(statistics as never)).toThrow(expect.objectContaining({ code: 'ZEN_PROTO_VALUE' }))
})

it('ends in statistics or in ZEN_PROTO_CORRUPT whatever the bytes are', () => {
  const bytes = encodeStatistics(sample)
  const edit = fc.record({ at: fc.nat(1000), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 4 }), fc.option(fc.nat(bytes.length)), (edits, cut) => {
      const damaged = Buffer.from(bytes)
      for (const { at, byte } of edits) damaged[at % damaged.length] = byte
      try {
        decodeStatistics(damaged.subarray(0, cut ?? damaged.length))
      } catch (error) {
        if (!(error instanceof ZenmlError)) throw error
        expect(error.code).toBe('ZEN_PROTO_CORRUPT')
      }
    }),
    { numRuns: 1000 },
  )
})
