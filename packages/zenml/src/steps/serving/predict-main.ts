// What `predict.mjs` of a serving folder is made of: tools/build.mjs puts all that it imports into one file.
import { fileURLToPath } from 'node:url'
import type { ServingManifest } from '../../formats/serving.ts'
import { loadPredictor } from '../predictor.ts'
import type { ServedPrediction } from './open-serving.ts'
import { openServing } from './open-serving.ts'

const serving = await openServing(fileURLToPath(new URL('.', import.meta.url)), loadPredictor)

export const manifest: ServingManifest = serving.manifest
export const classes: readonly string[] | null = manifest.classes
export const predict: (rows: readonly unknown[]) => Promise<readonly (ServedPrediction | null)[]> = serving.predict
