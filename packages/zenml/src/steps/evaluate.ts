import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import { Evaluation } from '../formats/evaluation.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import { evaluateSplit } from './evaluate-split.ts'
import { loadPredictor } from './predictor.ts'

/** Parameters of `evaluate`. */
export interface EvaluateParameters {
  /** Features whose values are each reported by themselves. Default none. */
  slices: string[]
  /** Default eval. */
  split: string
}

const parameters: z.ZodType<EvaluateParameters, Defaulted<EvaluateParameters>> = z.strictObject({
  slices: z.array(z.string()).default([]),
  split: z.string().default('eval'),
})

/**
 * Evaluates a model of `trainLinear` or `trainTrees` on a split, overall and by slice.
 *
 * Throws `ZEN_EVALUATE_SPLIT` and `ZEN_EVALUATE_SLICE` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of another transform,
 * `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island'] })
 */
export const evaluate: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph; readonly model: typeof Model },
  { readonly evaluation: typeof Evaluation },
  typeof parameters
> = step({
  name: 'evaluate',
  description: 'Evaluates a model, overall and by slice.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { evaluation: Evaluation },
  parameters,
  run: async ({ inputs: { examples, transform, model }, parameters: { slices, split }, context }) => {
    const predictor = await loadPredictor(model)
    return { evaluation: await evaluateSplit({ examples, transform, predictor, split, slices }, context) }
  },
})
