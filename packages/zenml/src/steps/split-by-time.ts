import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { type Step, step } from '../define/step.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import { Examples, type ExamplesReader } from '../formats/examples.ts'
import {
  allRows,
  assignSplits,
  checkFeature,
  cumulativeShares,
  dropped,
  splitName,
  type Unclaimed,
  unclaimedParameter,
} from './assign-splits.ts'
import { type RowKeys, sortedRows } from './sort-rows.ts'
import { parseTime, timesOf } from './time-value.ts'

/** A split of `splitByTime`. */
export interface TimeSplit {
  name: string
  /** Share of the rows. Given for all splits, or for none. */
  share?: number | undefined
  /** Its rows are before this time, and not before that of the split in front. Given for all splits but the last, or for none. */
  before?: number | string | undefined
}

/** Parameters of `splitByTime`. */
export interface SplitByTimeParameters {
  /** The feature that holds the time: numbers of any unit, or texts of ISO 8601 (UTC where they have no zone). */
  feature: string
  /** The splits from the earliest to the latest. Default train with a share of 0.8, then eval with 0.2. */
  splits: TimeSplit[]
  /** What becomes of rows without a time: `error` (default), `drop`, or a split. */
  missing: Unclaimed
}

const parameters: z.ZodType<
  SplitByTimeParameters,
  Defaulted<SplitByTimeParameters> & Pick<SplitByTimeParameters, 'feature'>
> = z.strictObject({
  feature: z.string(),
  splits: z
    .array(
      z.strictObject({
        name: splitName,
        share: z.number().positive().max(1e15).optional(),
        before: z.union([z.number(), z.string()]).optional(),
      }),
    )
    .min(1)
    .max(254)
    .refine((splits) => new Set(splits.map(({ name }) => name)).size === splits.length, 'a name stands twice')
    .refine(
      (splits) =>
        splits.every(({ share, before }) => share !== undefined && before === undefined) ||
        splits.every(
          ({ share, before }, index) => share === undefined && (before === undefined) === (index === splits.length - 1),
        ),
      'give each split a "share", or each but the last a "before"',
    )
    .default([
      { name: 'train', share: 0.8 },
      { name: 'eval', share: 0.2 },
    ]),
  missing: unclaimedParameter.default('error'),
})

/**
 * Splits examples by time: the earliest are the first split's. Cuts are given as shares of the rows, or as times; rows of one time are never
 * parted, and belong to the later split where a share ends among them. Shares are counted exactly, in bounded memory.
 *
 * Throws `ZEN_SPLIT_TIME` for a row without a time and for cuts that do not rise, `ZEN_TIME_VALUE` for a value that is no time,
 * `ZEN_SPLIT_EMPTY` where a split gets no row, `ZEN_SPLIT_FEATURE` where there is no such feature.
 *
 * @example
 * const { examples: parts } = splitByTime(
 *   { examples },
 *   { feature: 'day', splits: [{ name: 'train', before: '2024-01-01' }, { name: 'eval' }] },
 * )
 */
export const splitByTime: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'splitByTime',
  description: 'Splits examples by time, the earliest first.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { feature, splits, missing }, context }) => {
    checkFeature(examples, 'feature', feature)
    const names = splits.map(({ name }) => name)
    if (typeof missing === 'object' && !names.includes(missing.split)) names.push(missing.split)
    const without = typeof missing === 'object' ? names.indexOf(missing.split) : dropped
    const { scratch, signal } = context
    const cuts =
      splits[0]!.share === undefined
        ? splits.slice(0, -1).map(({ before }) => cutOf(examples, feature, before!))
        : await cutsAtShares(examples, feature, cumulativeShares(splits.map(({ share }) => share!)), {
            scratch,
            signal,
          })
    for (const [index, cut] of cuts.entries()) {
      if (index > 0 && cut < cuts[index - 1]!)
        throw wrong(
          `The split "${splits[index]!.name}" ends before the one in front of it.`,
          'Order the splits by time.',
        )
    }
    await assignSplits({
      examples,
      names,
      context,
      next: 'Move its cut, or use more data.',
      sidesOf: (batch) =>
        Int16Array.from(timesOf(batch, feature), (time) => {
          if (Number.isNaN(time)) {
            if (missing !== 'error') return without
            throw wrong(`A row has no "${feature}".`, 'Set "missing" to drop or to { split: NAME }.')
          }
          let side = 0
          while (side < cuts.length && time >= cuts[side]!) side++
          return side
        }),
    })
    return {}
  },
})

function cutOf(examples: ExamplesReader, feature: string, before: number | string): number {
  const isText = examples.features.get(feature) === 'bytes'
  const cut = typeof before === 'string' ? parseTime(before) : before
  if (cut !== undefined && isText === (typeof before === 'string')) return cut
  throw wrong(
    `A split ends before ${JSON.stringify(before)}, but the times of "${feature}" are ${isText ? 'texts of ISO 8601' : 'numbers'}.`,
    isText ? 'Write it like 2024-02-29 or 2024-02-29T12:00:00Z.' : "Give a number in the feature's unit.",
  )
}

/** The times at which the shares end: the time of the first row behind each. */
async function cutsAtShares(
  examples: ExamplesReader,
  feature: string,
  limits: readonly number[],
  options: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<number[]> {
  let count = 0
  async function* counted(): AsyncGenerator<ExampleBatch, void, undefined> {
    for await (const batch of allRows(examples, { columns: [feature], signal: options.signal })) {
      for (const time of timesOf(batch, feature)) if (!Number.isNaN(time)) count++
      yield batch
    }
  }
  // Rows without a time come last, where no rank reaches.
  const keysOf = (batch: ExampleBatch): RowKeys => ({
    places: timesOf(batch, feature).map((time) => (Number.isNaN(time) ? Number.POSITIVE_INFINITY : time)),
  })
  const cuts = limits.slice(0, -1).map(() => Number.POSITIVE_INFINITY)
  let ranks: readonly number[] | undefined
  let rank = 0
  for await (const rows of sortedRows(counted(), keysOf, options)) {
    // The first sorted rows come when all rows were seen, and counted.
    ranks ??= limits.slice(0, -1).map((limit) => Math.round(count * limit))
    for (const { place } of rows) {
      for (const [index, at] of ranks.entries()) if (at === rank) cuts[index] = place
      rank++
    }
  }
  return cuts
}

function wrong(message: string, next: string): ZenmlError {
  return new ZenmlError('ZEN_SPLIT_TIME', message, { next, exitCode: 1 })
}
