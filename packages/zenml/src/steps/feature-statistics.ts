import { isUtf8 } from 'node:buffer'
import { ByteCounts } from '../base/byte-counts.ts'
import { compareText } from '../base/canonical.ts'
import { NumberBlocks } from '../base/number-blocks.ts'
import { valueAtRank, type WeightedValues, weightedValues } from '../base/quantiles.ts'
import { type Column, type ExampleBatch, type FeatureKind, rowEnd, rowStart } from '../formats/batch.ts'
import type {
  CommonStatistics,
  DatasetFeatureStatistics,
  FeatureNameStatistics,
  Histogram,
  HistogramBucket,
} from '../formats/statistics-proto.ts'
import { decodeText } from '../formats/text.ts'

/** Buckets of a histogram, as TensorFlow Data Validation has them by default. */
const bucketCount = 10
/** Values in `topValues`, and ranks in the rank histogram. */
const topCount = 20
const rankCount = 1000
/** What stands for all values that are not UTF-8, as in TensorFlow Data Validation. */
export const bytesLabel = '__BYTES_VALUE__'

/** Gathers the statistics of one split. Rows in any batches, in order, give the same statistics bit for bit. */
export class SplitStatistics {
  private rows = 0
  private readonly features = new Map<string, FeatureStatistics>()

  constructor(kinds: ReadonlyMap<string, FeatureKind>) {
    for (const [name, kind] of kinds)
      this.features.set(name, kind === 'bytes' ? new TextStatistics() : new NumberStatistics(kind))
  }

  add(batch: ExampleBatch): void {
    for (const [name, feature] of this.features) {
      const column = batch.columns.get(name)
      if (column !== undefined) feature.add(column, batch.length)
    }
    this.rows += batch.length
  }

  /** Features so large that ranks, or counts of texts, are estimated; known after `finish`. */
  get estimated(): readonly string[] {
    return [...this.features].filter(([, { isExact }]) => !isExact).map(([name]) => name)
  }

  finish(): DatasetFeatureStatistics {
    const features = [...this.features]
      .sort(([a], [b]) => compareText(a, b))
      .map(([name, feature]): FeatureNameStatistics => ({ path: { step: [name] }, ...feature.finish(this.rows) }))
    return { numExamples: this.rows, features }
  }
}

interface FeatureStatistics {
  /** Whether quantiles, distinct values and their counts are exact; known after `finish`. */
  readonly isExact: boolean
  add(column: Column, rows: number): void
  finish(rows: number): FeatureNameStatistics
}

/** Presence and number of values, the same for every kind. */
class Presence {
  private present = 0
  private values = 0
  /** How many rows have so many values; rows without any are not in it. */
  private readonly lengths = new Map<number, number>()

  add(column: Column, rows: number): void {
    if (column.offsets === undefined) {
      this.count(1, rows)
      return
    }
    let ones = 0
    for (let row = 0; row < rows; row++) {
      const length = rowEnd(column, row) - rowStart(column, row)
      if (length === 1) ones++
      else if (length > 1) this.count(length, 1)
    }
    this.count(1, ones)
  }

  private count(length: number, rows: number): void {
    if (rows === 0) return
    this.present += rows
    this.values += rows * length
    this.lengths.set(length, (this.lengths.get(length) ?? 0) + rows)
  }

  finish(rows: number): CommonStatistics {
    if (this.present === 0) return { numNonMissing: 0, numMissing: rows }
    const lengths = weightedValues(this.lengths)
    const least = lengths.values[0]!
    const most = lengths.values.at(-1)!
    return {
      numNonMissing: this.present,
      ...(rows === this.present ? {} : { numMissing: rows - this.present }),
      minNumValues: least,
      maxNumValues: most,
      avgNumValues: Math.fround(this.values / this.present),
      totNumValues: this.values,
      numValuesHistogram: quantileHistogram(lengths, least, most),
    }
  }
}

class NumberStatistics implements FeatureStatistics {
  private readonly presence = new Presence()
  private readonly numbers = new NumberBlocks()
  private readonly kind: 'int' | 'float'
  private nan = 0
  private zeros = 0

  constructor(kind: 'int' | 'float') {
    this.kind = kind
  }

  add(column: Column, rows: number): void {
    this.presence.add(column, rows)
    if (column.kind === 'bytes') return
    const { values } = column
    this.nan += this.numbers.addAll(values)
    let zeros = 0
    for (let index = 0; index < values.length; index++) if (values[index] === 0) zeros++
    this.zeros += zeros
  }

  get isExact(): boolean {
    return this.numbers.isExact
  }

  finish(rows: number): FeatureNameStatistics {
    const commonStats = this.presence.finish(rows)
    const type = this.kind === 'int' ? {} : { type: 'FLOAT' as const }
    const sorted = this.numbers.finish()
    const { count, mean, deviation, min, max } = this.numbers.moments
    if (count === 0) {
      const onlyNan = ['STANDARD', 'QUANTILES'].map((kind) => ({
        numNan: this.nan,
        type: kind as 'STANDARD' | 'QUANTILES',
      }))
      return { ...type, numStats: { commonStats, ...(this.nan === 0 ? {} : { histograms: onlyNan }) } }
    }
    const upper = valueAtRank(sorted, count >> 1)
    return {
      ...type,
      numStats: {
        commonStats,
        mean,
        stdDev: deviation,
        ...(this.zeros === 0 ? {} : { numZeros: this.zeros }),
        min,
        median: count % 2 === 1 ? upper : (valueAtRank(sorted, (count >> 1) - 1) + upper) / 2,
        max,
        histograms: [standardHistogram(sorted, min, max, this.nan), quantileHistogram(sorted, min, max, this.nan)],
      },
    }
  }
}

class TextStatistics implements FeatureStatistics {
  private readonly presence = new Presence()
  private readonly counts = new ByteCounts()
  private bytes = 0
  private values = 0

  add(column: Column, rows: number): void {
    this.presence.add(column, rows)
    if (column.kind !== 'bytes') return
    const { data, ends } = column
    this.bytes += data.length
    this.values += ends.length
    let start = 0
    for (let value = 0; value < ends.length; value++) {
      const end = ends[value]!
      this.counts.add(data, start, end)
      start = end
    }
  }

  get isExact(): boolean {
    return this.counts.isExact
  }

  finish(rows: number): FeatureNameStatistics {
    const invalid = this.counts.invalidTexts
    let ranked = this.counts
      .top(rankCount, invalid === 0 ? undefined : isUtf8)
      .map(({ bytes, count }) => ({ value: decodeText(bytes, 0, bytes.length), frequency: count }))
    if (invalid > 0) {
      ranked.push({ value: bytesLabel, frequency: invalid })
      ranked.sort((a, b) => b.frequency - a.frequency || compareText(a.value, b.value))
      ranked = ranked.slice(0, rankCount)
    }
    return {
      type: 'STRING',
      stringStats: {
        commonStats: this.presence.finish(rows),
        unique: this.counts.distinct,
        topValues: ranked.slice(0, topCount),
        avgLength: this.values === 0 ? 0 : Math.fround(this.bytes / this.values),
        rankHistogram: {
          buckets: ranked.map(({ value, frequency }, rank) => ({
            ...(rank === 0 ? {} : { lowRank: rank, highRank: rank }),
            label: value,
            sampleCount: frequency,
          })),
        },
        ...(invalid === 0 ? {} : { invalidUtf8Count: invalid }),
      },
    }
  }
}

/** Ten buckets of equal width over the finite values; their ends are exact where the values in between are estimated. */
function standardHistogram({ values, cumulative }: WeightedValues, min: number, max: number, nan: number): Histogram {
  let first = 0
  let last = values.length - 1
  while (first < last && values[first] === Number.NEGATIVE_INFINITY) first++
  while (last > first && values[last] === Number.POSITIVE_INFINITY) last--
  const finite = Number.isFinite(values[first]) && Number.isFinite(values[last])
  const low = finite ? (Number.isFinite(min) ? min : values[first]!) : 0
  const high = finite ? (Number.isFinite(max) ? max : values[last]!) : 0
  const width = (high - low) / bucketCount
  const counts = new Array<number>(bucketCount).fill(0)
  for (let index = first; finite && index <= last; index++) {
    const weight = cumulative[index]! - (index === 0 ? 0 : cumulative[index - 1]!)
    const bucket = width > 0 ? Math.min(bucketCount - 1, Math.floor((values[index]! - low) / width)) : bucketCount - 1
    counts[bucket]! += weight
  }
  const buckets = counts.map(
    (sampleCount, index): HistogramBucket => ({
      lowValue: low + index * width,
      highValue: index === bucketCount - 1 ? high : low + (index + 1) * width,
      sampleCount,
    }),
  )
  return { ...(nan === 0 ? {} : { numNan: nan }), buckets, type: 'STANDARD' }
}

/** Ten buckets of equal counts; boundaries are values of the data (nearest rank), the outermost the extremes. */
function quantileHistogram(sorted: WeightedValues, min: number, max: number, nan = 0): Histogram {
  const { total } = sorted
  const at = (part: number): number =>
    valueAtRank(sorted, Math.min(total - 1, Math.floor((part * total) / bucketCount)))
  const buckets = Array.from(
    { length: bucketCount },
    (_, index): HistogramBucket => ({
      lowValue: index === 0 ? min : at(index),
      highValue: index === bucketCount - 1 ? max : at(index + 1),
      sampleCount: total / bucketCount,
    }),
  )
  return { ...(nan === 0 ? {} : { numNan: nan }), buckets, type: 'QUANTILES' }
}
