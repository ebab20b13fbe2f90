// What `predict.mjs` of a serving folder is made of: tools/build.mjs puts all that it imports into one file.
import { fileURLToPath } from 'node:url'
import type { ServingManifest } from 'zenml/formats'
import { openServing, type ServedPrediction } from 'zenml/steps'
import { loadNetworkPredictor } from './predictor.ts'

const directory = fileURLToPath(new URL('.', import.meta.url))
const serving = await openServing(directory, (model) => loadNetworkPredictor(model, `${directory}wasm`))

export const manifest: ServingManifest = serving.manifest
export const classes: readonly string[] | null = manifest.classes
export const predict: (rows: readonly unknown[]) => Promise<readonly (ServedPrediction | null)[]> = serving.predict
