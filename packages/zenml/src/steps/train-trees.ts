import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import type { Random } from '../base/random.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import { type BinnedRows, binRows, findCuts } from './binned-rows.ts'
import { growTree } from './grow-tree.ts'
import { softmax } from './linear-model.ts'
import { MatrixBlocks } from './matrix-blocks.ts'
import { classesOf } from './training.ts'
import { transformWidth } from './transform.ts'
import { saveTrees, type Tree } from './trees-model.ts'

/** Parameters of `trainTrees`. */
export interface TrainTreesParameters {
  /** Rounds of boosting: a tree each, or one a class. Default 100. */
  rounds: number
  /** Default 6. */
  depth: number
  /** What a tree's values are multiplied with. Default 0.1. */
  learningRate: number
  /** Rows of a leaf at least. Default 20. */
  leafRows: number
  /** Weight of the L2 penalty on the leaves' values. Default 1. */
  lambda: number
  /** Bins of each number, from 2 to 256. Default 255. */
  bins: number
  /** Share of the rows that each round sees. Default 1: all, and no randomness is used. */
  subsample: number
  /** Stops after as many rounds without a better loss on the validation split, and takes the best; null never stops. Default 10. */
  patience: number | null
  /** Default train. */
  trainSplit: string
  /** Default eval. */
  validationSplit: string
}

const parameters: z.ZodType<TrainTreesParameters, Defaulted<TrainTreesParameters>> = z.strictObject({
  rounds: z.int().min(1).default(100),
  depth: z.int().min(1).max(30).default(6),
  learningRate: z.number().positive().max(1).default(0.1),
  leafRows: z.int().min(1).default(20),
  lambda: z.number().min(0).default(1),
  bins: z.int().min(2).max(256).default(255),
  subsample: z.number().positive().max(1).default(1),
  patience: z.int().min(1).nullable().default(10),
  trainSplit: z.string().default('train'),
  validationSplit: z.string().default('eval'),
})

/**
 * Trains gradient-boosted decision trees on histograms of quantile bins: squared error where the label is a number, softmax where it is a class. Needs
 * no package beside zenml. The same inputs (and, with `subsample`, the same seed) give the same bytes.
 *
 * Rows without a label are left out. Memory: a byte a number of each row, 20 bytes a row and output, and 6 KiB a number for each level of a tree. Throws `ZEN_TRAIN_SPLIT` where a split is
 * missing, `ZEN_TRAIN_CLASSES` where there are no two classes to tell.
 *
 * @example
 * const { model } = trainTrees({ examples: parts, transform }, { rounds: 200, depth: 4 })
 */
export const trainTrees: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph },
  { readonly model: typeof Model },
  typeof parameters
> = step({
  name: 'trainTrees',
  description: 'Trains gradient-boosted decision trees.',
  inputs: { examples: Examples, transform: TransformGraph },
  outputs: { model: Model },
  parameters,
  run: async ({ inputs: { examples, transform }, parameters: asked, context }) => {
    const { signal } = context
    const width = transformWidth(transform)
    const classes = classesOf(transform)
    const outputs = classes?.length ?? 1
    const trainBlocks = new MatrixBlocks(examples, transform, asked.trainSplit, null)
    const cuts = await findCuts(trainBlocks, width, asked.bins, signal)
    const train = await binRows(trainBlocks, examples.rows(asked.trainSplit), cuts, signal)
    const validationBlocks = new MatrixBlocks(examples, transform, asked.validationSplit, null)
    const validation = await binRows(validationBlocks, examples.rows(asked.validationSplit), cuts, signal)
    const base = baseOf(train.labels, outputs, classes !== null)
    const trainScores = startScores(train.rows, base)
    const validationScores = startScores(validation.rows, base)
    const gradients = Array.from({ length: outputs }, () => new Float64Array(train.rows))
    const curvatures = Array.from({ length: outputs }, () => new Float64Array(train.rows))
    const growth = { ...asked, rate: asked.learningRate }
    const rounds: Tree[][] = []
    let best = { loss: meanLoss(validation.labels, validationScores, outputs, classes !== null), rounds: 0 }
    for (let round = 1; round <= asked.rounds; round++) {
      signal.throwIfAborted()
      derive(train.labels, trainScores, gradients, curvatures, classes !== null)
      const seen = asked.subsample < 1 ? sampled(train.rows, asked.subsample, context.random) : everyRow(train.rows)
      const trees = gradients.map((own, output) => growTree(train, seen.slice(), own, curvatures[output]!, growth))
      rounds.push(trees)
      addScores(train, trees, trainScores)
      addScores(validation, trees, validationScores)
      const loss = meanLoss(validation.labels, validationScores, outputs, classes !== null)
      context.metric('loss', meanLoss(train.labels, trainScores, outputs, classes !== null), round)
      context.metric('validationLoss', loss, round)
      context.progress(round, asked.rounds, 'rounds')
      if (loss < best.loss) best = { loss, rounds: round }
      else if (asked.patience !== null && round - best.rounds >= asked.patience) break
    }
    const kept = rounds.slice(0, best.rounds)
    context.describe('model', { format: 'zenml-trees', rounds: kept.length, validationLoss: best.loss })
    return { model: saveTrees({ width, classes, base, rounds: kept }, transform) }
  },
})

/** What is said before the first tree: the mean, or the logarithm of each class's share. */
function baseOf(labels: Float32Array, outputs: number, classified: boolean): number[] {
  if (!classified) {
    let sum = 0
    for (const label of labels) sum += label
    return [sum / labels.length]
  }
  const counts = new Array<number>(outputs).fill(0)
  for (const label of labels) counts[label]!++
  return counts.map((count) => Math.log(Math.max(0.5, count) / labels.length))
}

/** Row by row, a score for each output. */
function startScores(rows: number, base: readonly number[]): Float64Array {
  const scores = new Float64Array(rows * base.length)
  for (let row = 0; row < rows; row++) scores.set(base, row * base.length)
  return scores
}

/** Gradient and curvature of the loss by each score: of half the squared error, or of the cross-entropy. */
function derive(
  labels: Float32Array,
  scores: Float64Array,
  gradients: readonly Float64Array[],
  curvatures: readonly Float64Array[],
  classified: boolean,
): void {
  const outputs = gradients.length
  const own = new Float64Array(outputs)
  for (let row = 0; row < labels.length; row++) {
    if (!classified) {
      gradients[0]![row] = scores[row]! - labels[row]!
      curvatures[0]![row] = 1
      continue
    }
    for (let output = 0; output < outputs; output++) own[output] = scores[row * outputs + output]!
    softmax(own)
    for (let output = 0; output < outputs; output++) {
      const share = own[output]!
      gradients[output]![row] = share - (labels[row] === output ? 1 : 0)
      curvatures[output]![row] = Math.max(1e-16, share * (1 - share))
    }
  }
}

/** Cross-entropy (probabilities not below 1e-7) or squared error of a row on average, in the order of the rows. */
function meanLoss(labels: Float32Array, scores: Float64Array, outputs: number, classified: boolean): number {
  let sum = 0
  const own = new Float64Array(outputs)
  for (let row = 0; row < labels.length; row++) {
    if (!classified) {
      sum += (scores[row]! - labels[row]!) ** 2
      continue
    }
    for (let output = 0; output < outputs; output++) own[output] = scores[row * outputs + output]!
    softmax(own)
    sum -= Math.log(Math.max(1e-7, own[labels[row]!]!))
  }
  return sum / labels.length
}

function addScores({ rows, bins, cuts }: BinnedRows, trees: readonly Tree[], scores: Float64Array): void {
  for (const [output, { feature, threshold, left, right, value }] of trees.entries()) {
    // Bins up to this one are below the threshold.
    const last = feature.map((one, node) => (one < 0 ? 0 : cuts[one]!.indexOf(threshold[node]!)))
    for (let row = 0; row < rows; row++) {
      let node = 0
      while (feature[node]! >= 0) node = bins[feature[node]! * rows + row]! <= last[node]! ? left[node]! : right[node]!
      const at = row * trees.length + output
      scores[at] = scores[at]! + value[node]!
    }
  }
}

function everyRow(rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row)
}

/** A part of the rows, in their order. */
function sampled(rows: number, share: number, random: Random): Uint32Array {
  const wanted = Math.max(1, Math.round(rows * share))
  return random.shuffle(everyRow(rows)).slice(0, wanted).sort()
}
