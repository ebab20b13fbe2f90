import { type Step, step } from 'zenml'
import { Examples, Model, TransformGraph } from 'zenml/formats'
import { predictParameters, predictRows } from 'zenml/steps'
import { canary } from './canary.ts'
import { loadNetworkPredictor } from './predictor.ts'

/**
 * Batch inference: predicts every row, with or without a label, by a network of `train` and the transform that it was trained with.
 *
 * Throws `ZEN_PREDICT_SPLIT` and `ZEN_PREDICT_FEATURE` for names that are not there or taken, `ZEN_EVALUATE_MODEL` for a model of another transform,
 * `ZEN_MODEL_FORMAT` for one of another format, `ZEN_PREDICT_NUMBERS` where the model gives no finite number.
 *
 * @example
 * const { examples: predicted } = predict({ examples: parts, transform, model }, { keep: ['Island'] })
 */
export const predict: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph; readonly model: typeof Model },
  { readonly examples: typeof Examples },
  typeof predictParameters
> = step({
  name: 'predict',
  description: 'Predicts every row by a network.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { examples: Examples },
  parameters: predictParameters,
  canary,
  run: async ({ inputs: { examples, transform, model }, parameters, context }) => {
    const predictor = await loadNetworkPredictor(model)
    await predictRows({ examples, transform, predictor, ...parameters }, context.directories.examples, context)
    return {}
  },
})
