import type { Digest } from '../base/digest.ts'
import type { Failure, Outcome, RunRecord } from '../model/run.ts'
import type { Verification } from '../model/verification.ts'
import {
  type ArtifactSummary,
  getArtifactSummaries,
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
import { endStep, insertReused, startStep } from './executions.ts'
import { findLineage, type Lineage, type LineageOptions } from './lineage.ts'
import { findPrevious } from './previous-executions.ts'
import { findByKeys, type PriorOptions } from './prior-executions.ts'
import { getRun } from './read-run.ts'
import type { RunQuery } from './run-orders.ts'
import { runPlace } from './run-place.ts'
import {
  listPipelines,
  type PipelineSummary,
  pageOfRuns,
  type RunPage,
  type RunSummary,
  resolveRun,
  unfinishedRuns,
} from './run-queries.ts'
import { endRun, insertRun, markLost, type ProcessMark, type RunEnd, type RunStart, skipSteps } from './runs.ts'
import type { SqlDatabase } from './sql/database.ts'
import type { PreviousExecution, PriorExecution, ReusedStep, StepEnd, StepStart, StepUse } from './step-facts.ts'
import { listSteps } from './step-queries.ts'
import { insertVerification } from './verifications.ts'

/** Our nouns in ML Metadata. */
export interface RunRecords {
  startRun(run: RunStart): Promise<void>
  /** Records a running execution and returns its id. */
  startStep(run: string, step: StepStart): Promise<number>
  endStep(execution: number, end: StepEnd): Promise<void>
  reuseSteps(run: string, steps: readonly ReusedStep[]): Promise<void>
  skipSteps(run: string, steps: readonly { readonly name: string; readonly outcome: Outcome }[]): Promise<void>
  endRun(run: string, end: RunEnd): Promise<void>
  /** A run of which every step is reused, in one transaction. */
  recordReusedRun(run: RunStart, steps: readonly ReusedStep[], endedAt: number): Promise<void>
  /** The newest completed executions by key, newest first: 100 of each key where nothing else is said. */
  findByKeys(keys: readonly Digest[], options?: PriorOptions): Promise<ReadonlyMap<Digest, readonly PriorExecution[]>>
  /**
   * The newest executions with an increment (all that decides what a step gives but its items), newest first: those that completed, and those
   * that kept what they had made when they did not.
   */
  findPrevious(increment: Digest, limit: number): Promise<readonly PreviousExecution[]>
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
  /** Newest first where nothing else is asked for. Throws `ZEN_RUN_UNKNOWN` where there is no run to go on behind. */
  listRuns(query?: RunQuery): Promise<readonly RunSummary[]>
  /** As `listRuns`, with what the next page goes on behind. */
  pageOfRuns(query?: RunQuery): Promise<RunPage>
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
  /** `hops` is how many executions far; default to the end. */
  lineage(digest: Digest, direction: LineageOptions['direction'], hops?: number): Promise<Lineage>
}

/**
 * Keeps runs in ML Metadata: contexts `pipeline`, `pipeline_run`, `node` and `execution_cache`, an execution a step, artifacts by digest.
 *
 * Statements for each: `startRun` 6, `startStep` 10 and 3 for each new kind of thing (key, artifacts), `endStep` 13, `recordReusedRun`
 * 19 for any number of steps, `findByKeys` 2 for up to 64 keys, `getRun` 7 for any number of steps; a list 3 to 5.
 */
export function runRecords(database: SqlDatabase): RunRecords {
  return {
    async startRun(run) {
      await database.write(() => insertRun(run))
    },
    startStep: (run, step) => database.write(() => startStep(run, step)),
    endStep: (execution, end) => database.write(() => endStep(execution, end)),
    reuseSteps: (run, steps) =>
      database.write(function* () {
        yield* insertReused(yield* runPlace(run), steps)
      }),
    skipSteps: (run, steps) => database.write(() => skipSteps(run, steps)),
    endRun: (run, end) =>
      database.write(function* () {
        yield* endRun(yield* runPlace(run), end)
      }),
    recordReusedRun: (run, steps, endedAt) =>
      database.write(function* () {
        const place = yield* insertRun(run)
        yield* insertReused(place, steps)
        yield* endRun(place, { status: 'complete', endedAt, error: null })
      }),
    findByKeys: (keys, options) => database.read(() => findByKeys(keys, options)),
    findPrevious: (increment, limit) => database.read(() => findPrevious(increment, limit)),
    findEarlier: (steps) => database.read(() => findEarlier(steps)),
    findExecutions: (ids) => database.read(() => findExecutions(ids)),
    findFailed: (keys) => database.read(() => findFailed(keys)),
    getRun: (id) => database.read(() => getRun(id)),
    recordVerification: (verification) => database.write(() => insertVerification(verification)),
    resolveRun: (prefix) => database.read(() => resolveRun(prefix)),
    listRuns: async (query = {}) => (await database.read(() => pageOfRuns(query))).runs,
    pageOfRuns: (query = {}) => database.read(() => pageOfRuns(query)),
    listPipelines: () => database.read(listPipelines),
    unfinishedRuns: () => database.read(unfinishedRuns),
    markLost: (run, endedAt, failure) => database.write(() => markLost(run, endedAt, failure)),
    listSteps: () => database.read(listSteps),
    listArtifacts: (query = {}) => database.read(() => listArtifactSummaries(query)),
    getArtifact: async (digest) => (await database.read(() => getArtifactSummaries([digest])))[0],
    resolveArtifact: (name) => database.read(() => resolveArtifactDigest(name, resolveRun)),
    lineage: (digest, direction, hops) =>
      database.read(() => findLineage(digest, { direction, ...(hops === undefined ? {} : { hops }) })),
  }
}
