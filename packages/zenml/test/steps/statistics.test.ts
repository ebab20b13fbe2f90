import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep } from '../../src/define/run-step.ts'
import type { Column, FeatureKind } from '../../src/formats/batch.ts'
import { openExamples } from '../../src/formats/examples.ts'
import { readSchema } from '../../src/formats/schema-proto.ts'
import {
  type CommonStatistics,
  type DatasetFeatureStatistics,
  decodeStatistics,
  encodeStatistics,
  type FeatureNameStatistics,
} from '../../src/formats/statistics-proto.ts'
import { snapshot } from '../../src/sources/snapshot.ts'
import { factsOf } from '../../src/steps/feature-facts.ts'
import { SplitStatistics } from '../../src/steps/feature-statistics.ts'
import { schemaOf } from '../../src/steps/schema.ts'
import { statistics } from '../../src/steps/statistics.ts'

/** A column of one value a row. */
function column(values: ArrayLike<number> | readonly (string | Uint8Array)[], kind: FeatureKind): Column {
  if (kind === 'int') return { kind, values: Float64Array.from(values as ArrayLike<number>) }
  if (kind === 'float') return { kind, values: Float32Array.from(values as ArrayLike<number>) }
  const parts = (values as readonly (string | Uint8Array)[]).map((value) => Buffer.from(value as string))
  let end = 0
  const ends = Uint32Array.from(parts, (part) => {
    end += part.length
    return end
  })
  return { kind, data: Buffer.concat(parts), ends }
}

/** Statistics of one feature `x` of which each row has one value, read in batches of `size` rows. */
function statisticsOf(
  values: ArrayLike<number> | readonly (string | Uint8Array)[],
  kind: FeatureKind,
  size = 4096,
): { readonly dataset: DatasetFeatureStatistics; readonly x: FeatureNameStatistics; readonly estimated: boolean } {
  const gathered = new SplitStatistics(new Map([['x', kind]]))
  for (let from = 0; from < values.length; from += size) {
    const part = Array.prototype.slice.call(values, from, from + size) as number[]
    gathered.add({ length: part.length, columns: new Map([['x', column(part, kind)]]) })
  }
  const dataset = gathered.finish()
  const estimated = gathered.estimated.length > 0
  return { dataset, x: dataset.features![0]!, estimated }
}

it('statistics of ten thousand features take the memory of their values, not of whole blocks', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`)
  const gathered = new SplitStatistics(new Map(names.map((name, index) => [name, index % 2 ? 'int' : 'bytes'])))
  const columns = new Map(
    names.map((name, index) => [name, index % 2 ? column([1, 2], 'int') : column(['a', 'b'], 'bytes')] as const),
  )
  const before = process.memoryUsage().arrayBuffers
  gathered.add({ length: 2, columns })
  // Numbers: 64 values and as many to be sorted; texts: some short lists.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20)
  expect(
    gathered
      .finish()
      .features!.every(({ numStats, stringStats }) => (numStats?.mean ?? stringStats?.unique) !== undefined),
  ).toBe(true)
})

describe('statistics of numbers', () => {
  it('that are all NaN say how many, and are told to be none', () => {
    const { dataset, x } = statisticsOf([Number.NaN, Number.NaN], 'float')
    expect(x.numStats!.histograms!.map(({ numNan }) => numNan)).toEqual([2, 2])
    const [facts] = factsOf(decodeStatistics(encodeStatistics({ datasets: [dataset] })).datasets![0]!)
    expect(facts!.numbers).toEqual({
      ...{ mean: NaN, std: NaN, min: NaN, median: NaN, max: NaN },
      ...{ zeros: 0, nan: 2, quantiles: [], histogram: [] },
    })
  })

  it('are told to be estimated from the first value on that is one too many', () => {
    expect(statisticsOf(new Float64Array(1 << 17), 'int').estimated).toBe(false)
    expect(statisticsOf(new Float64Array((1 << 17) + 1), 'int').estimated).toBe(true)
  })

  it('are those one works out by hand', () => {
    const { x } = statisticsOf([4, 0, 2, Number.NaN, 6, 0, 8, 10, 12, 14, 16], 'float')
    const { numStats } = x
    expect(numStats).toMatchObject({ mean: 7.2, numZeros: 2, median: 7, max: 16 })
    expect(numStats!.min).toBe(0)
    expect(numStats!.stdDev).toBeCloseTo(Math.sqrt(29.76), 14)
    const [standard, quantiles] = numStats!.histograms!
    expect(standard!.buckets!.map(({ sampleCount }) => sampleCount)).toEqual([2, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    expect(quantiles!.buckets!.map(({ lowValue }) => lowValue)).toEqual([0, 0, 2, 4, 6, 8, 10, 12, 14, 16])
    expect([standard!.numNan, quantiles!.numNan]).toEqual([1, 1])
  })

  it('are within their bound of the exact ones where there are too many to keep, with exact counts and extremes', () => {
    const random = seededRandom('many')
    const values = Float64Array.from({ length: 400_000 }, () => Math.floor(random.next() ** 3 * 1e6) - 1000)
    const { x, estimated } = statisticsOf(values, 'int')
    expect(estimated).toBe(true)
    const sorted = values.slice().sort()
    const count = values.length
    const bound = (Math.log2(count / 16384) / 32768) * count
    const near = (value: number, rank: number): void => {
      expect(sorted[Math.max(0, Math.floor(rank - bound))]!).toBeLessThanOrEqual(value)
      expect(sorted[Math.min(count - 1, Math.ceil(rank + bound))]!).toBeGreaterThanOrEqual(value)
    }
    const { min, max, mean, median, numZeros, stdDev, histograms } = x.numStats!
    expect([min, max]).toEqual([sorted[0], sorted.at(-1)])
    const exactMean = values.reduce((a, b) => a + b, 0) / count
    expect(mean! / exactMean).toBeCloseTo(1, 12)
    expect(stdDev! / Math.sqrt(values.reduce((a, b) => a + (b - exactMean) ** 2, 0) / count)).toBeCloseTo(1, 12)
    expect(numZeros ?? 0).toBe(values.filter((value) => value === 0).length)
    near(median!, count / 2)
    const [standard, quantiles] = histograms!
    for (const histogram of [standard!, quantiles!]) {
      expect(histogram.buckets![0]!.lowValue).toBe(min)
      expect(histogram.buckets!.at(-1)!.highValue).toBe(max)
      expect(histogram.buckets!.reduce((sum, { sampleCount }) => sum + sampleCount!, 0)).toBeCloseTo(count, 6)
    }
    for (const [part, { lowValue }] of quantiles!.buckets!.entries()) near(lowValue!, (part * count) / 10)
    for (const [index, { lowValue, highValue, sampleCount }] of standard!.buckets!.entries()) {
      const isLast = index === standard!.buckets!.length - 1
      const exact = values.filter((value) => value >= lowValue! && (value < highValue! || isLast)).length
      // A bucket has two ends, each wrong by a rank's bound at most.
      expect(Math.abs(sampleCount! - exact)).toBeLessThanOrEqual(2 * bound)
    }
  })

  it('are the same bytes however the rows are cut into batches, exact or estimated', () => {
    const random = seededRandom('cuts')
    for (const count of [1000, 131_072, 131_073, 200_000]) {
      const values = Float64Array.from({ length: count }, () => (random.integer(50) === 0 ? Number.NaN : random.next()))
      const whole = encodeStatistics({ datasets: [statisticsOf(values, 'float').dataset] })
      for (const size of [997, 16_384, count])
        expect(Buffer.from(encodeStatistics({ datasets: [statisticsOf(values, 'float', size).dataset] }))).toEqual(
          Buffer.from(whole),
        )
    }
  })
})

describe('statistics of texts', () => {
  it('count the values, and the rows that have none or several', () => {
    const gathered = new SplitStatistics(new Map([['x', 'bytes']]))
    const { data, ends } = column(['b', 'a', 'b', 'cc', 'b'], 'bytes') as Extract<Column, { kind: 'bytes' }>
    const offsets = Uint32Array.of(0, 1, 1, 4, 5)
    gathered.add({ length: 4, columns: new Map([['x', { kind: 'bytes', data, ends, offsets }]]) })
    const { stringStats } = gathered.finish().features![0]!
    expect(stringStats).toMatchObject({
      unique: 3,
      topValues: [
        { value: 'b', frequency: 3 },
        { value: 'a', frequency: 1 },
        { value: 'cc', frequency: 1 },
      ],
      commonStats: { numNonMissing: 3, numMissing: 1, minNumValues: 1, maxNumValues: 3, totNumValues: 5 },
    })
    expect(stringStats!.avgLength).toBe(Math.fround(6 / 5))
  })

  it('put values that are not UTF-8 under one label and count them, and such a feature gets no domain', () => {
    const invalid = [Uint8Array.of(0xff), Uint8Array.of(0xfe, 0x41), Uint8Array.of(0xff)]
    const { x, dataset } = statisticsOf(['é', ...invalid, 'é', 'z'] as (string | Uint8Array)[], 'bytes')
    expect(x.stringStats).toMatchObject({
      unique: 4,
      invalidUtf8Count: 3,
      topValues: [
        { value: '__BYTES_VALUE__', frequency: 3 },
        { value: 'é', frequency: 2 },
        { value: 'z', frequency: 1 },
      ],
    })
    expect(schemaOf(dataset).stringDomain).toBeUndefined()
  })

  it('estimate how many different ones there are where there are too many to keep, without losing the frequent', () => {
    const texts = Array.from({ length: 600_000 }, (_, row) => (row % 4 === 0 ? `often ${row % 8}` : `id ${row}`))
    const { x, estimated, dataset } = statisticsOf(texts, 'bytes')
    expect(estimated).toBe(true)
    expect(Math.abs(x.stringStats!.unique! / 450_002 - 1)).toBeLessThan(3 * 0.0081)
    for (const { value, frequency } of x.stringStats!.topValues!.slice(0, 2)) {
      expect(value).toMatch(/^often/)
      expect(frequency).toBeLessThanOrEqual(75_000)
      expect(frequency).toBeGreaterThanOrEqual(75_000 - texts.length / 131_072)
    }
    const again = statisticsOf(texts, 'bytes', 10_007)
    expect(Buffer.from(encodeStatistics({ datasets: [again.dataset] }))).toEqual(
      Buffer.from(encodeStatistics({ datasets: [dataset] })),
    )
  })

  it('estimate as well where their bytes, not their number, are too many to keep', () => {
    const padding = 'x'.repeat(400)
    const texts = Array.from({ length: 43_000 }, (_, row) => `${padding}${row}`)
    const { x, estimated } = statisticsOf(texts, 'bytes')
    expect(estimated).toBe(true)
    // Where the estimator of the HyperLogLog paper is 2 % too high.
    expect(Math.abs(x.stringStats!.unique! / texts.length - 1)).toBeLessThan(0.0081 * 1.5)
  })
})

describe('a schema inferred from statistics', () => {
  const domainOf = (values: Parameters<typeof statisticsOf>[0], kind: FeatureKind): object => {
    const { feature, stringDomain } = schemaOf(statisticsOf(values, kind).dataset)
    const { name: _name, type: _type, presence: _presence, valueCount: _count, ...domain } = feature![0]!
    return { ...domain, ...(stringDomain === undefined ? {} : { values: stringDomain[0]!.value }) }
  }

  it.each<[string, Parameters<typeof statisticsOf>[0], FeatureKind, object]>([
    ['zeros and ones are truths', [0, 1, 1], 'int', { boolDomain: {} }],
    ['ones alone are truths', [1, 1], 'int', { boolDomain: {} }],
    ['zeros alone are numbers', [0, 0], 'int', {}],
    ['numbers beyond 1 are numbers', [0, 1, 2], 'int', {}],
    ['floats are never truths', [0, 1], 'float', {}],
    ['true and false as texts', ['true', 'false'], 'bytes', { boolDomain: { trueValue: 'true', falseValue: 'false' } }],
    ['one truth as text', ['CLEAR'], 'bytes', { boolDomain: { falseValue: 'CLEAR' } }],
    ['two words for true are texts', ['true', 'TRUE'], 'bytes', { domain: 'x', values: ['TRUE', 'true'] }],
    ['whole numbers as texts', ['7', ' -12 ', '+3'], 'bytes', { intDomain: {} }],
    [
      'numbers beyond 64 bits are texts',
      ['9223372036854775808'],
      'bytes',
      { domain: 'x', values: ['9223372036854775808'] },
    ],
    ['few texts', ['b', 'a', 'b'], 'bytes', { domain: 'x', values: ['a', 'b'] }],
    ['many texts', Array.from({ length: 101 }, (_, row) => `t${row}`), 'bytes', {}],
  ])('%s', (_name, values, kind, expected) => {
    expect(domainOf(values, kind)).toEqual(expected)
  })

  it('says of a feature without any value that it may be left out', () => {
    const { dataset } = { dataset: new SplitStatistics(new Map([['x', 'int' as const]])).finish() }
    expect(schemaOf(dataset).feature).toEqual([{ name: 'x', type: 'INT', presence: { minCount: 0 } }])
  })
})

const tfx = fileURLToPath(new URL('../../../../../shared/tfx', import.meta.url))

/** Every field that is filled, with the number of items for lists of buckets; unknown fields are not ours to fill. */
function filled(message: object, prefix = ''): string[] {
  return Object.entries(message).flatMap(([name, value]): string[] => {
    const path = `${prefix}${name}`
    if (Array.isArray(value)) {
      const items = value.flatMap((item: unknown) =>
        typeof item === 'object' ? filled(item as object, `${path}[].`) : [],
      )
      const length = name === 'buckets' && !path.includes('rankHistogram') ? [`${path} ${value.length}`] : [path]
      return [...length, ...items]
    }
    return typeof value === 'object' && value !== null ? [path, ...filled(value as object, `${path}.`)] : [path]
  })
}

/** What differs for a reason, and the reason. */
const exceptions: readonly (readonly [path: string, reason: string])[] = [
  ['commonStats.numMissing', 'ours counts a row with an empty list as missing: batches do not tell the two apart'],
  ['commonStats.minNumValues', 'so the least number of values is 1 where TFDV has 0, which protocol buffers leave out'],
]

describe('beside TensorFlow Data Validation (skipped without ../shared)', () => {
  it.skipIf(!existsSync(tfx))('the same fields are filled for every feature of the taxi trips', async () => {
    const theirs = decodeStatistics(readFileSync(join(tfx, 'statistics_gen/Split-train/FeatureStats.pb'))).datasets![0]!
    await using trial = await runStep(statistics, {
      inputs: { examples: await openExamples(join(tfx, 'csv_example_gen')) },
    })
    expect(trial.properties).toEqual({})
    const encoded = encodeStatistics(trial.outputs.statistics['train']!)
    // As written and read again, so that both leave out the defaults.
    const ours = decodeStatistics(encoded).datasets![0]!
    expect(ours.numExamples).toBe(9909)
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort())
    const names = ({ features }: DatasetFeatureStatistics): string[] =>
      features!.map(({ path }) => path!.step![0]!).sort()
    expect(names(ours)).toEqual(names(theirs))
    const used = new Set<string>()
    const empty: string[] = []
    for (const expected of theirs.features!) {
      const [name] = expected.path!.step!
      const found = ours.features!.find(({ path }) => path!.step![0] === name)!
      expect([name, found.type, Object.keys(found).sort()]).toEqual([name, expected.type, Object.keys(expected).sort()])
      if ((expected.numStats ?? expected.stringStats)!.commonStats!.totNumValues === undefined) {
        empty.push(name!)
        continue
      }
      const [left, right] = [new Set(filled(found)), new Set(filled(expected))]
      const different = [...left]
        .filter((path) => !right.has(path))
        .concat([...right].filter((path) => !left.has(path)))
      const unexplained = different.filter((path) => {
        const exception = exceptions.find(([end]) => path.endsWith(end))
        if (exception !== undefined) used.add(exception[0])
        return exception === undefined
      })
      expect([name, unexplained]).toEqual([name, []])
      const common = (of: FeatureNameStatistics): CommonStatistics => (of.numStats ?? of.stringStats)!.commonStats!
      expect(common(found).numNonMissing! + (common(found).numMissing ?? 0)).toBe(9909)
      expect(found.numStats?.histograms?.map(({ type = 'STANDARD' }) => type)).toEqual(
        expected.numStats?.histograms?.map(({ type = 'STANDARD' }) => type),
      )
    }
    // No row of the file's data has a value of it, so that it has no more than presence; some rows of the shards do.
    expect(empty).toEqual(['pickup_census_tract'])
    expect([...used].sort()).toEqual(exceptions.map(([path]) => path).sort())
  })

  it.skipIf(!existsSync(tfx))('its statistics give the schema that it inferred', async () => {
    const dataset = decodeStatistics(readFileSync(join(tfx, 'statistics_gen/Split-train/FeatureStats.pb')))
      .datasets![0]!
    const theirs = await readSchema(join(tfx, 'schema_gen/schema.pbtxt'))
    const ours = schemaOf(dataset)
    const byName = (features: typeof theirs.feature): object =>
      Object.fromEntries(features!.map(({ comments: _comments, ...rest }) => [rest.name, rest]))
    expect(byName(ours.feature)).toEqual(byName(theirs.feature))
    expect(ours.stringDomain!.map(({ name }) => name).sort()).toEqual(
      theirs.stringDomain!.map(({ name }) => name).sort(),
    )
    for (const { name, value } of theirs.stringDomain!) {
      const found = ours.stringDomain!.find((domain) => domain.name === name)!.value!
      // The file was updated with a second split, whose new values stand behind those of the first.
      expect(value!.slice(0, found.length)).toEqual(found)
    }
  })

  it.skipIf(!existsSync(tfx))('its CSV files become snapshots with statistics and a schema', async () => {
    const folders = readdirSync(join(tfx, 'external'))
    expect(folders.length).toBeGreaterThan(0)
    for (const folder of folders) {
      const files = readdirSync(join(tfx, 'external', folder)).map((name) => {
        const path = join(tfx, 'external', folder, name)
        return { name, inner: name, path, size: statSync(path).size }
      })
      await using rows = await runStep(snapshot, { inputs: { source: { format: 'csv', options: {}, files } } })
      const { examples } = rows.outputs
      await using trial = await runStep(statistics, { inputs: { examples } })
      const dataset = trial.outputs.statistics['all']!.datasets![0]!
      const header = readFileSync(files[0]!.path, 'utf8').split(/\r?\n/, 1)[0]!.split(',')
      expect(dataset.numExamples).toBe(examples.rows('all'))
      expect(dataset.features!.map(({ path }) => path!.step![0])).toEqual([...header].sort())
      expect(schemaOf(dataset).feature).toHaveLength(header.length)
    }
  })
})
