import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { Moments } from '../base/moments.ts'
import { didYouMean } from '../base/nearest.ts'
import { Quantiles, valueAtRank } from '../base/quantiles.ts'
import { type Step, step } from '../define/step.ts'
import type { FeatureKind } from '../formats/batch.ts'
import { Examples, type ExamplesReader } from '../formats/examples.ts'
import { type FeatureTransform, TransformGraph, type TransformGraphData } from '../formats/transform-graph.ts'
import { labelWordAt, numberAt, wordAt } from './transform.ts'

/** What one asks for a feature. */
export interface FeatureRequest {
  transform: 'zscore' | 'minmax' | 'onehot' | 'vocabulary' | 'bucketize' | 'passthrough'
  /**
   * What stands for a missing value: a value, or the name of one found in the train split. For numbers `mean` (the default), `median`, `min`
   * or `max`; for words `mode`, the most frequent. Words have none by default: all zeros (onehot), or the number of unseen words (vocabulary).
   */
  fill?: number | string | undefined
  /** Number of buckets of equal counts (bucketize). Default 10. */
  buckets?: number | undefined
  /** Only the most frequent words (onehot, vocabulary). Default 1000. */
  maxWords?: number | undefined
}

/** Parameters of `preprocess`. */
export interface PreprocessParameters {
  /** Feature that the model is to tell. */
  label: string
  /** Whether the label's values are classes or amounts. Default: texts are classes, numbers are amounts. */
  task?: 'classification' | 'regression' | undefined
  /** Features by name; the default is z-score for numbers and one-hot for texts, over all but the label. */
  features?: { [name: string]: FeatureRequest } | undefined
  /** Features to leave out where `features` is not given. */
  exclude: string[]
  /** Split that is fitted on. Default train. */
  split: string
}

const request: z.ZodType<FeatureRequest, FeatureRequest> = z.strictObject({
  transform: z.enum(['zscore', 'minmax', 'onehot', 'vocabulary', 'bucketize', 'passthrough']),
  fill: z.union([z.number(), z.string()]).optional(),
  buckets: z.int().min(2).max(1000).optional(),
  maxWords: z.int().min(1).max(100_000).optional(),
})

const parameters: z.ZodType<PreprocessParameters, Defaulted<PreprocessParameters> & { label: string }> = z.strictObject(
  {
    label: z.string(),
    task: z.enum(['classification', 'regression']).optional(),
    features: z.record(z.string(), request).optional(),
    exclude: z.array(z.string()).default([]),
    split: z.string().default('train'),
  },
)

/**
 * Fits how each feature becomes numbers, on the train split only. The fitted transform is one artifact that training, evaluation and
 * serving apply alike. Rows without a label count as well; of several values of a feature the first counts; NaN is missing.
 *
 * Throws `ZEN_PREPROCESS_FEATURE` where a feature is not there, has no value or an infinite one, or does not fit its transform, and where
 * the label tells nothing.
 *
 * @example
 * const { transform } = preprocess({ examples: parts }, { label: 'Species' })
 */
export const preprocess: Step<
  { readonly examples: typeof Examples },
  { readonly transform: typeof TransformGraph },
  typeof parameters
> = step({
  name: 'preprocess',
  description: 'Fits how features become numbers, on the train split.',
  inputs: { examples: Examples },
  outputs: { transform: TransformGraph },
  parameters,
  run: async ({ inputs: { examples }, parameters, context }) => ({
    transform: await fit(examples, parameters, context.signal),
  }),
})

async function fit(
  examples: ExamplesReader,
  { label, task, features, exclude, split }: PreprocessParameters,
  signal: AbortSignal,
): Promise<TransformGraphData> {
  const kinds = examples.features
  checkNames(kinds, { label, features, exclude })
  if (!examples.splits.includes(split))
    throw wrong(
      `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
      'Name one with "split".',
    )
  const names = (
    features === undefined
      ? [...kinds.keys()].filter((name) => name !== label && !exclude.includes(name))
      : Object.keys(features)
  ).sort(compareText)
  const requests = names.map((name) => {
    const kind = kinds.get(name)!
    const given = features?.[name] ?? { transform: kind === 'bytes' ? ('onehot' as const) : ('zscore' as const) }
    checkOptions(name, given)
    return { name, kind, request: given }
  })
  if (requests.length === 0) throw wrong('No feature is left beside the label.')
  const numbers = new Map<string, FittedNumbers>()
  const words = new Map<string, Map<string, number>>()
  for (const { name, kind, request: asked } of requests) {
    if (asked.transform === 'onehot' || asked.transform === 'vocabulary') words.set(name, new Map())
    else if (kind === 'bytes')
      throw wrong(
        `The feature "${name}" is text, but ${asked.transform} takes numbers.`,
        'Use onehot or vocabulary, or give its column the type int or float in the datasource.',
      )
    else numbers.set(name, new FittedNumbers())
  }
  const labelKind = kinds.get(label)!
  if (task === 'regression' && labelKind === 'bytes')
    throw wrong(`The label "${label}" is text, but regression needs numbers.`)
  const classes = labelKind === 'bytes' || task === 'classification' ? new Map<string, number>() : undefined
  let labels = 0
  for await (const batch of examples.read(split, { columns: [...new Set([label, ...names])], signal })) {
    for (const [name, values] of numbers) {
      const column = batch.columns.get(name)
      for (let row = 0; row < batch.length; row++) {
        const value = numberAt(column, row)
        if (value === undefined) continue
        if (!Number.isFinite(value)) throw infinite(name, split)
        values.add(value)
      }
    }
    const labelColumn = batch.columns.get(label)
    for (let row = 0; row < batch.length; row++) {
      if (classes === undefined) {
        if (numberAt(labelColumn, row) !== undefined) labels++
        continue
      }
      const word = labelWordAt(labelColumn, row)
      if (word === undefined) continue
      labels++
      classes.set(word, (classes.get(word) ?? 0) + 1)
    }
    for (const [name, counts] of words) {
      const column = batch.columns.get(name)
      for (let row = 0; row < batch.length; row++) {
        const word = wordAt(column, row)
        if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1)
      }
    }
  }
  const empty = requests
    .map(({ name }) => name)
    .filter((name) => !numbers.get(name)?.hasValues && !words.get(name)?.size)
  if (empty.length > 0)
    throw wrong(
      `${empty.length === 1 ? 'A feature has' : 'Some features have'} no value in split "${split}": ${empty.join(', ')}.`,
      'Leave out what is empty, for example with "exclude".',
    )
  if (labels === 0) throw wrong(`No row of split "${split}" has the label "${label}".`)
  if (classes?.size === 1)
    throw wrong(
      `Every row of split "${split}" has the same label "${label}": ${JSON.stringify([...classes.keys()][0])}.`,
      'Use data with at least two classes; there is nothing to learn from one.',
    )
  return {
    version: 1,
    features: requests.map(({ name, request: asked }) => ({
      name,
      transform: words.has(name)
        ? wordTransform(asked, words.get(name)!)
        : numberTransform(name, asked, numbers.get(name)!),
    })),
    label: { name: label, transform: labelTransform(labelKind, classes) },
  }
}

function labelTransform(
  kind: FeatureKind,
  classes: ReadonlyMap<string, number> | undefined,
): TransformGraphData['label']['transform'] {
  if (classes === undefined) return { kind: 'number' }
  const names = [...classes.keys()]
  return {
    kind: 'class',
    classes:
      kind === 'bytes' ? names.sort(compareText) : names.sort((a, b) => Number(a) - Number(b) || compareText(a, b)),
  }
}

/** A name that is written wrong must not leave out nothing, or the wrong thing. */
function checkNames(
  kinds: ReadonlyMap<string, FeatureKind>,
  { label, features, exclude }: Pick<PreprocessParameters, 'label' | 'features' | 'exclude'>,
): void {
  const check = (what: string, name: string): void => {
    if (kinds.has(name)) return
    const known = [...kinds.keys()]
    throw wrong(`${what} "${name}" is not there; the examples have ${known.join(', ')}.${didYouMean(name, known)}`)
  }
  check('The label', label)
  for (const name of Object.keys(features ?? {})) check('The feature', name)
  for (const name of exclude) check('The excluded feature', name)
  if (features !== undefined && exclude.length > 0)
    throw wrong('"exclude" is for the default features, but "features" is given.', 'Give one of both.')
}

function checkOptions(name: string, { transform, buckets, maxWords }: FeatureRequest): void {
  const takesWords = transform === 'onehot' || transform === 'vocabulary'
  const unused =
    buckets !== undefined && transform !== 'bucketize'
      ? 'buckets'
      : !takesWords && maxWords !== undefined
        ? 'maxWords'
        : undefined
  if (unused !== undefined) throw wrong(`The feature "${name}" has "${unused}", which ${transform} does not take.`)
}

function wordTransform(
  { transform, fill, maxWords = 1000 }: FeatureRequest,
  counts: ReadonlyMap<string, number>,
): FeatureTransform {
  const ranked = [...counts].sort(([a, left], [b, right]) => right - left || compareText(a, b)).slice(0, maxWords)
  const words = ranked.map(([word]) => word).sort(compareText)
  const filled = fill === undefined ? null : fill === 'mode' ? ranked[0]![0] : String(fill)
  return { kind: transform as 'onehot' | 'vocabulary', fill: filled, words }
}

/** What is learned of a feature of numbers, in bounded memory. */
class FittedNumbers {
  readonly moments = new Moments()
  private readonly quantiles = new Quantiles()
  /** Worked on in blocks of this size, wherever the batches end. */
  private readonly block = new Float64Array(1 << 14)
  private filled = 0

  add(value: number): void {
    this.block[this.filled++] = value
    if (this.filled === this.block.length) this.endBlock()
  }

  get hasValues(): boolean {
    return this.filled > 0 || this.moments.count > 0
  }

  private endBlock(): void {
    const values = this.block.subarray(0, this.filled)
    this.filled = 0
    this.moments.add(values)
    this.quantiles.add(values)
  }

  /** Completes the moments, and gives the value below which a part of the values is: exact up to 131,072 values (see `Quantiles`). */
  finish(): (part: number) => number {
    if (this.filled > 0) this.endBlock()
    const sorted = this.quantiles.finish()
    return (part) => valueAtRank(sorted, Math.min(sorted.total - 1, Math.floor(part * sorted.total)))
  }
}

function numberTransform(
  name: string,
  { transform, fill, buckets = 10 }: FeatureRequest,
  numbers: FittedNumbers,
): FeatureTransform {
  const quantile = numbers.finish()
  const { mean, deviation, min, max } = numbers.moments
  const filled = fillOf(name, fill, { mean, min, max, quantile })
  switch (transform) {
    case 'zscore':
      // Told by comparison: rounding of the mean can leave a constant feature with a deviation that is not quite 0.
      return { kind: 'zscore', fill: filled, mean, deviation: min === max ? 0 : deviation }
    case 'minmax':
      return { kind: 'minmax', fill: filled, min, max }
    case 'bucketize': {
      const cuts = Array.from({ length: buckets - 1 }, (_, index) => quantile((index + 1) / buckets))
      return { kind: 'bucketize', fill: filled, boundaries: cuts.filter((cut, index) => cut !== cuts[index - 1]) }
    }
    default:
      return { kind: 'passthrough', fill: filled }
  }
}

function fillOf(
  name: string,
  fill: FeatureRequest['fill'],
  { mean, min, max, quantile }: { mean: number; min: number; max: number; quantile(part: number): number },
): number {
  if (typeof fill === 'number') return fill
  if (fill === undefined || fill === 'mean') return mean
  if (fill === 'median') return quantile(0.5)
  if (fill === 'min') return min
  if (fill === 'max') return max
  throw wrong(`The feature "${name}" is filled with "${fill}"; for numbers that is a number, mean, median, min or max.`)
}

function infinite(name: string, split: string): ZenmlError {
  return wrong(
    `The feature "${name}" has an infinite value in split "${split}".`,
    'Replace infinite values in a step before, or leave the feature out.',
  )
}

function wrong(message: string, next?: string): ZenmlError {
  return new ZenmlError('ZEN_PREPROCESS_FEATURE', message, { exitCode: 1, ...(next === undefined ? {} : { next }) })
}
