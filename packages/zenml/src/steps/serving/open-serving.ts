import { join } from 'node:path'
import { ZenmlError } from '../../base/errors.ts'
import type { ExampleBatch } from '../../formats/batch.ts'
import { readServing, type ServingManifest } from '../../formats/serving.ts'
import { TransformGraph, type TransformGraphData } from '../../formats/transform-graph.ts'
import { Model } from '../../formats/types.ts'
import { likeliestOf } from '../predict-rows.ts'
import { checkPredictor, type PredictorLoader } from '../predictor.ts'
import { applyTransform, rowsAtOnce, type TransformedBatch } from '../transform.ts'
import { rowsOf } from './request-rows.ts'

/** What a served model says of a row. */
export interface ServedPrediction {
  /** The class, or the number. */
  readonly prediction: string | number
  /** A number a class, in the order of the classes; only where the label is a class. */
  readonly probabilities?: readonly number[]
}

/** A serving folder, ready to be asked. */
export interface OpenServing {
  readonly manifest: ServingManifest
  /** One answer a row, in their order; null for a row that the transform leaves out. */
  predict(rows: readonly unknown[]): Promise<readonly (ServedPrediction | null)[]>
}

/**
 * Opens a serving folder: what its `predict.mjs` does. Rows are worked on in blocks, between which other requests have their turn.
 *
 * Throws `ZEN_SERVING_CHANGED` for a file that is not what the folder was made with, `ZEN_MODEL_FORMAT` for a model that `load` does not know.
 *
 * @example
 * const label = async (directory: string): Promise<string> => (await openServing(directory, loadPredictor)).manifest.label
 */
export async function openServing(directory: string, load: PredictorLoader): Promise<OpenServing> {
  const manifest = await readServing(directory)
  const transform = await TransformGraph.materializer.load(join(directory, 'transform'))
  const predictor = await load(await Model.materializer.load(join(directory, 'model')))
  checkPredictor(predictor, transform)
  const { classes } = manifest
  const block = rowsAtOnce(transform)
  return {
    manifest,
    async predict(rows) {
      const predictions: (ServedPrediction | null)[] = []
      // Every row is looked at before the first is worked on: a request is answered whole, or refused.
      const batches = []
      for (let from = 0; from < rows.length; from += block)
        batches.push(rowsOf(manifest, rows.slice(from, from + block), from))
      for (const batch of batches) {
        if (predictions.length > 0) await new Promise((resolve) => setImmediate(resolve))
        const first = predictions.length
        const { rows: left, width, features } = transformed(transform, batch, first)
        const said = predictor.predict({ rows: left.length, width, features })
        if (!said.every(Number.isFinite))
          throw new ZenmlError('ZEN_SERVING_PREDICTION', 'The model gives no finite number for a row.', {
            next: 'Look for extreme values in the row.',
            exitCode: 1,
          })
        for (let row = 0; row < batch.length; row++) predictions.push(null)
        for (const [index, row] of left.entries()) {
          const own = said.subarray(index * predictor.outputs, (index + 1) * predictor.outputs)
          predictions[first + row] =
            classes === null
              ? { prediction: own[0]! }
              : { prediction: classes[likeliestOf(own, 0, classes.length)]!, probabilities: [...own] }
        }
      }
      return predictions
    },
  }
}

/** Applies the transform; an error names the row of the request, of which `first` were in blocks before. */
function transformed(transform: TransformGraphData, batch: ExampleBatch, first: number): TransformedBatch {
  try {
    return applyTransform(transform, batch, { labels: false })
  } catch (error) {
    if (first === 0 || !(error instanceof ZenmlError) || typeof error.facts['row'] !== 'number') throw error
    const row = first + error.facts['row']
    throw new ZenmlError(error.code, error.message.replace(/^Row \d+/, `Row ${row}`), {
      facts: { ...error.facts, row },
      exitCode: error.exitCode,
      ...(error.next === undefined ? {} : { next: error.next }),
    })
  }
}
