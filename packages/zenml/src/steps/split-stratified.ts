import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { seededRandom } from '../base/random.ts'
import { type Step, step } from '../define/step.ts'
import type { Column, ExampleBatch, IntColumn } from '../formats/batch.ts'
import { Examples } from '../formats/examples.ts'
import { allRows, assignSplits, checkFeature, limitsOf, type Ratios, ratiosParameter } from './assign-splits.ts'
import { rowHasher } from './row-hash.ts'
import { sortedRows } from './sort-rows.ts'
import { wordAt } from './values.ts'

/** Parameters of `splitStratified`. */
export interface SplitStratifiedParameters {
  /** The categorical feature whose shares every split keeps; of several values the first counts. */
  feature: string
  /** Share of each split in each category. Default train 0.8, eval 0.2. */
  ratios: Ratios
}

const parameters: z.ZodType<
  SplitStratifiedParameters,
  Defaulted<SplitStratifiedParameters> & Pick<SplitStratifiedParameters, 'feature'>
> = z.strictObject({
  feature: z.string(),
  ratios: ratiosParameter.default({ train: 0.8, eval: 0.2 }),
})

/** More are hardly a category, but an identifier. */
const mostCategories = 10_000

/**
 * Splits the rows of each category of a feature by ratio, so that every split has the category's share: the number of rows is within one of
 * it, but for equal rows, which stay together. Which rows is decided by a seeded hash, whatever their order. Rows without the feature are a
 * category of their own. Rows are read twice, hashes are sorted in scratch files; memory is bounded.
 *
 * Throws `ZEN_SPLIT_CATEGORIES` for more than 10,000 categories, `ZEN_SPLIT_EMPTY` where a split gets no row, `ZEN_SPLIT_FEATURE` where
 * there is no such feature.
 *
 * @example
 * const { examples: parts } = splitStratified({ examples }, { feature: 'Species', ratios: { train: 0.7, eval: 0.3 } })
 */
export const splitStratified: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'splitStratified',
  description: 'Splits each category of a feature by ratio.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { feature, ratios }, context }) => {
    checkFeature(examples, 'feature', feature)
    const { names, limits } = limitsOf(ratios)
    const { seed, scratch, signal } = context
    const rowsOf = new Map<string, number>()
    async function* hashes(): AsyncGenerator<ExampleBatch, void, undefined> {
      for await (const batch of allRows(examples, { signal })) {
        const column = batch.columns.get(feature)!
        for (let row = 0; row < batch.length; row++) {
          const category = categoryAt(column, row)
          rowsOf.set(category, (rowsOf.get(category) ?? 0) + 1)
        }
        if (rowsOf.size > mostCategories) throw tooMany(feature)
        const hash = rowHasher(batch, [], seed)
        const values = Float64Array.from({ length: batch.length }, (_, row) => hash(row) * hashRange)
        const columns = new Map<string, Column>([
          ['category', column],
          ['hash', { kind: 'int', values }],
        ])
        yield { length: batch.length, columns }
      }
    }
    // By category: from which hash on the rows belong to the next split.
    const bounds = new Map<string, Float64Array>()
    let category: string | undefined
    let rank = 0
    let cuts: readonly number[] = []
    for await (const rows of sortedRows(hashes(), keysOf, { scratch, signal })) {
      for (const { group, place } of rows) {
        if (group !== category) {
          category = group
          rank = 0
          cuts = cutsOf(rowsOf.get(group)!, limits, seededRandom(`${seed}\n${group}`).next())
          bounds.set(group, new Float64Array(cuts.length).fill(Number.POSITIVE_INFINITY))
        }
        for (const [index, cut] of cuts.entries()) if (cut === rank) bounds.get(group)![index] = place
        rank++
      }
    }
    await assignSplits({
      examples,
      names,
      context,
      sidesOf: (batch) => {
        const column = batch.columns.get(feature)!
        const hash = rowHasher(batch, [], seed)
        return Uint8Array.from({ length: batch.length }, (_, row) => {
          const own = bounds.get(categoryAt(column, row))!
          const place = hash(row) * hashRange
          let side = 0
          while (side < own.length && place >= own[side]!) side++
          return side
        })
      },
    })
    return {}
  },
})

/** Hashes of 53 bits as whole numbers, which files of examples keep exactly. */
const hashRange = 2 ** 53

function keysOf({ columns, length }: ExampleBatch): { groups: string[]; places: Float64Array } {
  const category = columns.get('category')!
  const hash = columns.get('hash') as IntColumn
  return {
    groups: Array.from({ length }, (_, row) => categoryAt(category, row)),
    places: hash.values,
  }
}

/** Ranks at which a category of so many rows is cut. One chance for the category decides which share is rounded up: tiny ones are not all alike. */
function cutsOf(rows: number, limits: readonly number[], chance: number): number[] {
  return limits.slice(0, -1).map((limit) => Math.min(rows, Math.floor(rows * limit + chance)))
}

/** The category of a row; that of rows without one is no word. */
function categoryAt(column: Column, row: number): string {
  const word = wordAt(column, row)
  return word === undefined ? '' : `=${word}`
}

function tooMany(feature: string): ZenmlError {
  return new ZenmlError(
    'ZEN_SPLIT_CATEGORIES',
    `The feature "${feature}" has more than ${mostCategories} values, too many for categories.`,
    { facts: { feature }, next: 'Name a feature with fewer values, or use split.', exitCode: 1 },
  )
}
