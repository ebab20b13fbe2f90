// `zenml/steps`: the standard steps and the pipeline that puts them together.
export { snapshot } from '../sources/snapshot.ts'
export { classificationReport, regressionReport } from '../steps/evaluate-metrics.ts'
export { type FeatureRequest, type PreprocessParameters, preprocess } from '../steps/preprocess.ts'
export { inferSchema, type SchemaParameters, schemaOf } from '../steps/schema.ts'
export { type SplitParameters, split } from '../steps/split.ts'
export { statistics } from '../steps/statistics.ts'
export { type TrainingPipelineOptions, trainingPipeline } from '../steps/training-pipeline.ts'
export { applyTransform, type TransformedBatch, transformWidth, wordAt } from '../steps/transform.ts'
