import { type Step, step } from 'zenml'
import { Evaluation, Examples, Model, TransformGraph } from 'zenml/formats'
import { evaluateSplit } from 'zenml/steps'
import * as z from 'zod'
import { canary } from './canary.ts'
import { loadNetworkPredictor } from './predictor.ts'

/** Parameters of `evaluate`. */
export interface EvaluateParameters {
  /** Features whose values are each reported by themselves. Default none. */
  slices: string[]
  /** Default eval. */
  split: string
}

const parameters: z.ZodType<EvaluateParameters, { slices?: string[] | undefined; split?: string | undefined }> =
  z.strictObject({
    slices: z.array(z.string()).default([]),
    split: z.string().default('eval'),
  })

type Inputs = {
  readonly examples: typeof Examples
  readonly transform: typeof TransformGraph
  readonly model: typeof Model
}

/**
 * Evaluates a network on a split, overall and by slice.
 *
 * Throws `ZEN_EVALUATE_SPLIT` and `ZEN_EVALUATE_SLICE` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of
 * another transform, `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island'] })
 */
export const evaluate: Step<Inputs, { readonly evaluation: typeof Evaluation }, typeof parameters> = step({
  name: 'evaluate',
  description: 'Evaluates a network, overall and by slice.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { evaluation: Evaluation },
  parameters,
  canary,
  run: async ({ inputs: { examples, transform, model: artifact }, parameters: { slices, split }, context }) => {
    const predictor = await loadNetworkPredictor(artifact)
    return { evaluation: await evaluateSplit({ examples, transform, predictor, split, slices }, context) }
  },
})
