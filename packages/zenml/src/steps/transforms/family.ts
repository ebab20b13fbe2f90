import { ZenmlError } from '../../base/errors.ts'
import { type Column, rowEnd, rowStart } from '../../formats/batch.ts'
import type { FeatureTransform } from '../../formats/transform-graph.ts'

/** The kinds of transform. */
export type TransformKind = FeatureTransform['kind']
/** A fitted transform of a kind. */
export type TransformOf<K extends TransformKind> = Extract<FeatureTransform, { readonly kind: K }>

/** Writes the numbers of a value (or row), which are 0 before. Tells whether a value was missing. */
export type Write = (at: number, into: Float32Array, place: number) => boolean

/** The columns of a batch that a feature is made of; undefined for one that the batch does not have. */
export type Inputs = readonly (Column | undefined)[]

/** What is fitted. */
export interface FeatureToFit {
  readonly name: string
  /** So many values of a row count. */
  readonly values: number
  /** Split that is fitted on, for messages. */
  readonly split: string
}

/** A fit in progress. What it gives may depend on the rows and their order, never on how they are cut into batches. */
export interface Fit<T extends FeatureTransform> {
  /** How often it must see all rows. */
  readonly passes: 1 | 2
  /** Whether there was a value. */
  readonly hasValues: boolean
  see(inputs: Inputs, rows: number, pass: number): void
  finish(): T
}

/** Transforms of one kind: how they are fitted, how many numbers they give, and how they are applied. */
export interface TransformFamily<K extends TransformKind, R> {
  /** What it takes: a text is no number, and only bytes are an image. */
  readonly takes: 'numbers' | 'words' | 'images'
  /** Whether it is applied to each value (by its index, -1 for a missing one), or to each row. */
  readonly per: 'value' | 'row'
  fit(request: R, feature: FeatureToFit): Fit<TransformOf<K>>
  width(transform: TransformOf<K>): number
  writer(transform: TransformOf<K>, inputs: Inputs): Write
}

/** Calls back for each value that counts: the first `most` of each row. */
export function eachValue(
  column: Column | undefined,
  rows: number,
  most: number,
  see: (column: Column, value: number) => void,
): void {
  if (column === undefined) return
  if (column.offsets === undefined) {
    for (let row = 0; row < rows; row++) see(column, row)
    return
  }
  for (let row = 0; row < rows; row++) {
    const start = rowStart(column, row)
    const end = Math.min(rowEnd(column, row), start + most)
    for (let value = start; value < end; value++) see(column, value)
  }
}

/** A feature that cannot be fitted. */
export function unfit(message: string, next?: string): ZenmlError {
  return new ZenmlError('ZEN_PREPROCESS_FEATURE', message, { exitCode: 1, ...(next === undefined ? {} : { next }) })
}
