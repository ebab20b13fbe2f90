import { type Step, step } from 'zenml'
import { Evaluation, Examples, Model, TransformGraph } from 'zenml/formats'
import { evaluateParameters, evaluateSplit } from 'zenml/steps'
import { canary } from './canary.ts'
import { loadNetworkPredictor } from './predictor.ts'

type Inputs = {
  readonly examples: typeof Examples
  readonly transform: typeof TransformGraph
  readonly model: typeof Model
}

/**
 * Evaluates a network on a split, overall and by slice.
 *
 * Throws `ZEN_EVALUATE_SPLIT`, `ZEN_EVALUATE_SLICE` and `ZEN_EVALUATE_CLASS` for names that are not there, `ZEN_EVALUATE_MODEL` for a model of
 * another transform, `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island'] })
 */
export const evaluate: Step<Inputs, { readonly evaluation: typeof Evaluation }, typeof evaluateParameters> = step({
  name: 'evaluate',
  description: 'Evaluates a network, overall and by slice.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { evaluation: Evaluation },
  parameters: evaluateParameters,
  canary,
  run: async ({ inputs: { examples, transform, model: artifact }, parameters, context }) => {
    const predictor = await loadNetworkPredictor(artifact)
    return { evaluation: await evaluateSplit({ examples, transform, predictor, ...parameters }, context) }
  },
})
