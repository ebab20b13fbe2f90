import { describe, expect, it } from 'vitest'
import { type Anomalies, type AnomalyType, encodeAnomalies } from '../../src/formats/anomalies-proto.ts'
import type { Schema, SchemaFeature } from '../../src/formats/schema-proto.ts'
import type {
  CommonStatistics,
  DatasetFeatureStatistics,
  FeatureNameStatistics,
} from '../../src/formats/statistics-proto.ts'
import { serialisedPath, sixDigits } from '../../src/steps/feature-view.ts'
import { schemaOf } from '../../src/steps/schema.ts'
import { type ValidationOptions, validateStatistics } from '../../src/steps/validate-statistics.ts'

const everywhere: CommonStatistics = { numNonMissing: 100, minNumValues: 1, maxNumValues: 1, totNumValues: 100 }

function texts(counts: { readonly [value: string]: number }, commonStats = everywhere): FeatureNameStatistics {
  const buckets = Object.entries(counts).map(([label, sampleCount]) => ({ label, sampleCount }))
  const unique = buckets.length
  return { path: { step: ['x'] }, type: 'STRING', stringStats: { commonStats, unique, rankHistogram: { buckets } } }
}

function numbers(type: 'INT' | 'FLOAT', min: number, max: number, more = {}): FeatureNameStatistics {
  return { path: { step: ['x'] }, type, numStats: { commonStats: everywhere, min, max, ...more } }
}

function dataset(...features: readonly FeatureNameStatistics[]): DatasetFeatureStatistics {
  return { numExamples: 100, features }
}

function validated(found: FeatureNameStatistics, expected: SchemaFeature, options?: ValidationOptions): Anomalies {
  return validateStatistics(dataset(found), { feature: [{ name: 'x', ...expected }] }, options)
}

function typesOf(anomalies: Anomalies, feature = 'x'): (AnomalyType | undefined)[] {
  return (anomalies.anomalyInfo?.get(feature)?.reason ?? []).map(({ type }) => type)
}

const int = (min: number, max: number): FeatureNameStatistics => numbers('INT', min, max)
const float = (min: number, max: number, more = {}): FeatureNameStatistics => numbers('FLOAT', min, max, more)
const nan = { histograms: [{ numNan: 2, buckets: [] }] }
const onlyNan: FeatureNameStatistics = {
  path: { step: ['x'] },
  type: 'FLOAT',
  numStats: { commonStats: everywhere, ...nan },
}
const missing = { ...everywhere, numNonMissing: 90, numMissing: 10 }
const several = { ...everywhere, minNumValues: 1, maxNumValues: 3 }

describe('statistics against a schema', () => {
  it('that was inferred from them have no anomalies', () => {
    const facts = dataset(texts({ a: 60, b: 40 }), { ...int(0, 1), path: { step: ['y'] } })
    const schema = schemaOf(facts)
    expect(validateStatistics(facts, schema)).toEqual({ baseline: schema, anomalyNameFormat: 'SERIALIZED_PATH' })
  })

  it.each<[string, FeatureNameStatistics, SchemaFeature, readonly AnomalyType[]]>([
    ['another type', int(0, 5), { type: 'BYTES' }, ['UNEXPECTED_DATA_TYPE']],
    ['no type in the schema', int(0, 5), {}, ['FEATURE_MISSING_TYPE']],
    ['a small int', int(-1, 5), { type: 'INT', intDomain: { min: 0 } }, ['INT_TYPE_SMALL_INT']],
    ['a big int', int(0, 6), { type: 'INT', intDomain: { min: 0, max: 5 } }, ['INT_TYPE_BIG_INT']],
    ['ints within their limits', int(0, 5), { type: 'INT', intDomain: { min: 0, max: 5 } }, []],
    ['a limit beyond 2^53', int(0, 2 ** 60), { type: 'INT', intDomain: { max: 2n ** 62n } }, []],
    [
      'the greatest integer, which a double rounds up',
      int(0, 2 ** 63),
      { type: 'INT', intDomain: { max: 2n ** 63n - 1n } },
      [],
    ],
    ['texts that are ints', texts({ '7': 1 }), { type: 'BYTES', intDomain: { max: 5 } }, ['INT_TYPE_BIG_INT']],
    ['texts that are no ints', texts({ z: 1 }), { type: 'BYTES', intDomain: {} }, ['INT_TYPE_NOT_INT_STRING']],
    ['a low float', float(-1, 1), { type: 'FLOAT', floatDomain: { min: 0 } }, ['FLOAT_TYPE_SMALL_FLOAT']],
    ['a high float', float(0, 2), { type: 'FLOAT', floatDomain: { max: 1 } }, ['FLOAT_TYPE_BIG_FLOAT']],
    ['a float32 limit', float(0, 0.1), { type: 'FLOAT', floatDomain: { max: Math.fround(0.1) } }, []],
    ['nothing but NaN', onlyNan, { type: 'FLOAT', floatDomain: { min: 1, disallowNan: true } }, ['FLOAT_TYPE_HAS_NAN']],
    ['NaN', float(0, 1, nan), { type: 'FLOAT', floatDomain: { disallowNan: true } }, ['FLOAT_TYPE_HAS_NAN']],
    ['infinity', float(0, Infinity), { type: 'FLOAT', floatDomain: { disallowInf: true } }, ['FLOAT_TYPE_HAS_INF']],
    ['texts that are no floats', texts({ z: 1 }), { type: 'BYTES', floatDomain: {} }, ['FLOAT_TYPE_STRING_NOT_FLOAT']],
    [
      'texts that are infinite',
      texts({ '-inf': 1, '1e3': 1, NaN: 1 }),
      { type: 'BYTES', floatDomain: { min: 0 } },
      ['FLOAT_TYPE_SMALL_FLOAT'],
    ],
    ['a negative truth', int(-1, 1), { type: 'INT', boolDomain: {} }, ['BOOL_TYPE_SMALL_INT']],
    ['a truth above 1', int(0, 2), { type: 'INT', boolDomain: {} }, ['BOOL_TYPE_BIG_INT']],
    ['a truth of a half', float(0, 0.5), { type: 'FLOAT', boolDomain: {} }, ['BOOL_TYPE_UNEXPECTED_FLOAT']],
    [
      'a truth between the ends',
      float(0, 1, { histograms: [{ buckets: [{ lowValue: 0.2, highValue: 0.3, sampleCount: 1 }] }] }),
      { type: 'FLOAT', boolDomain: {} },
      ['BOOL_TYPE_UNEXPECTED_FLOAT'],
    ],
    [
      'a text that is no truth',
      texts({ yes: 1 }),
      { type: 'BYTES', boolDomain: { trueValue: 'true' } },
      ['BOOL_TYPE_UNEXPECTED_STRING'],
    ],
    [
      'a text outside of the domain',
      texts({ a: 1, z: 9 }),
      { type: 'BYTES', stringDomain: { value: ['a'] } },
      ['ENUM_TYPE_UNEXPECTED_STRING_VALUES'],
    ],
    [
      'few texts outside of it',
      texts({ a: 96, z: 4 }),
      { type: 'BYTES', stringDomain: { value: ['a'] }, distributionConstraints: { minDomainMass: 0.95 } },
      [],
    ],
    [
      'too many outside of it',
      texts({ a: 94, z: 6 }),
      { type: 'BYTES', stringDomain: { value: ['a'] }, distributionConstraints: { minDomainMass: 0.95 } },
      ['ENUM_TYPE_UNEXPECTED_STRING_VALUES'],
    ],
    [
      'bytes that are no text',
      texts({ __BYTES_VALUE__: 1 }),
      { type: 'BYTES', stringDomain: { value: ['a'] } },
      ['ENUM_TYPE_INVALID_UTF8'],
    ],
    [
      'a domain that is not there',
      texts({ a: 1 }),
      { type: 'BYTES', domain: 'none' },
      ['INVALID_SCHEMA_SPECIFICATION'],
    ],
    [
      'a fraction above 1',
      texts({ a: 1 }),
      { type: 'BYTES', presence: { minFraction: 1.5 } },
      ['INVALID_SCHEMA_SPECIFICATION'],
    ],
    [
      'missing examples',
      texts({ a: 1 }, missing),
      { type: 'BYTES', presence: { minFraction: 1 } },
      ['FEATURE_TYPE_LOW_FRACTION_PRESENT'],
    ],
    [
      'too many missing examples',
      texts({ a: 1 }, missing),
      { type: 'BYTES', presence: { minFraction: 0.95 } },
      ['FEATURE_TYPE_LOW_FRACTION_PRESENT'],
    ],
    ['few missing examples', texts({ a: 1 }, missing), { type: 'BYTES', presence: { minFraction: 0.9 } }, []],
    [
      'too few examples',
      texts({ a: 1 }),
      { type: 'BYTES', presence: { minCount: 101 } },
      ['FEATURE_TYPE_LOW_NUMBER_PRESENT'],
    ],
    [
      'no example',
      texts({}, { numMissing: 100 }),
      { type: 'BYTES', presence: { minCount: 1 } },
      ['FEATURE_TYPE_NOT_PRESENT'],
    ],
    ['no example, where none is needed', texts({}, { numMissing: 100 }), { type: 'BYTES' }, []],
    ['too few values', texts({ a: 1 }), { type: 'BYTES', valueCount: { min: 2 } }, ['FEATURE_TYPE_LOW_NUMBER_VALUES']],
    [
      'too many values',
      texts({ a: 1 }, several),
      { type: 'BYTES', valueCount: { max: 2 } },
      ['FEATURE_TYPE_HIGH_NUMBER_VALUES'],
    ],
    [
      'another nesting',
      texts({ a: 1 }),
      { type: 'BYTES', valueCounts: { valueCount: [{}, {}] } },
      ['VALUE_NESTEDNESS_MISMATCH'],
    ],
    ['a shape that fits', texts({ a: 1 }), { type: 'BYTES', shape: { dim: [{ size: 1 }] } }, []],
    ['a shape of a varying number', texts({ a: 1 }, several), { type: 'BYTES', shape: {} }, ['INVALID_FEATURE_SHAPE']],
    [
      'a shape of another size',
      texts({ a: 1 }),
      { type: 'BYTES', shape: { dim: [{ size: 2 }, { size: 3 }] } },
      ['INVALID_FEATURE_SHAPE'],
    ],
    ['a shape that is missing', texts({ a: 1 }, missing), { type: 'BYTES', shape: {} }, ['INVALID_FEATURE_SHAPE']],
    [
      'too many different texts',
      texts({ a: 1, b: 1 }),
      { type: 'BYTES', uniqueConstraints: { max: 1 } },
      ['FEATURE_TYPE_HIGH_UNIQUE'],
    ],
    [
      'too few different texts',
      texts({ a: 1 }),
      { type: 'BYTES', uniqueConstraints: { min: 2 } },
      ['FEATURE_TYPE_LOW_UNIQUE'],
    ],
    [
      'different numbers that nobody counts',
      int(0, 1),
      { type: 'INT', uniqueConstraints: { min: 2 } },
      ['FEATURE_TYPE_NO_UNIQUE'],
    ],
    ['a feature that is out of use', int(0, 1), { type: 'BYTES', lifecycleStage: 'DEPRECATED' }, []],
  ])('tell %s', (_, found, expected, types) => {
    expect(typesOf(validated(found, expected))).toEqual(types)
  })

  it('describe every reason, name the feature and how bad it is', () => {
    const info = validated(texts({ b: 1, c: 99 }), {
      type: 'BYTES',
      stringDomain: { value: ['a'] },
      valueCount: { min: 2 },
    }).anomalyInfo!.get('x')!
    expect(info).toEqual({
      description:
        'Some examples have fewer values than expected: 1 < 2. Examples contain values missing from the schema: b (~1%), c (~99%).',
      severity: 'ERROR',
      shortDescription: 'Multiple errors',
      path: { step: ['x'] },
      reason: [
        expect.objectContaining({ type: 'FEATURE_TYPE_LOW_NUMBER_VALUES' }),
        expect.objectContaining({ type: 'ENUM_TYPE_UNEXPECTED_STRING_VALUES' }),
      ],
    })
  })

  it('tell features that are missing and new', () => {
    const schema: Schema = {
      feature: [
        { name: 'gone', type: 'INT', presence: { minCount: 1 } },
        { name: 'may go', type: 'INT' },
        { name: 'old', deprecated: true, presence: { minCount: 1 } },
      ],
      sparseFeature: [{ name: 'sparse' }],
    }
    const facts = dataset(int(0, 1), { ...int(0, 1), path: { step: ['sparse'] } })
    const found = validateStatistics(facts, schema, { newFeatures: 'WARNING' }).anomalyInfo!
    expect([...found].map(([name, { severity, reason }]) => [name, severity, reason![0]!.type])).toEqual([
      ['gone', 'ERROR', 'SCHEMA_MISSING_COLUMN'],
      ['x', 'WARNING', 'SCHEMA_NEW_COLUMN'],
    ])
  })

  it('heed environments', () => {
    const label: SchemaFeature = {
      name: 'label',
      type: 'INT',
      presence: { minCount: 1 },
      notInEnvironment: ['SERVING'],
    }
    const schema: Schema = { defaultEnvironment: ['TRAINING', 'SERVING'], feature: [label] }
    const without = dataset()
    expect(typesOf(validateStatistics(without, schema, { environment: 'SERVING' }), 'label')).toEqual([])
    expect(typesOf(validateStatistics(without, schema, { environment: 'TRAINING' }), 'label')).toEqual([
      'SCHEMA_MISSING_COLUMN',
    ])
    const present = dataset({ ...int(0, 1), path: { step: ['label'] } })
    expect(typesOf(validateStatistics(present, schema, { environment: 'SERVING' }), 'label')).toEqual([
      'SCHEMA_NEW_COLUMN',
    ])
  })

  it('look into structures, and leave those alone that are out of use', () => {
    const inner: SchemaFeature = { name: 'a.b', type: 'INT', presence: { minCount: 1 } }
    const struct = (more: SchemaFeature): Schema => ({
      feature: [{ name: 's', type: 'STRUCT', structDomain: { feature: [inner] }, ...more }],
    })
    expect([...validateStatistics(dataset(), struct({})).anomalyInfo!.keys()]).toEqual(["s.'a.b'"])
    expect(validateStatistics(dataset(), struct({ lifecycleStage: 'ALPHA' })).anomalyInfo).toBeUndefined()
    expect(serialisedPath(['a', "b.c'd", '(ext.name)', ''])).toBe("a.'b.c''d'.(ext.name).''")
  })

  it('say that there are no examples, and nothing else', () => {
    expect(validateStatistics({ features: [int(0, 1)] }, {}).dataMissing).toBe(true)
  })

  it('hold the number of examples against its limits and against the one before', () => {
    const constraints = {
      minExamplesCount: 101,
      numExamplesDriftComparator: { minFractionThreshold: 0.9, maxFractionThreshold: 2 },
    }
    const types = (numExamples: number, previous: number): unknown[] =>
      (
        validateStatistics(
          { numExamples },
          { datasetConstraints: constraints },
          { previous: { numExamples: previous } },
        ).datasetAnomalyInfo?.reason ?? []
      ).map(({ type }) => type)
    expect(types(200, 100)).toEqual([])
    expect(types(201, 100)).toEqual(['COMPARATOR_HIGH_NUM_EXAMPLES'])
    expect(types(100, 200)).toEqual(['COMPARATOR_LOW_NUM_EXAMPLES', 'DATASET_LOW_NUM_EXAMPLES'])
    expect(types(200, 0)).toEqual(['COMPARATOR_HIGH_NUM_EXAMPLES'])
  })
})

describe('drift and skew', () => {
  it('and all else are the same bytes in whatever order features and values come', () => {
    const at = (feature: FeatureNameStatistics, name: string): FeatureNameStatistics => ({
      ...feature,
      path: { step: [name] },
    })
    const comparator = { infinityNorm: { threshold: 0.01 }, jensenShannonDivergence: { threshold: 0.001 } }
    const one = (name: string): SchemaFeature => ({
      name,
      type: 'BYTES',
      stringDomain: { value: [] },
      driftComparator: comparator,
    })
    const schema: Schema = { feature: [one('x'), one('y')] }
    const [now, before] = [
      { a: 1, b: 2, c: 4, d: 7 },
      { d: 3, c: 2, b: 5, e: 4 },
    ]
    const turned = (counts: { readonly [value: string]: number }): FeatureNameStatistics =>
      texts(Object.fromEntries(Object.entries(counts).reverse()))
    const first = validateStatistics(dataset(at(texts(now), 'x'), at(texts(before), 'y')), schema, {
      previous: dataset(at(texts(before), 'x'), at(texts(now), 'y')),
    })
    const second = validateStatistics(dataset(at(turned(before), 'y'), at(turned(now), 'x')), schema, {
      previous: dataset(at(turned(now), 'y'), at(turned(before), 'x')),
    })
    expect(Buffer.from(encodeAnomalies(second))).toEqual(Buffer.from(encodeAnomalies(first)))
    expect(first.driftSkewInfo).toHaveLength(2)
  })

  const linf = { infinityNorm: { threshold: 0.1 } }

  it('of texts are told beyond the threshold, and measured in any case', () => {
    const schema: SchemaFeature = { type: 'BYTES', driftComparator: linf, skewComparator: linf }
    const previous = dataset(texts({ a: 75, b: 25 }))
    const serving = dataset(texts({ a: 55, b: 45 }))
    const anomalies = validated(texts({ a: 50, b: 50 }), schema, { previous, serving })
    expect(typesOf(anomalies)).toEqual(['COMPARATOR_L_INFTY_HIGH'])
    expect(anomalies.anomalyInfo!.get('x')!.description).toBe(
      'The Linfty distance between current and previous is 0.25 (up to six significant digits), above the threshold 0.1. The feature value with maximum difference is: b',
    )
    const [info] = anomalies.driftSkewInfo!
    expect(info!.path).toEqual({ step: ['x'] })
    expect(info!.driftMeasurements).toEqual([{ type: 'L_INFTY', value: 0.25, threshold: 0.1 }])
    expect(info!.skewMeasurements![0]!.value).toBeCloseTo(0.05, 15)
  })

  it('of numbers are told by their histograms, of the kind that the schema names', () => {
    const buckets = (ends: readonly number[]): object[] =>
      ends.slice(1).map((highValue, at) => ({ lowValue: ends[at]!, highValue, sampleCount: 50 }))
    const both = (standard: readonly number[], quantiles: readonly number[]): FeatureNameStatistics =>
      float(0, 1, {
        histograms: [{ buckets: buckets(standard) }, { buckets: buckets(quantiles), type: 'QUANTILES' }],
      })
    const previous = dataset(both([0, 1, 2], [0, 1, 2]))
    const now = both([0, 1, 2], [2, 3, 4])
    const limit = (type?: 'QUANTILES'): SchemaFeature => ({
      type: 'FLOAT',
      driftComparator: {
        jensenShannonDivergence: { threshold: 0.5, ...(type === undefined ? {} : { source: { type } }) },
      },
    })
    expect(validated(now, limit(), { previous }).driftSkewInfo![0]!.driftMeasurements![0]!.value).toBe(0)
    expect(typesOf(validated(now, limit('QUANTILES'), { previous }))).toEqual([
      'COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH',
    ])
  })

  it('say where the other side has no such feature, or nothing to compare', () => {
    const schema: SchemaFeature = { type: 'INT', skewComparator: linf }
    expect(typesOf(validated(int(0, 1), schema, { serving: dataset() }))).toEqual(['COMPARATOR_CONTROL_DATA_MISSING'])
    expect(typesOf(validated(int(0, 1), schema, { serving: dataset(int(0, 1)) }))).toEqual(['STATS_NOT_AVAILABLE'])
    expect(typesOf(validated(int(0, 1), schema))).toEqual([])
  })

  it('keep a distance that can be measured where another one cannot', () => {
    const withHistogram = float(0, 1, { histograms: [{ buckets: [{ lowValue: 0, highValue: 1, sampleCount: 5 }] }] })
    const driftComparator = { ...linf, jensenShannonDivergence: { threshold: 0.1 } }
    const previous = dataset(withHistogram)
    const anomalies = validated(withHistogram, { type: 'FLOAT', driftComparator }, { previous })
    expect(typesOf(anomalies)).toEqual(['STATS_NOT_AVAILABLE'])
    expect(anomalies.driftSkewInfo![0]!.driftMeasurements).toEqual([
      { type: 'JENSEN_SHANNON_DIVERGENCE', value: 0, threshold: 0.1 },
    ])
  })

  it('refuse a limit that is not measured', () => {
    const driftComparator = { normalizedAbsDifference: { threshold: 0.1 } }
    expect(() => validated(int(0, 1), { type: 'INT', driftComparator }, { previous: dataset() })).toThrow(
      expect.objectContaining({ code: 'ZEN_VALIDATE_COMPARATOR' }),
    )
  })
})

it.each([
  [0.1, '0.1'],
  [1 / 3, '0.333333'],
  [123456789, '1.23457e+08'],
  [0.00001234, '1.234e-05'],
  [999999.5, '1e+06'],
  [-2, '-2'],
  [0, '0'],
  [Number.NaN, 'nan'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('%d is written as %s, as C does', (value, text) => {
  expect(sixDigits(value)).toBe(text)
})
