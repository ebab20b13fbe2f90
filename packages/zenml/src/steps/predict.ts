import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import { predictRows } from './predict-rows.ts'
import { loadPredictor } from './predictor.ts'

/** Parameters of `predict`. */
export interface PredictParameters {
  /** Splits to predict. Default all. */
  splits: string[] | null
  /** Features that are kept beside the prediction. Default all. */
  keep: string[] | null
  /** Name of the new feature; `NAME.probabilities` has a number for each class. Default `prediction`. */
  name: string
}

/**
 * Schema of the parameters of `predict`, in all packages.
 *
 * @example
 * predictParameters.parse({}) // { splits: null, keep: null, name: 'prediction' }
 */
export const predictParameters: z.ZodType<PredictParameters, Defaulted<PredictParameters>> = z.strictObject({
  splits: z.array(z.string()).min(1).nullable().default(null),
  keep: z.array(z.string()).nullable().default(null),
  name: z.string().min(1).default('prediction'),
})

/**
 * Batch inference: predicts every row, with or without a label, by a model of `trainLinear` or `trainTrees` and the transform that it was trained with.
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
  description: 'Predicts every row by a trained model.',
  inputs: { examples: Examples, transform: TransformGraph, model: Model },
  outputs: { examples: Examples },
  parameters: predictParameters,
  run: async ({ inputs: { examples, transform, model }, parameters, context }) => {
    const predictor = await loadPredictor(model)
    await predictRows({ examples, transform, predictor, ...parameters }, context.directories.examples, context)
    return {}
  },
})
