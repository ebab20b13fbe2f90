import type { Digest } from '../base/digest.ts'
import type { Failure, Outcome, RunRecord, RunStatus } from '../model/run.ts'
import type { Verification } from '../model/verification.ts'
import {
  type ArtifactSummary,
  findLineage,
  getArtifactSummaries,
  type Lineage,
  listArtifactSummaries,
  resolveArtifactDigest,
} from './artifact-queries.ts'
import {
  type EarlierQuestion,
  type ExecutionPlace,
  findEarlier,
  findExecutions,
  findFailed,
} from './execution-queries.ts'
import {
  endStep,
  findByKeys,
  insertReused,
  listSteps,
  type PriorExecution,
  type ReusedStep,
  type StepEnd,
  type StepStart,
  type StepUse,
  startStep,
} from './executions.ts'
import type { MetadataStore } from './open.ts'
import { getRun } from './read-run.ts'
import {
  endRun,
  insertRun,
  listPipelines,
  listRuns,
  markLost,
  type PipelineSummary,
  type ProcessMark,
  type RunQuery,
  type RunStart,
  type RunSummary,
  resolveRun,
  skipSteps,
  unfinishedRuns,
} from './runs.ts'
import { insertVerification } from './verifications.ts'

/** Our nouns in ML Metadata. */
export interface RunRecords {
  startRun(run: RunStart): Promise<void>
  /** Records a running execution and returns its id. */
  startStep(run: string, step: StepStart): Promise<number>
  endStep(execution: number, end: StepEnd): Promise<void>
  reuseSteps(run: string, steps: readonly ReusedStep[]): Promise<void>
  skipSteps(run: string, steps: readonly { readonly name: string; readonly outcome: Outcome }[]): Promise<void>
  endRun(
    run: string,
    end: { readonly status: RunStatus; readonly endedAt: number; readonly error: Failure | null },
  ): Promise<void>
  /** A run of which every step is reused, in one transaction. */
  recordReusedRun(run: RunStart, steps: readonly ReusedStep[], endedAt: number): Promise<void>
  /** Completed executions by key, newest first. */
  findByKeys(keys: readonly Digest[]): Promise<ReadonlyMap<Digest, readonly PriorExecution[]>>
  /** Where the nearest execution before another that gave outputs is: of the same step in the same pipeline, executed or reused. */
  findEarlier(steps: readonly EarlierQuestion[]): Promise<readonly (ExecutionPlace | undefined)[]>
  /** The runs of executions, and how these ended. */
  findExecutions(ids: readonly number[]): Promise<ReadonlyMap<number, ExecutionPlace>>
  /** Executions that failed, by key, newest first. */
  findFailed(keys: readonly Digest[]): Promise<ReadonlyMap<Digest, readonly ExecutionPlace[]>>
  getRun(id: string): Promise<RunRecord | undefined>
  /** Records a verification beside its run; false where this store does not have the run. */
  recordVerification(verification: Verification): Promise<boolean>
  /** The id of a run by a unique prefix or `@latest`. Throws `ZEN_RUN_UNKNOWN`, `ZEN_RUN_AMBIGUOUS`. */
  resolveRun(prefix: string): Promise<string>
  /** Newest first. */
  listRuns(query?: RunQuery): Promise<readonly RunSummary[]>
  listPipelines(): Promise<readonly PipelineSummary[]>
  unfinishedRuns(): Promise<
    readonly { readonly id: string; readonly pipeline: string; readonly process: ProcessMark }[]
  >
  /** Ends a run whose process is gone, and its running executions, as failed; one that has ended by now stays as it is. */
  markLost(run: string, endedAt: number, failure: Failure): Promise<void>
  listSteps(): Promise<readonly StepUse[]>
  listArtifacts(query?: { readonly type?: string; readonly limit?: number }): Promise<readonly ArtifactSummary[]>
  getArtifact(digest: Digest): Promise<ArtifactSummary | undefined>
  /** A digest by itself, a unique prefix, or `RUN/step.output`. Throws `ZEN_ARTIFACT_UNKNOWN`, `ZEN_ARTIFACT_AMBIGUOUS`. */
  resolveArtifact(name: string): Promise<Digest>
  lineage(digest: Digest, direction: 'up' | 'down' | 'both'): Promise<Lineage>
}

/** Keeps runs in ML Metadata: contexts `pipeline`, `pipeline_run`, `node` and `execution_cache`, an execution a step, artifacts by digest. */
export function runRecords(store: MetadataStore): RunRecords {
  return {
    startRun: (run) => store.write((database) => insertRun(database, run)),
    startStep: (run, step) => store.write((database) => startStep(database, run, step)),
    endStep: (execution, end) => store.write((database) => endStep(database, execution, end)),
    reuseSteps: (run, steps) => store.write((database) => insertReused(database, run, steps)),
    skipSteps: (run, steps) => store.write((database) => skipSteps(database, run, steps)),
    endRun: (run, end) => store.write((database) => endRun(database, run, end)),
    recordReusedRun: (run, steps, endedAt) =>
      store.write((database) => {
        insertRun(database, run)
        insertReused(database, run.id, steps)
        endRun(database, run.id, { status: 'complete', endedAt, error: null })
      }),
    findByKeys: (keys) => store.read((database) => findByKeys(database, keys)),
    findEarlier: (steps) => store.read((database) => steps.map((step) => findEarlier(database, step))),
    findExecutions: (ids) => store.read((database) => findExecutions(database, ids)),
    findFailed: (keys) => store.read((database) => findFailed(database, keys)),
    getRun: (id) => store.read((database) => getRun(database, id)),
    recordVerification: (verification) => store.write((database) => insertVerification(database, verification)),
    resolveRun: (prefix) => store.read((database) => resolveRun(database, prefix)),
    listRuns: (query = {}) => store.read((database) => listRuns(database, query)),
    listPipelines: () => store.read(listPipelines),
    unfinishedRuns: () => store.read(unfinishedRuns),
    markLost: (run, endedAt, failure) => store.write((database) => markLost(database, run, endedAt, failure)),
    listSteps: () => store.read(listSteps),
    listArtifacts: (query = {}) => store.read((database) => listArtifactSummaries(database, query)),
    getArtifact: (digest) => store.read((database) => getArtifactSummaries(database, [digest]).get(digest)),
    resolveArtifact: (name) =>
      store.read((database) => resolveArtifactDigest(database, name, (prefix) => resolveRun(database, prefix))),
    lineage: (digest, direction) => store.read((database) => findLineage(database, digest, direction)),
  }
}
