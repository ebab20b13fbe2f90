import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type NoParameters, optional, type Step, step } from 'zenml'
import { JsonArtifact, Model, Schema, Serving, TransformGraph } from 'zenml/formats'
import { checkPredictor, servingFolder } from 'zenml/steps'
import { loadNetworkPredictor } from './predictor.ts'
import { wasmDirectory } from './tfjs.ts'

/** Of the three that TensorFlow.js has, those without threads; which one counts is up to the processor. */
const wasmFiles = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm']

/**
 * Makes a folder that serves a network by itself: model, transform, schema, the code and TensorFlow.js, all that Node needs. With the `verdict` of a
 * gate, only a model that passed.
 *
 * Throws `ZEN_DEPLOY_GATE` for a model that did not pass, `ZEN_DEPLOY_SCHEMA` where the schema does not say what the transform looks at,
 * `ZEN_EVALUATE_MODEL` for a model of another transform, `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { schema } = inferSchema({ statistics: facts })
 * const { serving } = deploy({ model, transform, schema })
 */
export const deploy: Step<
  {
    readonly model: typeof Model
    readonly transform: typeof TransformGraph
    readonly schema: typeof Schema
    readonly verdict: { readonly optional: typeof JsonArtifact }
  },
  { readonly serving: typeof Serving },
  NoParameters
> = step({
  name: 'deploy',
  description: 'Makes a folder that serves a network by itself.',
  inputs: { model: Model, transform: TransformGraph, schema: Schema, verdict: optional(JsonArtifact) },
  outputs: { serving: Serving },
  run: async ({ inputs: { model, transform, schema, verdict } }) => {
    checkPredictor(await loadNetworkPredictor(model), transform)
    const { serve } = await import('zenml/serving-code')
    const { predict, packages } = await import('@zenml/tensorflow/serving-code')
    const code: { [path: string]: Uint8Array | string } = { 'predict.mjs': predict, 'serve.mjs': serve }
    for (const name of wasmFiles) code[`wasm/${name}`] = new Uint8Array(await readFile(join(wasmDirectory(), name)))
    const serving = await servingFolder({ model, transform, schema, verdict, code, packages })
    return { serving }
  },
})
