// `zenml/steps`: the standard steps and the pipeline that puts them together.
export { snapshot } from '../sources/snapshot.ts'
export type { Ratios, Unclaimed } from '../steps/assign-splits.ts'
export { classificationReport, regressionReport } from '../steps/evaluate-metrics.ts'
export {
  crossValidate,
  type FoldInputs,
  type HoldOutParameters,
  holdOut,
  type KFoldParameters,
  kFold,
} from '../steps/k-fold.ts'
export { type NoSplitParameters, noSplit } from '../steps/no-split.ts'
export { type PreprocessInput, type PreprocessParameters, preprocess } from '../steps/preprocess.ts'
export { inferSchema, type SchemaParameters, schemaOf } from '../steps/schema.ts'
export {
  type SequenceFeature,
  type SequenceLabel,
  type SequenceParameters,
  sequence,
} from '../steps/sequence.ts'
export type { Fill } from '../steps/sequences/fill.ts'
export type { Resample, ThresholdResample } from '../steps/sequences/resample.ts'
export { type SplitParameters, split } from '../steps/split.ts'
export { type SplitByDomainParameters, splitByDomain } from '../steps/split-by-domain.ts'
export { type SplitByTimeParameters, splitByTime, type TimeSplit } from '../steps/split-by-time.ts'
export { type SplitStratifiedParameters, splitStratified } from '../steps/split-stratified.ts'
export { statistics } from '../steps/statistics.ts'
export { type TrainingPipelineOptions, trainingPipeline } from '../steps/training-pipeline.ts'
export {
  applyTransform,
  onlyLabel,
  type TransformedBatch,
  transformInputs,
  transformWidth,
} from '../steps/transform.ts'
export type { FeatureRequest, TransformRequest } from '../steps/transforms/requests.ts'
export { wordAt } from '../steps/values.ts'
