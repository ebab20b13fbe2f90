import type { LayersModel, Sequential } from '@tensorflow/tfjs-layers'
import type { JsonObject } from 'zenml'
import type { LoadedModel, SavedModel } from 'zenml/formats'
import type { TensorFlow } from './tfjs.ts'

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
  readonly seed: number
}

/** A feed-forward network; every layer's start values come from the seed. */
export function buildNetwork({ layers }: TensorFlow, shape: NetworkShape): Sequential {
  const model = layers.sequential({ name: 'feedforward' })
  const sizes = [...shape.hidden, shape.classes ?? 1]
  for (const [index, units] of sizes.entries()) {
    const last = index === sizes.length - 1
    model.add(
      layers.layers.dense({
        name: `dense${index}`,
        units,
        activation: last ? (shape.classes === null ? 'linear' : 'softmax') : shape.activation,
        kernelInitializer: layers.initializers.glorotUniform({ seed: shape.seed + index }),
        ...(shape.l2 === 0 ? {} : { kernelRegularizer: layers.regularizers.l2({ l2: shape.l2 }) }),
        ...(index === 0 ? { inputShape: [shape.inputs] } : {}),
      }),
    )
  }
  return model
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
export async function loadNetwork({ core, layers }: TensorFlow, artifact: LoadedModel): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(Buffer.from(await artifact.read('model.json')).toString('utf8'))
  const weights = await artifact.read('weights.bin')
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer
  return await layers.loadLayersModel(
    core.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  )
}
