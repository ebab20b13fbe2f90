import type { Defaulted } from '../base/defaulted.ts'
import { datasource, type Pipeline, type PipelineOptions, pipeline, type Ref } from '../define/pipeline.ts'
import type { Evaluation } from '../formats/evaluation.ts'
import type { Examples } from '../formats/examples.ts'
import type { TransformGraph } from '../formats/transform-graph.ts'
import type { Model } from '../formats/types.ts'
import type { DatasourceOptions } from '../model/datasource-spec.ts'
import type { RowsOptions } from '../model/given-rows.ts'
import { snapshot } from '../sources/snapshot.ts'
import { type PreprocessInput, preprocess } from './preprocess.ts'
import { inferSchema } from './schema.ts'
import { type SplitParameters, split } from './split.ts'
import { statistics } from './statistics.ts'

/** What a training pipeline is given. */
export interface TrainingPipelineOptions extends PipelineOptions {
  readonly name: string
  readonly source: DatasourceOptions | RowsOptions
  readonly split?: Defaulted<SplitParameters>
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
}

/**
 * The usual pipeline from raw data to an evaluated model: snapshot, split, statistics, schema, preprocess, train, evaluate.
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
  const { name, source, split: splitting, preprocess: preprocessing, train, evaluate, ...rest } = options
  return pipeline(
    name,
    () => {
      const { examples } = snapshot({ source: datasource(name, source) })
      const { examples: parts } = split({ examples }, splitting)
      const { statistics: facts } = statistics({ examples: parts })
      inferSchema({ statistics: facts })
      const { transform } = preprocess({ examples: parts }, preprocessing)
      const { model } = train({ examples: parts, transform })
      evaluate({ examples: parts, transform, model })
    },
    rest,
  )
}
