import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import { Examples } from '../formats/examples.ts'
import { assignSplits, checkFeature, limitsOf, type Ratios, ratiosParameter } from './assign-splits.ts'
import { rowHasher } from './row-hash.ts'

/** Parameters of `split`. */
export interface SplitParameters {
  /** Share of each split: any names, any positive numbers, which need not sum to 1. Default train 0.8, eval 0.2. */
  ratios: Ratios
  /** Features that decide the side: rows with equal values of them are never parted. Without any, the whole row decides. */
  by: string[]
}

const parameters: z.ZodType<SplitParameters, Defaulted<SplitParameters>> = z.strictObject({
  ratios: ratiosParameter.default({ train: 0.8, eval: 0.2 }),
  by: z.array(z.string()).default([]),
})

/**
 * Splits examples by a seeded hash of the row, or of the features `by`: an example keeps its side as data grows, and equal rows
 * stay together. With `by`, such as the id of a patient, no group of rows is ever parted; rows without those features are one group.
 *
 * Throws `ZEN_SPLIT_EMPTY` where a split gets no row, `ZEN_SPLIT_FEATURE` where `by` names a feature that is not there.
 *
 * @example
 * const { examples: parts } = split({ examples }, { ratios: { train: 0.7, eval: 0.2, test: 0.1 } })
 */
export const split: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'split',
  description: 'Splits examples at random by a seeded hash of each row.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { ratios, by }, context }) => {
    for (const feature of by) checkFeature(examples, 'by', feature)
    const { names, limits } = limitsOf(ratios)
    const { seed } = context
    await assignSplits({ examples, names, context, sidesOf: (batch) => sidesOf(batch, by, seed, limits) })
    return {}
  },
})

/** Index of the split of each row: the first whose limit is above the row's hash as a number in [0, 1). */
export function sidesOf(
  batch: ExampleBatch,
  by: readonly string[],
  seed: number,
  limits: readonly number[],
): Uint8Array {
  const hash = rowHasher(batch, by, seed)
  const sides = new Uint8Array(batch.length)
  for (let row = 0; row < batch.length; row++) {
    const place = hash(row)
    const side = limits.findIndex((limit) => place < limit)
    sides[row] = side < 0 ? limits.length - 1 : side
  }
  return sides
}
