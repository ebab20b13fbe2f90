import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { StepContext } from '../define/step.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import { createExamplesWriter, type Examples, type ExamplesReader } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'

/** Shares by split: any names, any positive numbers, which need not sum to 1. */
export interface Ratios {
  [split: string]: number
}

/** The name of a split, as a parameter. */
export const splitName: z.ZodString = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'up to 100 letters, digits, "_" and "-", beginning with a letter or digit')

/** Shares of splits, as a parameter. */
export const ratiosParameter: z.ZodType<Ratios, Ratios> = z
  .record(splitName, z.number().positive().max(1e15))
  .refine((ratios) => Object.keys(ratios).length > 0 && Object.keys(ratios).length <= 255, 'from 1 to 255 splits')

/** What becomes of rows that no split claims: an error, left out, or put into a split of their own. */
export type Unclaimed = 'error' | 'drop' | { split: string }

/** What becomes of rows that no split claims, as a parameter. */
export const unclaimedParameter: z.ZodType<Unclaimed, Unclaimed> = z.union([
  z.enum(['error', 'drop']),
  z.strictObject({ split: splitName }),
])

/** Names of splits in order, with where each one's share ends in (0, 1]. */
export function limitsOf(ratios: Ratios): { readonly names: string[]; readonly limits: number[] } {
  const names = Object.keys(ratios).sort(compareText)
  return { names, limits: cumulativeShares(names.map((name) => ratios[name]!)) }
}

/** Where each share ends in (0, 1]. */
export function cumulativeShares(shares: readonly number[]): number[] {
  const total = shares.reduce((sum, share) => sum + share, 0)
  let reached = 0
  return shares.map((share) => {
    reached += share
    return reached / total
  })
}

/** Throws `ZEN_SPLIT_FEATURE` where the examples have no such feature. */
export function checkFeature(examples: ExamplesReader, parameter: string, feature: string): void {
  if (examples.features.has(feature)) return
  const known = [...examples.features.keys()]
  throw new ZenmlError(
    'ZEN_SPLIT_FEATURE',
    `"${parameter}" names "${feature}", but the examples have ${known.join(', ')}.${didYouMean(feature, known)}`,
    { exitCode: 1 },
  )
}

/** All rows of all splits, in order. */
export async function* allRows(
  examples: ExamplesReader,
  options: { readonly columns?: readonly string[]; readonly signal: AbortSignal },
): AsyncGenerator<ExampleBatch, void, undefined> {
  for (const split of examples.splits) yield* examples.read(split, options)
}

/** Side of a row that no split gets. */
export const dropped = -1

/**
 * Writes each row into the split that `sidesOf` gives as an index into `names`, in the order of the rows; throws `ZEN_SPLIT_EMPTY` where a
 * split gets none.
 */
export async function assignSplits(given: {
  readonly examples: ExamplesReader
  readonly names: readonly string[]
  readonly context: StepContext<{ readonly examples: typeof Examples }>
  sidesOf(batch: ExampleBatch): ArrayLike<number>
  /** What to do about an empty split. */
  readonly next?: string
}): Promise<void> {
  const { examples, names, context, sidesOf, next = 'Raise its share, or use more data.' } = given
  const counts = names.map(() => 0)
  let left = 0
  const writer = await createExamplesWriter(context.directories.examples)
  try {
    for await (const batch of allRows(examples, { signal: context.signal })) {
      const sides = sidesOf(batch)
      const rows: number[][] = names.map(() => [])
      for (let row = 0; row < batch.length; row++) {
        if (sides[row] === dropped) left++
        else rows[sides[row]!]!.push(row)
      }
      for (const [index, name] of names.entries()) {
        counts[index]! += rows[index]!.length
        if (rows[index]!.length > 0) await writer.write(name, selectRows(batch, rows[index]!))
      }
    }
    const empty = names.filter((_, index) => counts[index] === 0)
    if (empty.length > 0)
      throw new ZenmlError('ZEN_SPLIT_EMPTY', `No row fell into ${empty.join(', ')}.`, { next, exitCode: 1 })
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
  context.describe('examples', {
    splits: Object.fromEntries(names.map((name, index) => [name, counts[index]!])),
    features: Object.fromEntries(examples.features),
    ...(left > 0 ? { droppedRows: left } : {}),
  })
}
