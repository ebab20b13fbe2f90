import { type JsonObject, type Step, step, ZenmlError } from 'zenml'
import { Examples, type ExamplesReader, Model, TransformGraph, type TransformGraphData } from 'zenml/formats'
import { applyTransform } from 'zenml/steps'
import * as z from 'zod'
import { buildNetwork, saveNetwork } from './network.ts'
import { loadTensorFlow, type TensorFlow } from './tfjs.ts'

/** Parameters of `train`. */
export interface TrainParameters {
  /** Units of each hidden layer. Default 32 and 16. */
  hidden: number[]
  /** Default relu. */
  activation: 'relu' | 'tanh' | 'sigmoid' | 'elu'
  /** Default 30. */
  epochs: number
  /** Default 32. */
  batchSize: number
  /** Of Adam. Default 0.01. */
  learningRate: number
  /** Weight of the L2 penalty. Default 0. */
  l2: number
  /** Stops after as many epochs without a better loss on the validation split, and takes the best weights; null never stops. Default 5. */
  patience: number | null
  /** Default train. */
  trainSplit: string
  /** Default eval. */
  validationSplit: string
}

type Given = { [K in keyof TrainParameters]?: TrainParameters[K] | undefined }

const parameters: z.ZodType<TrainParameters, Given> = z.strictObject({
  hidden: z.array(z.int().min(1).max(65_536)).default([32, 16]),
  activation: z.enum(['relu', 'tanh', 'sigmoid', 'elu']).default('relu'),
  epochs: z.int().min(1).default(30),
  batchSize: z.int().min(1).default(32),
  learningRate: z.number().positive().default(0.01),
  l2: z.number().min(0).default(0),
  patience: z.int().min(1).nullable().default(5),
  trainSplit: z.string().default('train'),
  validationSplit: z.string().default('eval'),
})

/**
 * Trains a feed-forward network with TensorFlow.js: softmax and cross-entropy where the label is a class, mean squared error where it is a
 * number. The same seed gives the same bytes.
 *
 * Throws `ZEN_TRAIN_SPLIT` where a split is missing, `ZEN_TRAIN_DIVERGED` where the loss is no number any more.
 *
 * @example
 * const { model } = train({ examples: parts, transform }, { epochs: 50 })
 */
export const train: Step<
  { readonly examples: typeof Examples; readonly transform: typeof TransformGraph },
  { readonly model: typeof Model },
  typeof parameters
> = step({
  name: 'train',
  description: 'Trains a feed-forward network with TensorFlow.js.',
  inputs: { examples: Examples, transform: TransformGraph },
  outputs: { model: Model },
  parameters,
  run: async ({ inputs: { examples, transform }, parameters: asked, context }) => {
    const data = await readMatrix(examples, transform, asked.trainSplit, context.signal)
    const validation = await readMatrix(examples, transform, asked.validationSplit, context.signal)
    const tensorflow = await loadTensorFlow()
    const { core } = tensorflow
    const label = transform.label.transform
    const classes = label.kind === 'class' ? label.classes : null
    const model = buildNetwork(tensorflow, {
      ...asked,
      inputs: data.width,
      classes: classes?.length ?? null,
      seed: context.seed,
    })
    model.compile({
      optimizer: core.train.adam(asked.learningRate),
      loss: classes === null ? 'meanSquaredError' : 'sparseCategoricalCrossentropy',
    })
    const order = Uint32Array.from({ length: data.rows }, (_, row) => row)
    let best: { loss: number; epoch: number; weights: Float32Array[] } | undefined
    let epochs = 0
    for (let epoch = 1; epoch <= asked.epochs; epoch++) {
      context.random.shuffle(order)
      let total = 0
      for (let from = 0; from < data.rows; from += asked.batchSize) {
        context.signal.throwIfAborted()
        const rows = order.subarray(from, from + asked.batchSize)
        const { features, labels } = pick(data, rows)
        const x = core.tensor2d(features, [rows.length, data.width])
        const y = core.tensor2d(labels, [rows.length, 1])
        total += ((await model.trainOnBatch(x, y)) as number) * rows.length
        x.dispose()
        y.dispose()
      }
      epochs = epoch
      const loss = total / data.rows
      const validationLoss = lossOn(tensorflow, model, validation)
      if (!Number.isFinite(loss) || !Number.isFinite(validationLoss)) {
        throw new ZenmlError('ZEN_TRAIN_DIVERGED', `In epoch ${epoch} the loss is no number any more.`, {
          next: 'Use a smaller learningRate, or z-score features.',
          exitCode: 1,
        })
      }
      context.metric('loss', loss, epoch)
      context.metric('validationLoss', validationLoss, epoch)
      context.progress(epoch, asked.epochs, 'epochs')
      if (best === undefined || validationLoss < best.loss) {
        best = {
          loss: validationLoss,
          epoch,
          weights: model.getWeights().map((tensor) => (tensor.dataSync() as Float32Array).slice()),
        }
      } else if (asked.patience !== null && epoch - best.epoch >= asked.patience) break
    }
    const shapes = model.getWeights().map(({ shape }) => shape)
    model.setWeights(best!.weights.map((values, index) => core.tensor(values, shapes[index]!)))
    const metadata: JsonObject = {
      label: transform.label.name,
      classes,
      inputs: data.width,
      bestEpoch: best!.epoch,
      epochs,
    }
    context.describe('model', { format: 'tfjs-layers', bestEpoch: best!.epoch, epochs, validationLoss: best!.loss })
    return { model: await saveNetwork(model, metadata) }
  },
})

/** Transformed rows of one split. */
export interface Matrix {
  readonly rows: number
  readonly width: number
  readonly features: Float32Array
  readonly labels: Float32Array
}

/** Reads a split through the fitted transform: 4 bytes a number. */
export async function readMatrix(
  examples: ExamplesReader,
  transform: TransformGraphData,
  split: string,
  signal: AbortSignal,
): Promise<Matrix> {
  if (!examples.splits.includes(split))
    throw new ZenmlError(
      'ZEN_TRAIN_SPLIT',
      `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
      { exitCode: 1 },
    )
  const columns = [...new Set([transform.label.name, ...transform.features.map(({ name }) => name)])].filter((name) =>
    examples.features.has(name),
  )
  let features = new Float32Array(0)
  const labels = new Float32Array(examples.rows(split))
  let rows = 0
  let width = 0
  for await (const batch of examples.read(split, { columns, signal })) {
    const part = applyTransform(transform, batch)
    width = part.width
    if (features.length === 0) features = new Float32Array(examples.rows(split) * width)
    features.set(part.features, rows * width)
    labels.set(part.labels, rows)
    rows += part.rows.length
  }
  if (rows === 0)
    throw new ZenmlError('ZEN_TRAIN_SPLIT', `No row of split "${split}" has the label "${transform.label.name}".`, {
      exitCode: 1,
    })
  return { rows, width, features: features.subarray(0, rows * width), labels: labels.subarray(0, rows) }
}

function pick(
  { width, features, labels }: Matrix,
  rows: Uint32Array,
): { features: Float32Array; labels: Float32Array } {
  const picked = { features: new Float32Array(rows.length * width), labels: new Float32Array(rows.length) }
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    picked.features.set(features.subarray(row * width, (row + 1) * width), index * width)
    picked.labels[index] = labels[row]!
  }
  return picked
}

const predictionBatch = 4096

/** What a network says of rows: one number a row, or a probability a class. */
export function predictRows(
  { core }: TensorFlow,
  model: { predictOnBatch(x: never): unknown },
  { rows, width, features }: Matrix,
  outputs: number,
): Float32Array {
  const predictions = new Float32Array(rows * outputs)
  for (let from = 0; from < rows; from += predictionBatch) {
    const count = Math.min(predictionBatch, rows - from)
    const x = core.tensor2d(features.slice(from * width, (from + count) * width), [count, width])
    const y = model.predictOnBatch(x as never) as { dataSync(): Float32Array; dispose(): void }
    predictions.set(y.dataSync(), from * outputs)
    x.dispose()
    y.dispose()
  }
  return predictions
}

/** Cross-entropy or mean squared error, added in the order of the rows. */
function lossOn(
  tensorflow: TensorFlow,
  model: {
    predictOnBatch(x: never): unknown
    readonly outputs: readonly { readonly shape: readonly (number | null)[] }[]
  },
  matrix: Matrix,
): number {
  const outputs = model.outputs[0]!.shape.at(-1) ?? 1
  const predictions = predictRows(tensorflow, model, matrix, outputs)
  let total = 0
  for (let row = 0; row < matrix.rows; row++) {
    const label = matrix.labels[row]!
    total +=
      outputs === 1 ? (predictions[row]! - label) ** 2 : -Math.log(Math.max(1e-7, predictions[row * outputs + label]!))
  }
  return total / matrix.rows
}
