// `zenml/project`: everything that the command line does, for scripts.
export type { ArtifactStore } from '../artifacts/artifact-store.ts'
export type { RunRecords } from '../metadata/run-records.ts'
export type { RunEvent, RunListener } from '../model/events.ts'
export type { PipelineSpec } from '../model/pipeline-spec.ts'
export type { RunRecord, StepRecord } from '../model/run.ts'
export type { Cause, Verification, VerifiedStep } from '../model/verification.ts'
export { initProject } from '../project/init-project.ts'
export { loadPipeline } from '../project/load-pipeline.ts'
export {
  type Rerun,
  type RerunPipelineOptions,
  rerunPipeline,
  type VerifyPipelineOptions,
  verifyPipeline,
} from '../project/make-again.ts'
export { type OpenOptions, openProject, type Project } from '../project/open-project.ts'
export { type OpenSnapshot, openSnapshot } from '../project/open-snapshot.ts'
export { pinCode } from '../project/pin-code.ts'
export type { Comparison } from '../run/comparison.ts'
export { predictRun, type RunPrediction, type StepPrediction } from '../run/dry-run.ts'
export { type ExplainedChange, explainRun, type RunExplanation, type StepExplanation } from '../run/explain.ts'
export { PlanError } from '../run/plan.ts'
export { type RunEnd, type RunOptions, runPipeline } from '../run/run-pipeline.ts'
