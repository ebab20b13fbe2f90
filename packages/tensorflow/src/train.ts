import { type JsonObject, type Step, step, ZenmlError } from 'zenml'
import { Examples, Model, TransformGraph } from 'zenml/formats'
import { type Matrix, MatrixBlocks, onlyLabel, tokenSpans, transformDigest, transformWidth } from 'zenml/steps'
import * as z from 'zod'
import { canary } from './canary.ts'
import { type AskedNetwork, buildNetwork, rowsAtOnce, saveNetwork } from './network.ts'
import { loadTensorFlow, type TensorFlow } from './tfjs.ts'

/** Parameters of `train`. */
export interface TrainParameters {
  /** Units of each hidden layer. Default 32 and 16. */
  hidden: number[]
  /** Default relu. */
  activation: 'relu' | 'tanh' | 'sigmoid' | 'elu'
  /** Numbers that are learned for each token, where the transform gives tokens. Default 32. */
  embedding: number
  /** What a text has of its tokens' numbers. Default mean. */
  pooling: 'mean' | 'max'
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
  /** Rows that are shuffled together and in memory at once. A larger split is read anew in each epoch. Default: as many as fit in 64 MiB. */
  shuffleRows: number | null
}

type Given = { [K in keyof TrainParameters]?: TrainParameters[K] | undefined }

const parameters: z.ZodType<TrainParameters, Given> = z.strictObject({
  hidden: z.array(z.int().min(1).max(65_536)).default([32, 16]),
  activation: z.enum(['relu', 'tanh', 'sigmoid', 'elu']).default('relu'),
  embedding: z.int().min(1).max(4096).default(32),
  pooling: z.enum(['mean', 'max']).default('mean'),
  epochs: z.int().min(1).default(30),
  batchSize: z.int().min(1).default(32),
  learningRate: z.number().positive().default(0.01),
  l2: z.number().min(0).default(0),
  patience: z.int().min(1).nullable().default(5),
  trainSplit: z.string().default('train'),
  validationSplit: z.string().default('eval'),
  shuffleRows: z.int().min(1).nullable().default(null),
})

/**
 * Trains a feed-forward network with TensorFlow.js: softmax and cross-entropy where the label is a class, mean squared error where it is a
 * number. The same seed gives the same bytes. Numbers are learned as deviations from their mean, so that their size does not matter; the model
 * itself gives them as they are, and losses are in the square of their unit.
 *
 * Tokens of texts get learned numbers, whose mean (or greatest, by `pooling`) stands for the text beside the row's other numbers.
 *
 * Rows without a label are left out. Throws `ZEN_TRAIN_SPLIT` where a split is missing, `ZEN_TRAIN_CLASSES` where there are no two classes to
 * tell, `ZEN_TRAIN_DIVERGED` where the loss is no number any more.
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
  canary,
  run: async ({ inputs: { examples, transform }, parameters: asked, context }) => {
    const { signal } = context
    const data = new MatrixBlocks(examples, transform, asked.trainSplit, asked.shuffleRows)
    const validation = new MatrixBlocks(examples, transform, asked.validationSplit, asked.shuffleRows)
    const width = transformWidth(transform)
    const spans = tokenSpans(transform).map(({ at, length, vocabulary }) => ({ at, length, vocabulary }))
    const label = onlyLabel(transform).transform
    const classes = label.kind === 'class' ? label.classes : null
    if (classes !== null && classes.length < 2)
      throw new ZenmlError(
        'ZEN_TRAIN_CLASSES',
        `The label "${transform.label.name}" has ${classes.length === 0 ? 'no class' : `only the class ${JSON.stringify(classes[0])}`} in the transform.`,
        { next: 'Fit the transform on rows of at least two classes.', exitCode: 1 },
      )
    const tensorflow = await loadTensorFlow()
    const { core } = tensorflow
    const model = buildNetwork(tensorflow, {
      ...asked,
      inputs: width,
      spans,
      classes: classes?.length ?? null,
      seed: context.seed,
    })
    model.compile({
      optimizer: core.train.adam(asked.learningRate),
      loss: classes === null ? 'meanSquaredError' : 'sparseCategoricalCrossentropy',
    })
    const scale = classes === null ? await labelScale(data, signal) : unscaled
    let best: { loss: number; epoch: number; weights: Float32Array[] } | undefined
    let epochs = 0
    for (let epoch = 1; epoch <= asked.epochs; epoch++) {
      let total = 0
      let rows = 0
      for await (const block of data.read(signal)) {
        const order = Uint32Array.from({ length: block.rows }, (_, row) => row)
        context.random.shuffle(order)
        for (let from = 0; from < block.rows; from += asked.batchSize) {
          signal.throwIfAborted()
          const picked = pick(block, order.subarray(from, from + asked.batchSize), scale)
          const x = core.tensor2d(picked.features, [picked.labels.length, width])
          const y = core.tensor2d(picked.labels, [picked.labels.length, 1])
          total += ((await model.trainOnBatch(x, y)) as number) * picked.labels.length
          x.dispose()
          y.dispose()
        }
        rows += block.rows
        context.progress(rows, examples.rows(asked.trainSplit), `rows of epoch ${epoch}`)
      }
      epochs = epoch
      const loss = (total / rows) * scale.deviation ** 2
      const validationLoss = await lossOn(tensorflow, model, validation, scale, signal)
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
    if (classes === null) unscale(best!.weights, scale)
    model.setWeights(best!.weights.map((values, index) => core.tensor(values, shapes[index]!)))
    const metadata: JsonObject = {
      label: transform.label.name,
      classes,
      inputs: width,
      bestEpoch: best!.epoch,
      epochs,
      transform: transformDigest(transform),
    }
    context.describe('model', { format: 'tfjs-layers', bestEpoch: best!.epoch, epochs, validationLoss: best!.loss })
    return { model: await saveNetwork(model, metadata) }
  },
})

/** What was taken from labels, and then divided by, before they are learned. */
interface Scale {
  readonly mean: number
  readonly deviation: number
}

const unscaled: Scale = { mean: 0, deviation: 1 }

/** Of the first block alone: the scale need not be exact, and a large split is not read once more for it. */
async function labelScale(data: MatrixBlocks, signal: AbortSignal): Promise<Scale> {
  for await (const { labels } of data.read(signal)) {
    const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length
    const deviation = Math.sqrt(labels.reduce((sum, label) => sum + (label - mean) ** 2, 0) / labels.length)
    return { mean, deviation: deviation > 0 ? deviation : 1 }
  }
  return unscaled
}

/** Lets the last layer, whose kernel and bias come last, give labels as they are. */
function unscale(weights: readonly Float32Array[], { mean, deviation }: Scale): void {
  const [kernel, bias] = weights.slice(-2) as [Float32Array, Float32Array]
  for (let index = 0; index < kernel.length; index++) kernel[index] = kernel[index]! * deviation
  for (let index = 0; index < bias.length; index++) bias[index] = bias[index]! * deviation + mean
}

function pick(
  { width, features, labels }: Matrix,
  rows: Uint32Array,
  { mean, deviation }: Scale,
): { features: Float32Array; labels: Float32Array } {
  const picked = { features: new Float32Array(rows.length * width), labels: new Float32Array(rows.length) }
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    picked.features.set(features.subarray(row * width, (row + 1) * width), index * width)
    picked.labels[index] = (labels[row]! - mean) / deviation
  }
  return picked
}

/** What a network says of rows: one number a row, or a probability a class. */
export function predictRows(
  { core }: TensorFlow,
  model: AskedNetwork,
  { rows, width, features }: Pick<Matrix, 'rows' | 'width' | 'features'>,
  outputs: number,
): Float32Array {
  const predictions = new Float32Array(rows * outputs)
  const most = rowsAtOnce(model)
  for (let from = 0; from < rows; from += most) {
    const count = Math.min(most, rows - from)
    const x = core.tensor2d(features.slice(from * width, (from + count) * width), [count, width])
    const y = model.predictOnBatch(x as never) as { dataSync(): Float32Array; dispose(): void }
    predictions.set(y.dataSync(), from * outputs)
    x.dispose()
    y.dispose()
  }
  return predictions
}

/** Cross-entropy or mean squared error, added in the order of the rows. */
async function lossOn(
  tensorflow: TensorFlow,
  model: AskedNetwork & { readonly outputs: readonly { readonly shape: readonly (number | null)[] }[] },
  validation: MatrixBlocks,
  { mean, deviation }: Scale,
  signal: AbortSignal,
): Promise<number> {
  const outputs = model.outputs[0]!.shape.at(-1) ?? 1
  let total = 0
  let rows = 0
  for await (const block of validation.read(signal)) {
    const predictions = predictRows(tensorflow, model, block, outputs)
    for (let row = 0; row < block.rows; row++) {
      const label = block.labels[row]!
      total +=
        outputs === 1
          ? (predictions[row]! * deviation + mean - label) ** 2
          : -Math.log(Math.max(1e-7, predictions[row * outputs + label]!))
    }
    rows += block.rows
  }
  return total / rows
}
