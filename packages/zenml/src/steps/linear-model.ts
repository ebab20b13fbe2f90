import { ZenmlError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import type { LoadedModel, SavedModel } from '../formats/types.ts'
import type { Predictor } from './predictor.ts'
import { transformDigest } from './transform.ts'

/** The name of the format in a model artifact. */
export const linearFormat = 'zenml-linear'

/** Weights of a linear model: for each output a weight a number of a row, and one that is added. */
export interface LinearWeights {
  readonly width: number
  /** Classes of softmax regression; null: one number. */
  readonly classes: readonly string[] | null
  /** Output by output, each `width` weights and then the constant. */
  readonly weights: Float64Array
}

/** A linear model as an artifact: `linear.json`. */
export function saveLinear({ width, classes, weights }: LinearWeights, transform: TransformGraphData): SavedModel {
  const text = JSON.stringify({ version: 1, width, classes, weights: [...weights] })
  return {
    format: linearFormat,
    metadata: { label: transform.label.name, classes, inputs: width, transform: transformDigest(transform) },
    files: { 'linear.json': Buffer.from(`${text}\n`) },
  }
}

/** Makes a predictor of a linear model. Throws `ZEN_ARTIFACT_FORMAT` where the file does not hold one. */
export async function loadLinear(model: LoadedModel): Promise<Predictor> {
  const said: unknown = JSON.parse(Buffer.from(await model.read('linear.json')).toString('utf8'))
  if (!isJsonObject(said) || said['version'] !== 1 || !Array.isArray(said['weights'])) throw notLinear(model)
  const { width, classes } = said as unknown as LinearWeights
  const outputs = classes?.length ?? 1
  const weights = Float64Array.from(said['weights'] as number[])
  if (!Number.isInteger(width) || weights.length !== outputs * (width + 1) || !weights.every(Number.isFinite))
    throw notLinear(model)
  return linearPredictor({ width, classes, weights })
}

/** What a linear model says: the number itself, or softmax over the classes. */
export function linearPredictor({ width, classes, weights }: LinearWeights): Predictor {
  const outputs = classes?.length ?? 1
  const scores = new Float64Array(outputs)
  return {
    width,
    outputs,
    classes,
    predict({ rows, features }) {
      const given = new Float32Array(rows * outputs)
      for (let row = 0; row < rows; row++) {
        scoreRow(features, row * width, weights, width, scores)
        if (classes !== null) softmax(scores)
        given.set(scores, row * outputs)
      }
      return given
    },
  }
}

/** Scores of one row, whose numbers begin at `at`. */
export function scoreRow(
  features: Float32Array,
  at: number,
  weights: Float64Array,
  width: number,
  scores: Float64Array,
): void {
  for (let output = 0; output < scores.length; output++) {
    const from = output * (width + 1)
    let score = weights[from + width]!
    for (let index = 0; index < width; index++) score += weights[from + index]! * features[at + index]!
    scores[output] = score
  }
}

/** Turns scores into probabilities in place; gives the logarithm of the sum that they were divided by, for the loss. */
export function softmax(scores: Float64Array): number {
  let largest = scores[0]!
  for (let index = 1; index < scores.length; index++) if (scores[index]! > largest) largest = scores[index]!
  let sum = 0
  for (let index = 0; index < scores.length; index++) {
    scores[index] = Math.exp(scores[index]! - largest)
    sum += scores[index]!
  }
  for (let index = 0; index < scores.length; index++) scores[index] = scores[index]! / sum
  return largest + Math.log(sum)
}

function notLinear({ directory }: LoadedModel): ZenmlError {
  return new ZenmlError('ZEN_ARTIFACT_FORMAT', `${directory}/linear.json holds no linear model.`, {
    next: 'Check the artifact, or train it again.',
    exitCode: 1,
  })
}
