import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { type Step, step } from '../define/step.ts'
import { bytesAt, type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import { createExamplesWriter, Examples, type ExamplesReader } from '../formats/examples.ts'
import type { Fill } from './sequences/fill.ts'
import type { Resample } from './sequences/resample.ts'
import { type FeaturePlan, Session } from './sequences/session.ts'
import { WindowCutter, type WindowPlan } from './sequences/windows.ts'
import { type RowKeys, sortedRows } from './sort-rows.ts'
import { timesOf } from './time-value.ts'
import { wordAt } from './values.ts'

/** How one feature is treated, where that is not the default. */
export interface SequenceFeature {
  /** How the values of an interval become one. Default mean for numbers, mode for texts. */
  resample?: Resample | undefined
  /** What stands for a missing value. Default forward. */
  fill?: Fill | undefined
}

/** The label of a window. */
export interface SequenceLabel {
  feature: string
  /** How many cells behind the window's last one. Default 1. */
  horizon: number
  /** Its name as a feature of the window. Default label. */
  name: string
}

/** Parameters of `sequence`. */
export interface SequenceParameters {
  /** The feature that holds the time: numbers of any unit, or texts of ISO 8601, which count in milliseconds. */
  time: string
  /** Features whose values tell the series apart, such as the id of a sensor. Default none: all rows are one series. */
  by: string[]
  /** A row that is further than this behind the one before begins a new session. Unit of the time. Default: a series is one session. */
  gap?: number | undefined
  /** Length of a cell of the regular grid, which counts from 0. Unit of the time. Default: each row is a cell. */
  interval?: number | undefined
  /** Features of the windows. Default all but the time and `by`. */
  features?: string[] | undefined
  /** Features that are not treated as is the default. */
  overwrite: { [feature: string]: SequenceFeature }
  /** Cells of a window. Default 16. */
  length: number
  /** Cells from the start of a window to that of the next. Default 1. */
  stride: number
  /** A value behind the window, to be foretold. Default none. */
  label?: SequenceLabel | undefined
  /** What becomes of rows without a time. Default error. */
  missing: 'error' | 'drop'
}

type Given = Defaulted<Omit<SequenceParameters, 'time' | 'overwrite' | 'label'>> & {
  time: string
  overwrite?:
    | {
        [feature: string]: {
          resample?:
            | 'mean'
            | 'median'
            | 'mode'
            | (Defaulted<Exclude<Resample, string>> & { threshold: number })
            | undefined
          fill?: Fill | undefined
        }
      }
    | undefined
  label?: (Defaulted<SequenceLabel> & { feature: string }) | undefined
}

const resample = z.union([
  z.enum(['mean', 'median', 'mode']),
  z.strictObject({
    threshold: z.number(),
    condition: z.enum(['greater', 'less']).default('greater'),
    set: z.number().default(1),
    otherwise: z.number().default(0),
  }),
])

const parameters: z.ZodType<SequenceParameters, Given> = z.strictObject({
  time: z.string(),
  by: z.array(z.string()).default([]),
  gap: z.number().positive().optional(),
  interval: z.number().positive().optional(),
  features: z.array(z.string()).min(1).optional(),
  overwrite: z
    .record(
      z.string(),
      z.strictObject({
        resample: resample.optional(),
        fill: z.enum(['forward', 'zero', 'mean', 'interpolate', 'none']).optional(),
      }),
    )
    .default({}),
  length: z.int().min(1).max(10_000).default(16),
  stride: z.int().min(1).default(1),
  label: z
    .strictObject({ feature: z.string(), horizon: z.int().min(1).default(1), name: z.string().min(1).default('label') })
    .optional(),
  missing: z.enum(['error', 'drop']).default('error'),
})

/**
 * Makes windows of time series: rows are told apart by `by`, ordered by time (rows of one time in their order), parted into sessions at
 * gaps, resampled to a regular grid, filled, and cut into windows of `length` cells, one example each, whose features have `length` values.
 * A window also has the `by` features and, as the time, that of its last cell. Windows with a value that is still missing are left out, and
 * those whose label was not observed. Each split is treated by itself. Rows are sorted in scratch files, 32 MiB at a time; a session is held
 * in memory, up to 8,388,608 values of 24 bytes.
 *
 * Throws `ZEN_SEQUENCE_FEATURE` for names and methods that do not fit, `ZEN_SEQUENCE_TIME` for a row without a time, `ZEN_TIME_VALUE` for a value
 * that is no time, `ZEN_SEQUENCE_VALUE` for one that cannot be reckoned with, `ZEN_SEQUENCE_SESSION` for a session that is too long,
 * `ZEN_SEQUENCE_EMPTY` where a split gives no window.
 *
 * @example
 * const { examples: windows } = sequence(
 *   { examples },
 *   { time: 'at', by: ['sensor'], gap: 600_000, interval: 60_000, length: 30, stride: 5, label: { feature: 'load', horizon: 10 } },
 * )
 */
export const sequence: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'sequence',
  description: 'Makes windows of time series.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: asked, context }) => {
    const plan = planOf(examples, asked)
    const { directories, scratch, signal } = context
    const counts: { [split: string]: number } = {}
    let droppedWindows = 0
    const writer = await createExamplesWriter(directories.examples)
    try {
      for (const split of examples.splits) {
        const cutter = new WindowCutter(plan)
        counts[split] = 0
        for await (const batch of windowsOf(examples, split, asked, plan, cutter, { scratch, signal })) {
          counts[split] += batch.length
          await writer.write(split, batch)
        }
        droppedWindows += cutter.dropped
        if (counts[split] === 0) throw noWindow(split, cutter.dropped)
      }
      const { features } = await writer.finish()
      context.describe('examples', { splits: counts, features: { ...features }, droppedWindows })
    } catch (error) {
      await writer.abort()
      throw error
    }
    return {}
  },
})

async function* windowsOf(
  examples: ExamplesReader,
  split: string,
  { time, by, gap, interval, missing }: SequenceParameters,
  { features }: WindowPlan,
  cutter: WindowCutter,
  options: { readonly scratch: string; readonly signal: AbortSignal },
): AsyncGenerator<ExampleBatch, void, undefined> {
  const columns = [...new Set([time, ...by, ...features.map(({ name }) => name)])]
  const keysOf = (batch: ExampleBatch): RowKeys => ({
    groups: Array.from({ length: batch.length }, (_, row) =>
      JSON.stringify(by.map((name) => keyAt(batch.columns.get(name), row))),
    ),
    // Rows without a time come last, where they are told from the others.
    places: timesOf(batch, time).map((at) => (Number.isNaN(at) ? Number.POSITIVE_INFINITY : at)),
  })
  const session = new Session(features, interval)
  let group: string | undefined
  let before = 0
  for await (const rows of sortedRows(examples.read(split, { columns, signal: options.signal }), keysOf, options)) {
    for (const row of rows) {
      if (row.place === Number.POSITIVE_INFINITY) {
        if (missing === 'drop') continue
        throw new ZenmlError('ZEN_SEQUENCE_TIME', `A row of split "${split}" has no "${time}".`, {
          next: 'Set "missing" to drop, or give every row a time.',
          exitCode: 1,
        })
      }
      if (row.group !== group || (gap !== undefined && row.place - before > gap)) {
        const ended = session.end()
        if (ended !== undefined) yield* cutter.cut(ended)
      }
      group = row.group
      before = row.place
      session.add(row)
    }
  }
  const ended = session.end()
  if (ended !== undefined) yield* cutter.cut(ended)
  const rest = cutter.finish()
  if (rest !== undefined) yield rest
}

/** The first value of a row as a text that is another for every other value: bytes need not be UTF-8. */
function keyAt(column: Column | undefined, row: number): string | null {
  if (column?.kind !== 'bytes') return wordAt(column, row) ?? null
  if (rowStart(column, row) === rowEnd(column, row)) return null
  return Buffer.from(bytesAt(column, rowStart(column, row))).toString('latin1')
}

/** Checks all names and methods before anything is read. */
function planOf(examples: ExamplesReader, asked: SequenceParameters): WindowPlan {
  const { time, by, interval, features, overwrite, length, stride, label } = asked
  const kinds = examples.features
  const taken = new Set([time, ...by])
  const names = [...new Set(features ?? [...kinds.keys()].filter((name) => !taken.has(name)))]
  const needed = [time, ...by, ...names, ...Object.keys(overwrite), ...(label === undefined ? [] : [label.feature])]
  for (const name of needed)
    if (!kinds.has(name))
      throw wrong(
        `The feature "${name}" is not there; the examples have ${[...kinds.keys()].join(', ')}.${didYouMean(name, kinds.keys())}`,
      )
  for (const name of names)
    if (taken.has(name)) throw wrong(`"${name}" is the time or in "by", and no feature of a window.`)
  for (const name of [...Object.keys(overwrite), ...(label === undefined ? [] : [label.feature])])
    if (!names.includes(name)) throw wrong(`"${name}" is not among the features of the windows.`)
  if (names.length === 0) throw wrong('No feature is left beside the time and "by".')
  if (label !== undefined && (names.includes(label.name) || taken.has(label.name)))
    throw wrong(
      `The label cannot be called "${label.name}": a feature has that name.`,
      'Give another with "label.name".',
    )
  const kind = kinds.get(time)!
  if (kind === 'int' && interval !== undefined && !Number.isSafeInteger(interval))
    throw wrong(`"${time}" holds whole numbers, so that "interval" must be one.`)
  const plans = names.map((name): FeaturePlan => {
    const own = kinds.get(name)!
    const given = overwrite[name] ?? {}
    if (given.resample !== undefined && interval === undefined)
      throw wrong(`"${name}" is to be resampled, but there is no "interval".`)
    const method = given.resample ?? (own === 'bytes' ? 'mode' : 'mean')
    const fill = given.fill ?? 'forward'
    if (own === 'bytes' && (method !== 'mode' || fill === 'mean' || fill === 'interpolate'))
      throw wrong(`"${name}" is text, which is resampled by mode and filled with forward, zero or none.`)
    const isMean = interval !== undefined && (method === 'mean' || method === 'median')
    const isFraction =
      interval !== undefined &&
      typeof method === 'object' &&
      !(Number.isSafeInteger(method.set) && Number.isSafeInteger(method.otherwise))
    const isThreshold = interval !== undefined && typeof method === 'object'
    const becomes =
      own === 'bytes'
        ? 'bytes'
        : isMean || isFraction || fill === 'mean' || fill === 'interpolate'
          ? 'float'
          : isThreshold
            ? 'int'
            : own
    return { name, kind: own, becomes, resample: method, fill }
  })
  return {
    features: plans,
    length,
    stride,
    time: { name: time, kind },
    by: by.map((name) => ({ name, kind: kinds.get(name)! })),
    label: label && { name: label.name, feature: names.indexOf(label.feature), horizon: label.horizon },
  }
}

function noWindow(split: string, dropped: number): ZenmlError {
  return new ZenmlError(
    'ZEN_SEQUENCE_EMPTY',
    dropped === 0
      ? `No session of split "${split}" is long enough for a window.`
      : `Each of the ${dropped} windows of split "${split}" lacks a value.`,
    {
      facts: { split, dropped },
      next:
        dropped === 0
          ? 'Take a shorter "length" or "horizon", or a longer "gap".'
          : 'Fill features otherwise, or leave out those that are mostly missing.',
      exitCode: 1,
    },
  )
}

function wrong(message: string, next?: string): ZenmlError {
  return new ZenmlError('ZEN_SEQUENCE_FEATURE', message, { exitCode: 1, ...(next === undefined ? {} : { next }) })
}
