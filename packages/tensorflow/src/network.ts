import type { LayersModel, Sequential } from '@tensorflow/tfjs-layers'
import type { JsonObject } from 'zenml'
import type { LoadedModel, SavedModel } from 'zenml/formats'
import type { TensorFlow } from './tfjs.ts'
import { type TokenSpan, tokenLayer, tokenLayerName } from './token-layer.ts'

/** The name of the format in a model artifact: a TensorFlow.js layers model. */
export const modelFormat = 'tfjs-layers'

/** What a network looks like. */
export interface NetworkShape {
  readonly inputs: number
  readonly hidden: readonly number[]
  readonly activation: 'relu' | 'tanh' | 'sigmoid' | 'elu'
  /** Classes, or null for one number. */
  readonly classes: number | null
  readonly l2: number
  /** Where ids of tokens are, and what becomes of them. */
  readonly spans: readonly TokenSpan[]
  readonly embedding: number
  readonly pooling: 'mean' | 'max'
  readonly seed: number
}

/** A feed-forward network; every layer's start values come from the seed. */
export function buildNetwork(tensorflow: TensorFlow, shape: NetworkShape): Sequential {
  const { layers } = tensorflow
  const model = layers.sequential({ name: 'feedforward' })
  const sizes = [...shape.hidden, shape.classes ?? 1]
  const { inputs, spans, embedding, pooling } = shape
  const readsTokens = spans.length > 0
  // The seeds of the dense layers are counted from the step's own.
  if (readsTokens)
    model.add(tokenLayer(tensorflow)({ inputs, spans, size: embedding, pooling, seed: shape.seed + sizes.length }))
  for (const [index, units] of sizes.entries()) {
    const last = index === sizes.length - 1
    model.add(
      layers.layers.dense({
        name: `dense${index}`,
        units,
        activation: last ? (shape.classes === null ? 'linear' : 'softmax') : shape.activation,
        kernelInitializer: layers.initializers.glorotUniform({ seed: shape.seed + index }),
        ...(shape.l2 === 0 ? {} : { kernelRegularizer: layers.regularizers.l2({ l2: shape.l2 }) }),
        ...(index === 0 && !readsTokens ? { inputShape: [shape.inputs] } : {}),
      }),
    )
  }
  return model
}

/** What is used of a network to ask it. */
export interface AskedNetwork {
  readonly layers: LayersModel['layers']
  predictOnBatch(x: never): unknown
}

/** How many rows a network is asked about together: a token holds many numbers for a while. */
export function rowsAtOnce({ layers }: Pick<AskedNetwork, 'layers'>): number {
  const [first] = layers
  if (first?.getClassName() !== tokenLayerName) return 4096
  const { inputs, size } = first.getConfig() as { inputs: number; size: number }
  return Math.max(1, Math.min(4096, Math.floor(2 ** 22 / (inputs * size))))
}

/** A network as an artifact: `model.json` and `weights.bin`, without a date. */
export async function saveNetwork(model: LayersModel, metadata: JsonObject): Promise<SavedModel> {
  const names = model.weights.map(({ originalName }) => originalName)
  const tensors = model.getWeights()
  const specs = tensors.map(({ shape, dtype }, index) => ({ name: names[index]!, shape, dtype }))
  const weights = Buffer.concat(
    tensors.map((tensor) => Buffer.from(new Uint8Array((tensor.dataSync() as Float32Array).slice().buffer))),
  )
  const topology = model.toJSON(null, false) as JsonObject
  const text = JSON.stringify({
    format: 'layers-model',
    modelTopology: topology,
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  })
  return { format: modelFormat, metadata, files: { 'model.json': Buffer.from(text), 'weights.bin': weights } }
}

/** A network from an artifact. */
export async function loadNetwork(tensorflow: TensorFlow, artifact: LoadedModel): Promise<LayersModel> {
  const { core, layers } = tensorflow
  tokenLayer(tensorflow)
  const { modelTopology, weightsManifest } = JSON.parse(Buffer.from(await artifact.read('model.json')).toString('utf8'))
  const weights = await artifact.read('weights.bin')
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer
  return await layers.loadLayersModel(
    core.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  )
}
