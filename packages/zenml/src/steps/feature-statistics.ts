import { compareText } from '../base/canonical.ts'
import { GrowingDoubles } from '../base/growing-doubles.ts'
import { Sum } from '../base/sum.ts'
import { type Column, type ExampleBatch, type FeatureKind, rowEnd, rowStart, valueCount } from '../formats/batch.ts'
import { textAt } from '../formats/examples.ts'
import type {
  CommonStatistics,
  DatasetFeatureStatistics,
  FeatureNameStatistics,
  Histogram,
  HistogramBucket,
} from '../formats/statistics-proto.ts'

/** Buckets of a histogram, as TensorFlow Data Validation has them by default. */
const bucketCount = 10
/** Values in `topValues`, and ranks in the rank histogram. */
const topCount = 20
const rankCount = 1000

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

  finish(): DatasetFeatureStatistics {
    const features = [...this.features]
      .sort(([a], [b]) => compareText(a, b))
      .map(([name, feature]): FeatureNameStatistics => ({ path: { step: [name] }, ...feature.finish(this.rows) }))
    return { numExamples: this.rows, features }
  }
}

interface FeatureStatistics {
  add(column: Column, rows: number): void
  finish(rows: number): FeatureNameStatistics
}

/** Presence and number of values, the same for every kind. */
class Presence {
  private present = 0
  private values = 0
  private least = Number.POSITIVE_INFINITY
  private most = 0
  private readonly lengths = new GrowingDoubles()

  add(column: Column, rows: number): void {
    if (column.offsets === undefined) {
      this.present += rows
      this.values += valueCount(column)
      if (rows > 0) {
        this.least = Math.min(this.least, 1)
        this.most = Math.max(this.most, 1)
      }
      for (let row = 0; row < rows; row++) this.lengths.push(1)
      return
    }
    for (let row = 0; row < rows; row++) {
      const length = rowEnd(column, row) - rowStart(column, row)
      if (length === 0) continue
      this.present++
      this.values += length
      this.least = Math.min(this.least, length)
      this.most = Math.max(this.most, length)
      this.lengths.push(length)
    }
  }

  finish(rows: number): CommonStatistics {
    if (this.present === 0) return { numNonMissing: 0, numMissing: rows }
    return {
      numNonMissing: this.present,
      ...(rows === this.present ? {} : { numMissing: rows - this.present }),
      minNumValues: this.least,
      maxNumValues: this.most,
      avgNumValues: Math.fround(this.values / this.present),
      totNumValues: this.values,
      numValuesHistogram: quantileHistogram(this.lengths.view().slice().sort()),
    }
  }
}

class NumberStatistics implements FeatureStatistics {
  private readonly presence = new Presence()
  private readonly values = new GrowingDoubles()
  private readonly kind: 'int' | 'float'
  private nan = 0

  constructor(kind: 'int' | 'float') {
    this.kind = kind
  }

  add(column: Column, rows: number): void {
    this.presence.add(column, rows)
    if (column.kind === 'bytes') return
    for (const value of column.values) {
      if (Number.isNaN(value)) this.nan++
      else this.values.push(value)
    }
  }

  finish(rows: number): FeatureNameStatistics {
    const commonStats = this.presence.finish(rows)
    const values = this.values.view()
    const type = this.kind === 'int' ? {} : { type: 'FLOAT' as const }
    if (values.length === 0) return { ...type, numStats: { commonStats } }
    const sum = new Sum()
    let zeros = 0
    for (const value of values) {
      sum.add(value)
      if (value === 0) zeros++
    }
    const mean = sum.value() / values.length
    const squares = new Sum()
    for (const value of values) squares.add((value - mean) ** 2)
    const sorted = values.slice().sort()
    const middle = sorted.length >> 1
    const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
    return {
      ...type,
      numStats: {
        commonStats,
        mean,
        stdDev: Math.sqrt(squares.value() / values.length),
        ...(zeros === 0 ? {} : { numZeros: zeros }),
        min: sorted[0]!,
        median,
        max: sorted.at(-1)!,
        histograms: [standardHistogram(sorted, this.nan), quantileHistogram(sorted, this.nan)],
      },
    }
  }
}

class TextStatistics implements FeatureStatistics {
  private readonly presence = new Presence()
  private readonly counts = new Map<string, number>()
  private bytes = 0
  private values = 0

  add(column: Column, rows: number): void {
    this.presence.add(column, rows)
    if (column.kind !== 'bytes') return
    this.bytes += column.data.length
    this.values += column.ends.length
    for (let value = 0; value < column.ends.length; value++) {
      const text = textAt(column, value)
      this.counts.set(text, (this.counts.get(text) ?? 0) + 1)
    }
  }

  finish(rows: number): FeatureNameStatistics {
    const commonStats = this.presence.finish(rows)
    // Equal counts in the order of the values, so that the same data has the same ranks.
    const ranked = [...this.counts].sort(([a, left], [b, right]) => right - left || compareText(a, b))
    return {
      type: 'STRING',
      stringStats: {
        commonStats,
        unique: ranked.length,
        topValues: ranked.slice(0, topCount).map(([value, frequency]) => ({ value, frequency })),
        avgLength: this.values === 0 ? 0 : Math.fround(this.bytes / this.values),
        rankHistogram: {
          buckets: ranked.slice(0, rankCount).map(([label, sampleCount], rank) => ({
            ...(rank === 0 ? {} : { lowRank: rank, highRank: rank }),
            label,
            sampleCount,
          })),
        },
      },
    }
  }
}

/** Ten buckets of equal width over the finite values. */
function standardHistogram(sorted: Float64Array, nan: number): Histogram {
  const finite = sorted.filter(Number.isFinite)
  const low = finite[0] ?? 0
  const high = finite.at(-1) ?? 0
  const width = (high - low) / bucketCount
  const counts = new Array<number>(bucketCount).fill(0)
  for (const value of finite)
    counts[width > 0 ? Math.min(bucketCount - 1, Math.floor((value - low) / width)) : bucketCount - 1]!++
  const buckets = counts.map(
    (sampleCount, index): HistogramBucket => ({
      lowValue: low + index * width,
      highValue: index === bucketCount - 1 ? high : low + (index + 1) * width,
      sampleCount,
    }),
  )
  return { ...(nan === 0 ? {} : { numNan: nan }), buckets, type: 'STANDARD' }
}

/** Ten buckets of equal counts; boundaries are values of the data (nearest rank), exact. */
function quantileHistogram(sorted: Float64Array, nan = 0): Histogram {
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor((part * sorted.length) / bucketCount))]!
  const buckets = Array.from(
    { length: bucketCount },
    (_, index): HistogramBucket => ({
      lowValue: at(index),
      highValue: index === bucketCount - 1 ? sorted.at(-1)! : at(index + 1),
      sampleCount: sorted.length / bucketCount,
    }),
  )
  return { ...(nan === 0 ? {} : { numNan: nan }), buckets, type: 'QUANTILES' }
}
