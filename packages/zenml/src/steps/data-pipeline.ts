import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { datasource, type Pipeline, type PipelineOptions, pipeline, type Ref } from '../define/pipeline.ts'
import type { ParameterInput } from '../define/step.ts'
import type { Examples } from '../formats/examples.ts'
import type { Schema } from '../formats/types.ts'
import type { DatasourceOptions } from '../model/datasource-spec.ts'
import type { RowsOptions } from '../model/given-rows.ts'
import { snapshot } from '../sources/snapshot.ts'
import { inferSchema, type SchemaParameters } from './schema.ts'
import { sequence } from './sequence.ts'
import { type SplitParameters, split } from './split.ts'
import { statistics } from './statistics.ts'
import { type ValidateParameters, validate } from './validate.ts'

/** From raw data to examples that are described and checked: what all standard pipelines share. */
export interface DataOptions {
  /** Of the pipeline and its datasource. */
  readonly name: string
  readonly source: DatasourceOptions | RowsOptions
  /** Parameters of `sequence`, which makes windows of time series before the split; none is placed where they are left out. */
  readonly sequence?: ParameterInput<(typeof sequence)['definition']['parameters']>
  /**
   * Parameters of `split`, or a function that places another step that splits. Default `split` with its defaults; behind `sequence` also `by` the
   * series, as windows that overlap have rows in common.
   */
  readonly split?: Defaulted<SplitParameters> | PlaceSplit
  /** Parameters of `inferSchema`. */
  readonly schema?: Defaulted<SchemaParameters>
  /** Parameters of `validate`, which is not placed where they are left out. */
  readonly validate?: Defaulted<ValidateParameters>
}

/** Places a step that splits examples. */
export type PlaceSplit = (inputs: { readonly examples: Ref<typeof Examples> }) => {
  readonly examples: Ref<typeof Examples>
}

/** What a data pipeline is given. */
export interface DataPipelineOptions extends PipelineOptions, DataOptions {}

/**
 * A pipeline of data alone: snapshot, (sequence,) split, statistics, schema, validate. Another pipeline with the same source and parameters reuses what it
 * gave.
 *
 * @example
 * export default dataPipeline({
 *   name: 'penguins-data',
 *   source: { path: 'data/penguins.csv' },
 *   split: (inputs) => splitStratified(inputs, { feature: 'Species' }),
 * })
 */
export function dataPipeline(options: DataPipelineOptions): Pipeline {
  const { name, ...rest } = options
  return pipeline(name, () => void dataParts({ validate: {}, ...options }), withoutDataOptions(rest))
}

/** Places the steps from the source to a checked schema. */
export function dataParts(options: DataOptions): {
  readonly examples: Ref<typeof Examples>
  readonly schema: Ref<typeof Schema>
} {
  const { name, source, sequence: windows, split: splitting, schema: inferring, validate: checks } = options
  const taken = snapshot({ source: datasource(name, source) })
  const rows = windows === undefined ? taken : sequence(taken, windows)
  const { examples } =
    typeof splitting === 'function'
      ? splitting(rows)
      : split(rows, windows === undefined ? splitting : bySeries(windows, splitting))
  const { statistics: facts } = statistics({ examples })
  const { schema } = inferSchema({ statistics: facts }, inferring)
  if (checks !== undefined) validate({ statistics: facts, schema }, checks)
  return { examples, schema }
}

/** Windows that overlap have rows in common, and a hash of each would put them on both sides: whole series are split. */
function bySeries(
  windows: NonNullable<DataOptions['sequence']>,
  given: Defaulted<SplitParameters> = {},
): Defaulted<SplitParameters> {
  const checked = sequence.definition.parameters!.safeParse(windows)
  // What is wrong with them is told with their place when the step is planned.
  if (!checked.success) return given
  const { by: series, length, stride, label } = checked.data
  const { by = series } = given
  const isWhole = by.length > 0 && by.every((feature) => series.includes(feature))
  if (!isWhole && stride < length + (label?.horizon ?? 0))
    throw new ZenmlError(
      'ZEN_SPLIT_WINDOWS',
      'The windows of "sequence" overlap, and a random split would part them.',
      {
        next: 'Name what tells the series apart in "by" of "sequence", or give "split" a function that places splitByTime.',
      },
    )
  return { ...given, by }
}

/** The options of the pipeline itself. */
export function withoutDataOptions<T extends Partial<DataOptions>>(options: T): Omit<T, keyof DataOptions> {
  const { name: _1, source: _2, sequence: _3, split: _4, schema: _5, validate: _6, ...rest } = options
  return rest
}
