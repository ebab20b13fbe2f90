import { ZenmlError } from '../../base/errors.ts'
import { bytesAt, type Column, type FeatureKind, rowEnd, rowStart } from '../../formats/batch.ts'
import type { SortedRow } from '../sort-rows.ts'
import { type Fill, fillSession } from './fill.ts'
import { type Resample, type Resampler, resampler } from './resample.ts'

/** What is made of a feature. */
export interface FeaturePlan {
  readonly name: string
  readonly kind: FeatureKind
  /** Kind of what comes out. */
  readonly becomes: FeatureKind
  readonly resample: Resample
  readonly fill: Fill
}

/** A feature of a session that has ended. */
export interface SessionFeature {
  /** By cell; NaN where nothing is known. Of a feature of bytes these are indexes into `words`. */
  readonly observed: Float64Array
  /** The same after filling. */
  readonly filled: Float64Array
  /** Bytes, one char each. */
  readonly words: readonly string[]
}

/** A session that has ended: one cell an interval, or a row where there is no interval. */
export interface EndedSession {
  readonly first: SortedRow
  /** Start of each cell. */
  readonly times: Float64Array
  /** In the order of the plans. */
  readonly features: readonly SessionFeature[]
}

/** Values that a session may have: they are held in memory, up to 24 bytes each. */
const mostValues = 1 << 23

/** Gathers the rows of one session after the other, in the order of their times. */
export class Session {
  private readonly plans: readonly FeaturePlan[]
  private readonly interval: number | undefined
  private readonly columns: readonly SessionColumn[]
  private times: number[] = []
  private first: SortedRow | undefined
  private cell = Number.NaN

  constructor(plans: readonly FeaturePlan[], interval: number | undefined) {
    this.plans = plans
    this.interval = interval
    this.columns = plans.map((plan) => new SessionColumn(plan, interval !== undefined))
  }

  add(row: SortedRow): void {
    const { interval } = this
    this.first ??= row
    if (interval === undefined) {
      if (this.times.length > 0) this.endCell()
      this.times.push(row.place)
    } else {
      const cell = Math.floor(row.place / interval)
      if (this.times.length === 0) this.openCell(cell)
      else if (cell !== this.cell) {
        this.checkSize(this.times.length + cell - this.cell)
        for (let next = this.cell + 1; next <= cell; next++) {
          this.endCell()
          this.openCell(next)
        }
      }
    }
    this.checkSize(this.times.length)
    for (const column of this.columns) column.add(row)
  }

  /** Ends the session; undefined where it has no row. */
  end(): EndedSession | undefined {
    const { first } = this
    if (first === undefined) return undefined
    this.endCell()
    const times = Float64Array.from(this.times)
    const features = this.columns.map((column) => column.end(times))
    this.times = []
    this.first = undefined
    return { first, times, features }
  }

  private openCell(cell: number): void {
    this.cell = cell
    this.times.push(cell * this.interval!)
  }

  private endCell(): void {
    for (const column of this.columns) column.endCell()
  }

  private checkSize(cells: number): void {
    if (cells * this.plans.length <= mostValues) return
    throw new ZenmlError(
      'ZEN_SEQUENCE_SESSION',
      `A session would have ${cells} times ${this.plans.length} values, more than the ${mostValues} that are held in memory.`,
      {
        facts: { cells, features: this.plans.length },
        next: 'End sessions with "gap", take a longer "interval", or name fewer "features".',
        exitCode: 1,
      },
    )
  }
}

class SessionColumn {
  private readonly plan: FeaturePlan
  private readonly resampler: Resampler | undefined
  private values = new Float64Array(64)
  private count = 0
  private value = Number.NaN
  private words: string[] = []
  private index = new Map<string, number>()

  constructor(plan: FeaturePlan, hasIntervals: boolean) {
    this.plan = plan
    const order =
      plan.kind === 'bytes'
        ? (a: number, b: number): number => (this.words[a]! < this.words[b]! ? -1 : 1)
        : (a: number, b: number): number => a - b
    this.resampler = hasIntervals ? resampler(plan.resample, order) : undefined
  }

  /** Of several values of a row the first counts, and NaN is none. */
  add({ batch, row }: SortedRow): void {
    const column = batch.columns.get(this.plan.name)!
    if (rowStart(column, row) === rowEnd(column, row)) return
    const value = this.valueAt(column, rowStart(column, row))
    if (Number.isNaN(value)) return
    if (this.resampler === undefined) this.value = value
    else this.resampler.add(value)
  }

  private valueAt(column: Column, at: number): number {
    if (column.kind === 'bytes') return this.wordOf(Buffer.from(bytesAt(column, at)).toString('latin1'))
    const value = column.values[at]!
    const isTooLarge =
      column.kind === 'int' ? !Number.isSafeInteger(value) : Math.abs(value) === Number.POSITIVE_INFINITY
    if (!isTooLarge) return value
    throw new ZenmlError(
      'ZEN_SEQUENCE_VALUE',
      `The feature "${this.plan.name}" has the value ${column.kind === 'int' ? (column.big?.[at] ?? value) : value}, with which sequences cannot reckon.`,
      {
        facts: { feature: this.plan.name },
        next: 'Take finite numbers, and whole ones up to 2^53 - 1: change it in a step before, or name the other "features".',
        exitCode: 1,
      },
    )
  }

  private wordOf(word: string): number {
    const known = this.index.get(word)
    if (known !== undefined) return known
    this.index.set(word, this.words.length)
    return this.words.push(word) - 1
  }

  endCell(): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(this.count * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.count++] = this.resampler === undefined ? this.value : this.resampler.take()
    this.value = Number.NaN
  }

  end(times: Float64Array): SessionFeature {
    const { plan } = this
    const filled = this.values.subarray(0, this.count)
    const observed = filled.slice()
    const zero = plan.kind === 'bytes' && plan.fill === 'zero' ? this.wordOf('') : 0
    fillSession(filled, times, plan.fill, zero)
    const { words } = this
    this.values = new Float64Array(64)
    this.count = 0
    this.words = []
    this.index = new Map()
    return { observed, filled, words }
  }
}
