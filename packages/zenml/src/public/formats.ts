// `zenml/formats`: artifact types and the data that they hold.
export { Anomalies, type AnomaliesBySplit } from '../formats/anomalies.ts'
export { decodeAnomalies, encodeAnomalies, parseAnomalies, printAnomalies } from '../formats/anomalies-proto.ts'
export {
  bytesAt,
  type Column,
  type ExampleBatch,
  type FeatureKind,
  rowEnd,
  rowStart,
  valueCount,
} from '../formats/batch.ts'
export {
  type DiffOptions,
  type DiffSide,
  diffExamples,
  type ExamplesDiff,
  type FeatureChange,
  type SplitDiff,
} from '../formats/diff-examples.ts'
export {
  type ClassificationReport,
  Evaluation,
  type EvaluationData,
  type RankingReport,
  type RegressionReport,
  type Report,
  type ThresholdRow,
} from '../formats/evaluation.ts'
export {
  batchOf,
  createExamplesWriter,
  type ExampleObject,
  Examples,
  type ExamplesReader,
  type ExamplesSource,
  type ExamplesWriter,
  openExamples,
  textAt,
} from '../formats/examples.ts'
export { ItemIndex, type ItemIndexData, type ItemList } from '../formats/item-index.ts'
export { digestOfRows } from '../formats/rows-digest.ts'
export { type SampledRow, type SampleOptions, sampleExamples } from '../formats/sample-examples.ts'
export { parseSchema, printSchema } from '../formats/schema-proto.ts'
export { selectRows } from '../formats/select-rows.ts'
export {
  type LoadedServing,
  type SavedServing,
  Serving,
  type ServingFeature,
  type ServingManifest,
} from '../formats/serving.ts'
export { decodeStatistics, encodeStatistics } from '../formats/statistics-proto.ts'
export {
  type FeatureTransform,
  type FittedFeature,
  type FittedLabel,
  type LabelTransform,
  type NgramRule,
  TransformGraph,
  type TransformGraphData,
} from '../formats/transform-graph.ts'
export {
  BytesArtifact,
  FileTree,
  HtmlArtifact,
  JsonArtifact,
  type LoadedModel,
  type LoadedTree,
  Model,
  type SavedModel,
  Schema,
  Statistics,
} from '../formats/types.ts'
