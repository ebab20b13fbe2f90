import type { Column } from '../../formats/batch.ts'
import { numberOf } from '../values.ts'
import {
  eachValue,
  type FeatureToFit,
  type Fit,
  type Inputs,
  type TransformFamily,
  type TransformOf,
  type Write,
} from './family.ts'
import { FittedNumbers } from './fitted-numbers.ts'

/** What stands for a missing number: a number, or one found in the split that is fitted on. */
export type NumberFill = number | 'mean' | 'median' | 'min' | 'max'

/** What every feature of numbers may ask. */
interface NumberRequest {
  /** Default mean. */
  fill?: NumberFill | undefined
}

/** (x - mean) / deviation. */
export interface ZscoreRequest extends NumberRequest {
  transform: 'zscore'
}

/** The least value becomes the lower, the greatest the upper end of the range; values outside go outside. */
export interface MinmaxRequest extends NumberRequest {
  transform: 'minmax'
  /** Default [0, 1]. */
  range?: [low: number, high: number] | undefined
}

/** The least value becomes 0, the greatest 1; so do values outside. */
export interface ScaleTo01Request extends NumberRequest {
  transform: 'scale_to_0_1'
}

/** The number itself. */
export interface PassthroughRequest extends NumberRequest {
  transform: 'passthrough'
}

/** One number a bucket of equal counts. */
export interface BucketizeRequest extends NumberRequest {
  transform: 'bucketize'
  /** Default 10. */
  buckets?: number | undefined
}

interface Facts {
  readonly fill: number
  readonly mean: number
  readonly deviation: number
  readonly min: number
  readonly max: number
  quantile(part: number): number
}

/** A fit of the first values of each row, in one pass. */
function fitNumbers<T extends TransformOf<'zscore' | 'minmax' | 'scale_to_0_1' | 'passthrough' | 'bucketize'>>(
  { name, values, split }: FeatureToFit,
  fill: NumberFill = 'mean',
  finish: (facts: Facts) => T,
  ranked = fill === 'median',
): Fit<T> {
  const numbers = new FittedNumbers(name, split, ranked)
  return {
    passes: 1,
    get hasValues() {
      return numbers.hasValues
    },
    see: ([column], rows) => {
      eachValue(column, rows, values, (from, value) => {
        const number = numberOf(from, value)
        if (number !== undefined) numbers.add(number)
      })
    },
    finish: () => {
      numbers.finish()
      const quantile = (part: number): number => numbers.quantile(part)
      const { mean, deviation, min, max } = numbers.moments
      const filled =
        typeof fill === 'number'
          ? fill
          : fill === 'median'
            ? quantile(0.5)
            : fill === 'min'
              ? min
              : fill === 'max'
                ? max
                : mean
      return finish({ fill: filled, mean, deviation, min, max, quantile })
    },
  }
}

/** Writes one number for each value. */
function oneNumber([column]: Inputs, fill: number, of: (value: number) => number): Write {
  return (index, into, place) => {
    const value = numberOf(column as Column | undefined, index)
    into[place] = of(value ?? fill)
    return value === undefined
  }
}

export const zscore: TransformFamily<'zscore', ZscoreRequest> = {
  takes: 'numbers',
  per: 'value',
  fit: ({ fill }, feature) =>
    fitNumbers(feature, fill, ({ fill: filled, mean, deviation, min, max }) => {
      // Told by comparison: rounding of the mean can leave a constant feature with a deviation that is not quite 0.
      return { kind: 'zscore', fill: filled, mean, deviation: min === max ? 0 : deviation }
    }),
  width: () => 1,
  writer: ({ fill, mean, deviation }, inputs) =>
    oneNumber(inputs, fill, (value) => (deviation === 0 ? 0 : (value - mean) / deviation)),
}

export const minmax: TransformFamily<'minmax', MinmaxRequest> = {
  takes: 'numbers',
  per: 'value',
  fit: ({ fill, range }, feature) =>
    fitNumbers(feature, fill, ({ fill: filled, min, max }) => ({
      kind: 'minmax',
      fill: filled,
      min,
      max,
      ...(range === undefined ? {} : { range }),
    })),
  width: () => 1,
  writer: ({ fill, min, max, range: [low, high] = [0, 1] }, inputs) =>
    oneNumber(inputs, fill, (value) => (max === min ? low : low + ((value - min) / (max - min)) * (high - low))),
}

export const scaleTo01: TransformFamily<'scale_to_0_1', ScaleTo01Request> = {
  takes: 'numbers',
  per: 'value',
  fit: ({ fill }, feature) =>
    fitNumbers(feature, fill, ({ fill: filled, min, max }) => ({ kind: 'scale_to_0_1', fill: filled, min, max })),
  width: () => 1,
  writer: ({ fill, min, max }, inputs) =>
    oneNumber(inputs, fill, (value) => {
      // An infinite value is an error, and not the greatest one.
      if (!Number.isFinite(value)) return value
      return max === min ? 0 : Math.min(1, Math.max(0, (value - min) / (max - min)))
    }),
}

export const passthrough: TransformFamily<'passthrough', PassthroughRequest> = {
  takes: 'numbers',
  per: 'value',
  fit: ({ fill }, feature) => fitNumbers(feature, fill, ({ fill: filled }) => ({ kind: 'passthrough', fill: filled })),
  width: () => 1,
  writer: ({ fill }, inputs) => oneNumber(inputs, fill, (value) => value),
}

export const bucketize: TransformFamily<'bucketize', BucketizeRequest> = {
  takes: 'numbers',
  per: 'value',
  fit: ({ fill, buckets = 10 }, feature) =>
    fitNumbers(
      feature,
      fill,
      ({ fill: filled, quantile }) => {
        const cuts = Array.from({ length: buckets - 1 }, (_, index) => quantile((index + 1) / buckets))
        return { kind: 'bucketize', fill: filled, boundaries: cuts.filter((cut, index) => cut !== cuts[index - 1]) }
      },
      true,
    ),
  width: ({ boundaries }) => boundaries.length + 1,
  writer: ({ fill, boundaries }, [column]) => {
    return (index, into, place) => {
      const value = numberOf(column, index)
      const number = value ?? fill
      let bucket = 0
      while (bucket < boundaries.length && number >= boundaries[bucket]!) bucket++
      into[place + bucket] = 1
      return value === undefined
    }
  },
}
