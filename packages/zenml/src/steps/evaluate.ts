import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import { Evaluation } from '../formats/evaluation.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import { defaultThresholds } from './evaluate-metrics.ts'
import { evaluateSplit } from './evaluate-split.ts'
import { loadPredictor } from './predictor.ts'

/** Parameters of `evaluate`. */
export interface EvaluateParameters {
  /** Features whose values are each reported by themselves. Default none. */
  slices: string[]
  /** Default eval. */
  split: string
  /** Class that is told at `thresholds`. Default: of two classes the second, of more none. */
  positive: string | null
  /** Probabilities that `positive` has to reach. Default 0.1 to 0.9. */
  thresholds: number[]
  /** How well the rows of each value of the feature `query` are ordered, looking at the first `at` rows: by the number, or the probability of `positive`. Default not told. */
  ranking: { query: string; at: number[] } | null
}

/**
 * Schema of the parameters of `evaluate`, in all packages.
 *
 * @example
 * evaluateParameters.parse({}).split // 'eval'
 */
export const evaluateParameters: z.ZodType<
  EvaluateParameters,
  Defaulted<Omit<EvaluateParameters, 'ranking'>> & {
    ranking?: { query: string; at?: number[] | undefined } | null | undefined
  }
> = z.strictObject({
  slices: z.array(z.string()).default([]),
  split: z.string().default('eval'),
  positive: z.string().nullable().default(null),
  thresholds: z
    .array(z.number().min(0).max(1))
    .min(1)
    .max(1000)
    .default([...defaultThresholds]),
  ranking: z
    .strictObject({ query: z.string(), at: z.array(z.int().min(1)).min(1).max(100).default([1, 5, 10]) })
    .nullable()
    .default(null),
})

/**
 * Evaluates a model of `trainLinear` or `trainTrees` on a split, overall and by slice.
 *
 * Throws `ZEN_EVALUATE_SPLIT`, `ZEN_EVALUATE_SLICE` and `ZEN_EVALUATE_CLASS` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of another transform,
 * `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island'] })
 */
export const evaluate: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph; readonly model: typeof Model },
  { readonly evaluation: typeof Evaluation },
  typeof evaluateParameters
> = step({
  name: 'evaluate',
  description: 'Evaluates a model, overall and by slice.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { evaluation: Evaluation },
  parameters: evaluateParameters,
  run: async ({ inputs: { examples, transform, model }, parameters, context }) => {
    const predictor = await loadPredictor(model)
    return { evaluation: await evaluateSplit({ examples, transform, predictor, ...parameters }, context) }
  },
})
