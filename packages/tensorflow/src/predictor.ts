import { ZenmlError } from 'zenml'
import type { LoadedModel } from 'zenml/formats'
import { type Predictor, trainedWith } from 'zenml/steps'
import { loadNetwork, modelFormat } from './network.ts'
import { loadTensorFlow } from './tfjs.ts'
import { predictRows } from './train.ts'

/** Makes a predictor of a model of `train`, on the WebAssembly in a directory (default the package's own). Throws `ZEN_MODEL_FORMAT` for one of another format. */
export async function loadNetworkPredictor(artifact: LoadedModel, directory?: string): Promise<Predictor> {
  if (artifact.format !== modelFormat)
    throw new ZenmlError('ZEN_MODEL_FORMAT', `The model is ${artifact.format}, not ${modelFormat}.`, {
      facts: { format: artifact.format },
      next: 'Take the step of the package that trained it, such as "zenml/steps#evaluate".',
      exitCode: 1,
    })
  const tensorflow = await loadTensorFlow(directory)
  const model = await loadNetwork(tensorflow, artifact)
  const { classes } = artifact.metadata
  const outputs = model.outputs[0]?.shape.at(-1) ?? 1
  return {
    width: model.inputs[0]?.shape.at(-1) ?? 0,
    outputs,
    classes: Array.isArray(classes) ? classes.map(String) : null,
    transform: trainedWith(artifact),
    predict: ({ rows, width, features }) => predictRows(tensorflow, model, { rows, width, features }, outputs),
  }
}
