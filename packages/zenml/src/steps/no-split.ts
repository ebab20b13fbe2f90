import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { assignSplits, splitName } from './assign-splits.ts'

/** Parameters of `noSplit`. */
export interface NoSplitParameters {
  /** The one split. Default train. */
  split: string
}

const parameters: z.ZodType<NoSplitParameters, Defaulted<NoSplitParameters>> = z.strictObject({
  split: splitName.default('train'),
})

/**
 * Puts all rows into one named split, in their order. Throws `ZEN_SPLIT_EMPTY` where there is no row.
 *
 * @example
 * const { examples: all } = noSplit({ examples }, { split: 'train' })
 */
export const noSplit: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'noSplit',
  description: 'Puts all rows into one split.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { split }, context }) => {
    await assignSplits({
      examples,
      names: [split],
      context,
      next: 'Use data with rows.',
      sidesOf: ({ length }) => new Uint8Array(length),
    })
    return {}
  },
})
