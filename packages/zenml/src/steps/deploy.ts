import { type NoParameters, type OptionalPort, optional, type Step, step } from '../define/step.ts'
import { Serving } from '../formats/serving.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { JsonArtifact, Model, Schema } from '../formats/types.ts'
import { checkPredictor, loadPredictor } from './predictor.ts'
import { servingFolder } from './serving/serving-folder.ts'

/**
 * Makes a folder that serves a model of `trainLinear` or `trainTrees` by itself: model, transform, schema and the code, all that Node needs. With the
 * `verdict` of a gate, only a model that passed.
 *
 * Throws `ZEN_DEPLOY_GATE` for a model that did not pass, `ZEN_DEPLOY_SCHEMA` where the schema does not say what the transform looks at,
 * `ZEN_EVALUATE_MODEL` for a model of another transform, `ZEN_MODEL_FORMAT` for one of another format.
 *
 * @example
 * const { schema } = inferSchema({ statistics: facts })
 * const linear = trainLinear({ examples: parts, transform })
 * const { serving } = deploy({ model: linear.model, transform, schema })
 */
export const deploy: Step<
  {
    readonly model: typeof Model
    readonly transform: typeof TransformGraph
    readonly schema: typeof Schema
    readonly verdict: OptionalPort<typeof JsonArtifact>
  },
  { readonly serving: typeof Serving },
  NoParameters
> = step({
  name: 'deploy',
  description: 'Makes a folder that serves a model by itself.',
  inputs: { model: Model, transform: TransformGraph, schema: Schema, verdict: optional(JsonArtifact) },
  outputs: { serving: Serving },
  run: async ({ inputs: { model, transform, schema, verdict } }) => {
    checkPredictor(await loadPredictor(model), transform)
    const { predict, serve, packages } = await import('zenml/serving-code')
    const code = { 'predict.mjs': predict, 'serve.mjs': serve }
    return { serving: await servingFolder({ model, transform, schema, verdict, code, packages }) }
  },
})
