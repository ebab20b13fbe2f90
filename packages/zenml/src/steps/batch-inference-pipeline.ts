import {
  type ArtifactOrigin,
  artifact,
  datasource,
  type Pipeline,
  type PipelineOptions,
  pipeline,
  type Ref,
} from '../define/pipeline.ts'
import type { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { Model } from '../formats/types.ts'
import type { DatasourceOptions } from '../model/datasource-spec.ts'
import type { RowsOptions } from '../model/given-rows.ts'
import { snapshot } from '../sources/snapshot.ts'

/** What a batch inference pipeline is given. */
export interface BatchInferencePipelineOptions extends PipelineOptions {
  /** Of the pipeline and its datasource. */
  readonly name: string
  /** Rows to predict. */
  readonly source: DatasourceOptions | RowsOptions
  /** Name of the training pipeline, or where model and transform come from each. */
  readonly from: string | { readonly model: ArtifactOrigin; readonly transform: ArtifactOrigin }
  /** Name of the step that trains, where `from` is a pipeline. Default train. */
  readonly trainer?: string
  /** Places the step that predicts. */
  predict(inputs: {
    readonly examples: Ref<typeof Examples>
    readonly transform: Ref<typeof TransformGraph>
    readonly model: Ref<typeof Model>
  }): { readonly examples: Ref<typeof Examples> }
}

/**
 * A pipeline that predicts new rows by the model and the transform of another pipeline's run: of its newest complete one, or of one that is named.
 *
 * @example
 * export default batchInferencePipeline({
 *   name: 'penguins-forecast',
 *   source: { path: 'data/fresh.csv' },
 *   from: 'penguins',
 *   predict: (inputs) => predict(inputs, { keep: ['id'] }),
 * })
 */
export function batchInferencePipeline(options: BatchInferencePipelineOptions): Pipeline {
  const { name, source, from, trainer = 'train', predict, ...rest } = options
  const { model, transform } =
    typeof from === 'string'
      ? {
          model: { pipeline: from, output: `${trainer}.model` },
          transform: { pipeline: from, output: 'preprocess.transform' },
        }
      : from
  return pipeline(
    name,
    () => {
      const { examples } = snapshot({ source: datasource(name, source) })
      predict({
        examples,
        transform: artifact('transform', TransformGraph, transform),
        model: artifact('model', Model, model),
      })
    },
    rest,
  )
}
