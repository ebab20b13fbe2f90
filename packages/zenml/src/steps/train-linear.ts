import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import { leastSquares } from './least-squares.ts'
import { type LinearWeights, linearPredictor, saveLinear, scoreRow, softmax } from './linear-model.ts'
import { MatrixBlocks } from './matrix-blocks.ts'
import { minimise } from './minimise.ts'
import { classesOf, lossOf } from './training.ts'
import { transformWidth } from './transform.ts'

/** Parameters of `trainLinear`. */
export interface TrainLinearParameters {
  /** Weight of the L2 penalty, beside the mean loss of a row; constants are not penalised. Default 1e-4. */
  l2: number
  /** Steps of the minimiser for classes. Default 200. */
  iterations: number
  /** The minimiser stops where no component of the gradient is above it. Default 1e-5. */
  tolerance: number
  /** Default train. */
  trainSplit: string
  /** Its loss is recorded; null: none is. Default eval. */
  validationSplit: string | null
}

const parameters: z.ZodType<TrainLinearParameters, Defaulted<TrainLinearParameters>> = z.strictObject({
  l2: z.number().min(0).default(1e-4),
  iterations: z.int().min(1).default(200),
  tolerance: z.number().positive().default(1e-5),
  trainSplit: z.string().default('train'),
  validationSplit: z.string().nullable().default('eval'),
})

/**
 * Trains a linear model: ridge regression in closed form where the label is a number, softmax (logistic) regression by L-BFGS where it is a class.
 * Needs no package beside zenml and no randomness: the same inputs give the same bytes whatever the seed.
 *
 * Rows without a label are left out. Throws `ZEN_TRAIN_SPLIT` where a split is missing, `ZEN_TRAIN_CLASSES` where there are no two classes to tell.
 *
 * @example
 * const { model } = trainLinear({ examples: parts, transform }, { l2: 0.001 })
 */
export const trainLinear: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph },
  { readonly model: typeof Model },
  typeof parameters
> = step({
  name: 'trainLinear',
  description: 'Trains a linear or logistic regression.',
  inputs: { examples: Examples, transform: TransformGraph },
  outputs: { model: Model },
  parameters,
  run: async ({ inputs: { examples, transform }, parameters: asked, context }) => {
    const { signal } = context
    const width = transformWidth(transform)
    const classes = classesOf(transform)
    const data = new MatrixBlocks(examples, transform, asked.trainSplit, null)
    let weights: Float64Array
    if (classes === null) weights = await leastSquares(data, width, asked.l2, signal)
    else {
      const objective = softmaxLoss(data, width, classes.length, asked.l2, signal)
      const start = new Float64Array(classes.length * (width + 1))
      const found = await minimise(objective, start, {
        ...asked,
        onIteration: (iteration, loss) => {
          context.metric('loss', loss, iteration)
          context.progress(iteration, asked.iterations, 'iterations')
        },
      })
      weights = found.place
      if (!found.converged) console.warn(`stopped after ${asked.iterations} iterations; more may still help`)
    }
    const linear: LinearWeights = { width, classes, weights }
    const predictor = linearPredictor(linear)
    context.metric('trainLoss', await lossOf(predictor, data, signal))
    if (asked.validationSplit !== null) {
      const validation = new MatrixBlocks(examples, transform, asked.validationSplit, null)
      context.metric('validationLoss', await lossOf(predictor, validation, signal))
    }
    context.describe('model', { format: 'zenml-linear', weights: weights.length })
    if (!weights.every(Number.isFinite))
      throw new ZenmlError('ZEN_TRAIN_DIVERGED', 'A weight is no number any more.', {
        next: 'Z-score the features, or raise l2.',
        exitCode: 1,
      })
    return { model: saveLinear(linear, transform) }
  },
})

/** Mean cross-entropy of a row and half the squared weights times `l2`, with the gradient; rows are added in their order. */
function softmaxLoss(data: MatrixBlocks, width: number, classes: number, l2: number, signal: AbortSignal) {
  const scores = new Float64Array(classes)
  return async (weights: Float64Array, gradient: Float64Array): Promise<number> => {
    gradient.fill(0)
    let loss = 0
    let count = 0
    for await (const { rows, features, labels } of data.read(signal)) {
      signal.throwIfAborted()
      for (let row = 0; row < rows; row++) {
        const at = row * width
        scoreRow(features, at, weights, width, scores)
        const own = scores[labels[row]!]!
        loss += softmax(scores) - own
        scores[labels[row]!] = scores[labels[row]!]! - 1
        for (let output = 0; output < classes; output++) {
          const error = scores[output]!
          const from = output * (width + 1)
          for (let index = 0; index < width; index++)
            gradient[from + index] = gradient[from + index]! + error * features[at + index]!
          gradient[from + width] = gradient[from + width]! + error
        }
      }
      count += rows
    }
    let penalty = 0
    for (let index = 0; index < weights.length; index++) {
      gradient[index] = gradient[index]! / count
      if (index % (width + 1) === width) continue
      penalty += weights[index]! ** 2
      gradient[index] = gradient[index]! + l2 * weights[index]!
    }
    return loss / count + (l2 / 2) * penalty
  }
}
