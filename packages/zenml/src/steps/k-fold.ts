import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { Ref } from '../define/pipeline.ts'
import { type Step, step } from '../define/step.ts'
import { createExamplesWriter, Examples } from '../formats/examples.ts'
import { assignSplits, checkFeature, splitName } from './assign-splits.ts'
import { sidesOf } from './split.ts'

/** Parameters of `kFold`. */
export interface KFoldParameters {
  /** Number of folds, from 2 to 100. Default 5. */
  folds: number
  /** Features that decide the fold: rows with equal values of them are never parted. Without any, the whole row decides. */
  by: string[]
}

const parameters: z.ZodType<KFoldParameters, Defaulted<KFoldParameters>> = z.strictObject({
  folds: z.int().min(2).max(100).default(5),
  by: z.array(z.string()).default([]),
})

/**
 * Splits examples into k folds `fold-0`, `fold-1` … by a seeded hash of the row, or of the features `by`: every row is in one fold.
 * `holdOut` makes train and eval of them; `crossValidate` does so for each fold.
 *
 * Throws `ZEN_SPLIT_EMPTY` where a fold gets no row, `ZEN_SPLIT_FEATURE` where `by` names a feature that is not there.
 *
 * @example
 * const { examples: folds } = kFold({ examples }, { folds: 5 })
 */
export const kFold: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'kFold',
  description: 'Splits examples into k folds by a seeded hash of each row.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { folds, by }, context }) => {
    for (const feature of by) checkFeature(examples, 'by', feature)
    const names = Array.from({ length: folds }, (_, fold) => `fold-${fold}`)
    const limits = names.map((_, fold) => (fold + 1) / folds)
    const { seed } = context
    await assignSplits({
      examples,
      names,
      context,
      next: 'Make fewer folds, or use more data.',
      sidesOf: (batch) => sidesOf(batch, by, seed, limits),
    })
    return {}
  },
})

/** Parameters of `holdOut`. */
export interface HoldOutParameters {
  /** The split that becomes `eval`. */
  split: string
}

const holdOutParameters: z.ZodType<HoldOutParameters, HoldOutParameters> = z.strictObject({ split: splitName })

/**
 * Holds out one of several splits: it becomes `eval`, all others together become `train`. Nothing is random.
 *
 * Throws `ZEN_SPLIT_UNKNOWN` where there is no such split, or no other.
 *
 * @example
 * const { examples: folds } = kFold({ examples })
 * const { examples: parts } = holdOut({ examples: folds }, { split: 'fold-0' })
 */
export const holdOut: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof holdOutParameters
> = step({
  name: 'holdOut',
  description: 'Makes one split eval, and all others train.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters: holdOutParameters,
  run: async ({ inputs: { examples }, parameters: { split }, context }) => {
    const { splits } = examples
    if (!splits.includes(split) || splits.length === 1)
      throw new ZenmlError(
        'ZEN_SPLIT_UNKNOWN',
        splits.includes(split)
          ? `"${split}" is the only split; nothing would be left to train on.`
          : `There is no split "${split}".${didYouMean(split, splits)}`,
        { facts: { split, splits }, next: 'Put kFold in front, and name one of its folds.', exitCode: 1 },
      )
    const writer = await createExamplesWriter(context.directories.examples)
    try {
      await writer.declare('train')
      await writer.declare('eval')
      for (const from of splits)
        for await (const batch of examples.read(from, { signal: context.signal }))
          await writer.write(from === split ? 'eval' : 'train', batch)
      const summary = await writer.finish()
      context.describe('examples', {
        splits: { eval: summary.splits['eval']!.rows, train: summary.splits['train']!.rows },
        features: { ...summary.features },
      })
    } catch (error) {
      await writer.abort()
      throw error
    }
    return {}
  },
})

/** What is placed for one fold. */
export interface FoldInputs {
  /** With the splits `train` and `eval`. */
  readonly examples: Ref<typeof Examples>
  /** `fold-0`, `fold-1` …: for the names of the steps, which must differ from fold to fold. */
  readonly fold: string
}

/**
 * Places a cross-validation in a pipeline: `kFold`, and for each fold `holdOut` and what `place` puts behind it. All folds come of one
 * step, so that they share its seed and part the rows. Gives what `place` returned, by fold.
 *
 * @example
 * const { steps } = pipeline('birds', () => {
 *   const { examples } = snapshot({ source: datasource('birds', { path: 'birds.csv' }) })
 *   crossValidate({ examples }, { folds: 3 }, ({ examples: parts, fold }) => {
 *     preprocess({ examples: parts }, { label: 'y' }, { name: `preprocess-${fold}` })
 *   })
 * }).build()
 * steps.length // 8
 */
export function crossValidate<R>(
  inputs: { readonly examples: Ref<typeof Examples> },
  options: Defaulted<KFoldParameters>,
  place: (inputs: FoldInputs) => R,
): R[] {
  const { examples } = kFold(inputs, options)
  return Array.from({ length: options.folds ?? 5 }, (_, index) => {
    const fold = `fold-${index}`
    return place({ examples: holdOut({ examples }, { split: fold }, { name: `holdOut-${fold}` }).examples, fold })
  })
}
