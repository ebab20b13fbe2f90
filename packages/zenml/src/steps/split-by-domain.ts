import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { assignSplits, checkFeature, dropped, splitName, type Unclaimed, unclaimedParameter } from './assign-splits.ts'
import { wordAt } from './values.ts'

/** Parameters of `splitByDomain`. */
export interface SplitByDomainParameters {
  /** The categorical feature that decides; of several values the first counts. */
  feature: string
  /** The feature's values by split; numbers as their text, so that 1 and "1" are one. No value stands twice. */
  splits: { [split: string]: (string | number)[] }
  /** What becomes of rows with another value, or none: `error` (default), `drop`, or a split. */
  unmapped: Unclaimed
}

type Required = 'feature' | 'splits'
const parameters: z.ZodType<
  SplitByDomainParameters,
  Defaulted<SplitByDomainParameters> & Pick<SplitByDomainParameters, Required>
> = z.strictObject({
  feature: z.string(),
  splits: z
    .record(splitName, z.array(z.union([z.string(), z.number()])).min(1))
    .refine((splits) => Object.keys(splits).length > 0 && Object.keys(splits).length <= 254, 'from 1 to 254 splits')
    .refine((splits) => {
      const values = Object.values(splits).flat().map(String)
      return new Set(values).size === values.length
    }, 'a value stands twice'),
  unmapped: unclaimedParameter.default('error'),
})

/**
 * Splits examples by the domain of a categorical feature: each of its values is given to a split by name.
 *
 * Throws `ZEN_SPLIT_UNMAPPED` for a value that no split names, unless `unmapped` says otherwise; `ZEN_SPLIT_EMPTY` where a split gets no row;
 * `ZEN_SPLIT_FEATURE` where there is no such feature.
 *
 * @example
 * const { examples: parts } = splitByDomain(
 *   { examples },
 *   { feature: 'Island', splits: { train: ['Biscoe', 'Dream'], eval: ['Torgersen'] }, unmapped: 'drop' },
 * )
 */
export const splitByDomain: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'splitByDomain',
  description: 'Splits examples by the values of a categorical feature.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { feature, splits, unmapped }, context }) => {
    checkFeature(examples, 'feature', feature)
    const others = typeof unmapped === 'object' ? [unmapped.split] : []
    const names = [...new Set([...Object.keys(splits), ...others])].sort(compareText)
    const isFloat = examples.features.get(feature) === 'float'
    // Examples hold floats of 32 bits: 0.1 is another number there.
    const textOf = (value: string | number): string =>
      String(isFloat && typeof value === 'number' ? Math.fround(value) : value)
    const sideOf = new Map(
      Object.entries(splits).flatMap(([name, values]) =>
        values.map((value) => [textOf(value), names.indexOf(name)] as const),
      ),
    )
    const otherwise = typeof unmapped === 'object' ? names.indexOf(unmapped.split) : dropped
    await assignSplits({
      examples,
      names,
      context,
      next: 'Name values that occur, or leave the split out.',
      sidesOf: (batch) => {
        const column = batch.columns.get(feature)
        return Int16Array.from({ length: batch.length }, (_, row) => {
          const word = wordAt(column, row)
          const side = word === undefined ? undefined : sideOf.get(word)
          if (side !== undefined) return side
          if (unmapped === 'error') throw notMapped(feature, word)
          return otherwise
        })
      },
    })
    return {}
  },
})

function notMapped(feature: string, word: string | undefined): ZenmlError {
  const what = word === undefined ? `A row has no "${feature}"` : `A row has the "${feature}" ${JSON.stringify(word)}`
  return new ZenmlError('ZEN_SPLIT_UNMAPPED', `${what}, which no split names.`, {
    facts: { feature, value: word ?? null },
    next: 'Give the value to a split, or set "unmapped" to drop or to { split: NAME }.',
    exitCode: 1,
  })
}
