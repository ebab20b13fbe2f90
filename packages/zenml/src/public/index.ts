// `zenml`: what pipelines and steps are written with. Light: it is part of every step's bundle.
export { ZenmlError } from '../base/errors.ts'
export type { Json, JsonObject } from '../base/json.ts'
export { type Random, seededRandom } from '../base/random.ts'
export {
  type ArtifactOrigin,
  artifact,
  datasource,
  type Pipeline,
  type PipelineOptions,
  pipeline,
  type Ref,
} from '../define/pipeline.ts'
export { runStep, type StepTrial, type TrialOptions } from '../define/run-step.ts'
export {
  type NoParameters,
  optional,
  type ParameterSchema,
  type PlacementOptions,
  Source,
  type Step,
  type StepContext,
  type StepDefinition,
  type StepWork,
  step,
} from '../define/step.ts'
export { type ArtifactType, artifactType, type Loaded, type Materializer, type Saved } from '../model/artifact-type.ts'
export type { DatasourceOptions } from '../model/datasource-spec.ts'
export type { GivenCell, GivenRow, GivenRows, GivenValue, RowsOptions } from '../model/given-rows.ts'
