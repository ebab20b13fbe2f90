// `zenml/steps`: the standard steps and the pipeline that puts them together.
export { snapshot } from '../sources/snapshot.ts'
export type { Ratios, Unclaimed } from '../steps/assign-splits.ts'
export { type BatchInferencePipelineOptions, batchInferencePipeline } from '../steps/batch-inference-pipeline.ts'
export { type DataOptions, type DataPipelineOptions, dataPipeline, type PlaceSplit } from '../steps/data-pipeline.ts'
export { type EvaluateParameters, evaluate, evaluateParameters } from '../steps/evaluate.ts'
export { classificationReport, regressionReport, type ThresholdOptions } from '../steps/evaluate-metrics.ts'
export { type RankedQuery, rankingReport } from '../steps/evaluate-ranking.ts'
export { type EvaluatedSplit, evaluateSplit } from '../steps/evaluate-split.ts'
export { type GateCheck, type GateParameters, gate } from '../steps/gate.ts'
export { importSchema } from '../steps/import-schema.ts'
export {
  crossValidate,
  type FoldInputs,
  type HoldOutParameters,
  holdOut,
  type KFoldParameters,
  kFold,
} from '../steps/k-fold.ts'
export { type MapDefinition, type MappedRow, type MapWork, map, mapBatches } from '../steps/map.ts'
export { type Matrix, MatrixBlocks } from '../steps/matrix-blocks.ts'
export { type NoSplitParameters, noSplit } from '../steps/no-split.ts'
export { type PredictParameters, predict, predictParameters } from '../steps/predict.ts'
export { type PredictedRows, predictRows } from '../steps/predict-rows.ts'
export { checkPredictor, loadPredictor, type Predictor, type PredictorLoader, trainedWith } from '../steps/predictor.ts'
export { type PreprocessInput, type PreprocessParameters, preprocess } from '../steps/preprocess.ts'
export { anomaliesReport, evaluationReport, type ReportParameters, statisticsReport } from '../steps/reports.ts'
export { inferSchema, type SchemaParameters, schemaOf } from '../steps/schema.ts'
export {
  type SequenceFeature,
  type SequenceLabel,
  type SequenceParameters,
  sequence,
} from '../steps/sequence.ts'
export type { Fill } from '../steps/sequences/fill.ts'
export type { Resample, ThresholdResample } from '../steps/sequences/resample.ts'
export { type OpenServing, openServing, type ServedPrediction } from '../steps/serving/open-serving.ts'
export { type ServingParts, servingFolder } from '../steps/serving/serving-folder.ts'
export { type SplitParameters, split } from '../steps/split.ts'
export { type SplitByDomainParameters, splitByDomain } from '../steps/split-by-domain.ts'
export { type SplitByTimeParameters, splitByTime, type TimeSplit } from '../steps/split-by-time.ts'
export { type SplitStratifiedParameters, splitStratified } from '../steps/split-stratified.ts'
export { statistics } from '../steps/statistics.ts'
export { type TokenSpan, tokenSpans } from '../steps/token-spans.ts'
export { type TrainLinearParameters, trainLinear } from '../steps/train-linear.ts'
export { type TrainTreesParameters, trainTrees } from '../steps/train-trees.ts'
export {
  type DeploymentPipelineOptions,
  deploymentPipeline,
  type TrainingPipelineOptions,
  trainingPipeline,
} from '../steps/training-pipeline.ts'
export {
  applyTransform,
  onlyLabel,
  type TransformedBatch,
  transformDigest,
  transformInputs,
  transformWidth,
} from '../steps/transform.ts'
export type { FeatureRequest, TransformRequest } from '../steps/transforms/requests.ts'
export { type ValidateParameters, validate } from '../steps/validate.ts'
export { type ValidationOptions, validateStatistics } from '../steps/validate-statistics.ts'
export { wordAt } from '../steps/values.ts'
