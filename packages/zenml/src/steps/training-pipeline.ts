import { artifact, type Pipeline, type PipelineOptions, pipeline, type Ref } from '../define/pipeline.ts'
import type { ParameterInput } from '../define/step.ts'
import { Evaluation } from '../formats/evaluation.ts'
import type { Examples } from '../formats/examples.ts'
import type { Serving } from '../formats/serving.ts'
import type { TransformGraph } from '../formats/transform-graph.ts'
import type { JsonArtifact, Model, Schema } from '../formats/types.ts'
import { type DataOptions, dataParts, withoutDataOptions } from './data-pipeline.ts'
import { gate } from './gate.ts'
import { type PreprocessInput, preprocess } from './preprocess.ts'

/** What a training pipeline is given beside what a data pipeline is. */
export interface TrainingPipelineOptions extends PipelineOptions, DataOptions {
  readonly preprocess: PreprocessInput
  /** Places the trainer. */
  train(inputs: { readonly examples: Ref<typeof Examples>; readonly transform: Ref<typeof TransformGraph> }): {
    readonly model: Ref<typeof Model>
  }
  /** Places the evaluator. */
  evaluate(inputs: {
    readonly examples: Ref<typeof Examples>
    readonly transform: Ref<typeof TransformGraph>
    readonly model: Ref<typeof Model>
  }): { readonly evaluation: Ref<typeof Evaluation> }
  /**
   * Parameters of `gate`; none is placed where they are left out. With `noWorseThanBaseline` the baseline is the evaluation in the newest complete run of
   * this pipeline, and `withoutBaseline` is `pass` by default, for the first run.
   */
  readonly gate?: ParameterInput<(typeof gate)['definition']['parameters']>
  /** Places the deployer, behind the gate where there is one. Default none. */
  deploy?(inputs: {
    readonly model: Ref<typeof Model>
    readonly transform: Ref<typeof TransformGraph>
    readonly schema: Ref<typeof Schema>
    readonly verdict?: Ref<typeof JsonArtifact>
  }): { readonly serving: Ref<typeof Serving> }
}

/** What a deployment pipeline is given: a training pipeline's options, with gate and deployer. */
export type DeploymentPipelineOptions = TrainingPipelineOptions &
  Required<Pick<TrainingPipelineOptions, 'gate' | 'deploy'>>

/**
 * The usual pipeline from raw data to an evaluated model: snapshot, (sequence,) split, statistics, schema, (validate,) preprocess, train, evaluate, and
 * where they are asked for gate and deploy.
 *
 * @example
 * export default trainingPipeline({
 *   name: 'penguins',
 *   source: { path: 'data/penguins.csv' },
 *   preprocess: { label: 'Species' },
 *   train: (inputs) => train(inputs, { epochs: 30 }),
 *   evaluate: (inputs) => evaluate(inputs),
 * })
 */
export function trainingPipeline(options: TrainingPipelineOptions): Pipeline {
  const { name, preprocess: preprocessing, train, evaluate, gate: limits, deploy, ...rest } = options
  return pipeline(
    name,
    () => {
      const { examples, schema } = dataParts(options)
      const { transform } = preprocess({ examples }, preprocessing)
      const { model } = train({ examples, transform })
      const { evaluation } = evaluate({ examples, transform, model })
      const passed = limits === undefined ? {} : gated(name, evaluation, limits)
      deploy?.({ model, transform, schema, ...passed })
    },
    withoutDataOptions(rest),
  )
}

function gated(
  pipeline: string,
  evaluation: Ref<typeof Evaluation>,
  limits: NonNullable<TrainingPipelineOptions['gate']>,
): { readonly verdict: Ref<typeof JsonArtifact> } {
  if (Object.keys(limits.noWorseThanBaseline ?? {}).length === 0) return gate({ evaluation }, limits)
  const baseline = artifact('baseline', Evaluation, { pipeline, output: evaluation.from, optional: true })
  return gate({ evaluation, baseline }, { withoutBaseline: 'pass', ...limits })
}

/**
 * A training pipeline whose model is let through by a gate and becomes a folder that serves it.
 *
 * @example
 * export default deploymentPipeline({
 *   name: 'penguins',
 *   source: { path: 'data/penguins.csv' },
 *   preprocess: { label: 'Species' },
 *   train: (inputs) => train(inputs, { epochs: 30 }),
 *   evaluate: (inputs) => evaluate(inputs, { slices: ['Island'] }),
 *   gate: { atLeast: { accuracy: 0.9 } },
 *   deploy: (inputs) => deploy(inputs),
 * })
 */
export function deploymentPipeline(options: DeploymentPipelineOptions): Pipeline {
  return trainingPipeline(options)
}
