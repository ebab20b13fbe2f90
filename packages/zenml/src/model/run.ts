import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from './artifact.ts'
import type { Identity } from './fingerprint.ts'
import type { PipelineSpec } from './pipeline-spec.ts'
import type { Touch } from './touch.ts'
import type { Verification } from './verification.ts'

/** Where the code of a run is pinned. */
export interface CodePin {
  /** Commit SHA; null in a repository without commits or outside git. */
  readonly commit: string | null
  /** SHA of the tree that ran: of the commit where it is clean, of the snapshot where it is dirty; null outside git. */
  readonly tree: string | null
  readonly dirty: boolean
  /** `refs/zenml/…` that keeps a dirty tree, else null. */
  readonly ref: string | null
  /** URL of the remote without credentials, else null. */
  readonly remote: string | null
  /** Branch, else null. */
  readonly branch: string | null
  /** Outside git: the artifact that holds the sources, so that the run can be made again in spite of that. */
  readonly archive?: Digest | null
}

/** State of a run; all but `running` are terminal. */
export type RunStatus = 'running' | 'complete' | 'failed' | 'canceled'

/** What became of a step. */
export type Outcome = 'executed' | 'reused' | 'failed' | 'skipped' | 'canceled'

/** Why a step or run failed, as recorded. */
export interface Failure {
  /** `ZEN_STEP_EXIT`, `ZEN_STEP_ERROR`, `ZEN_STEP_MEMORY`, `ZEN_STEP_TIMEOUT`, `ZEN_STEP_SIGNAL`, `ZEN_RUN_LOST` … */
  readonly code: string
  readonly message: string
  /** Stack in terms of the user's source, where there is one. */
  readonly stack?: string
}

/** What a step that works item by item had made when it did not complete: the next execution goes on from there. */
export interface KeptWork {
  readonly done: number
  /** `items` */
  readonly unit: string
}

/** Such as `1,200 items`. */
export function workDone({ done, unit }: KeptWork): string {
  return `${done.toLocaleString('en-US')} ${unit}`
}

/** What a run read of a datasource. */
export interface SourceUse {
  /** Over content, format and options: what went into the identity of the step that read it. */
  readonly identity: Digest
  /** The artifact that holds what a source gave that is no local file, else null. */
  readonly staged: Digest | null
  /** What the source said of its version, else null. */
  readonly version: string | null
  /** The commit that was used, else null. */
  readonly commit: string | null
  /** The snapshot that was named by commit or digest, else null. */
  readonly snapshot: Digest | null
}

/** A run as the metadata store remembers it. */
export interface RunRecord {
  /** 16 hex digits. */
  readonly id: string
  readonly pipeline: string
  readonly status: RunStatus
  readonly seed: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Milliseconds since the epoch; null while it runs. */
  readonly endedAt: number | null
  readonly code: CodePin
  /** The pinned declarative configuration. */
  readonly spec: PipelineSpec
  /** Facts of the environment: node, platform, arch, lockfile digest … */
  readonly environment: JsonObject
  /** What its datasources were, by name; without those of runs that were recorded before this was. */
  readonly sources: { readonly [name: string]: SourceUse }
  /** In the order of the graph. */
  readonly steps: readonly StepRecord[]
  readonly error: Failure | null
  /** The run that it made again, else null. */
  readonly rerunOf: string | null
  /** The newest verification of all its steps, else null. */
  readonly verification: Verification | null
  /** False where the run was told to reuse nothing. */
  readonly reuse: boolean
}

/** A step of a run as the metadata store remembers it. */
export interface StepRecord {
  readonly name: string
  /** Null while it is still running or waiting. */
  readonly outcome: Outcome | null
  /** Id of the execution in the metadata store; null where none was recorded (skipped). */
  readonly execution: number | null
  /** Id of the execution whose outputs were reused, else null. */
  readonly reusedFrom: number | null
  readonly identity: Identity | null
  /** `steps/train.ts#train` */
  readonly source: string
  readonly parameters: JsonObject
  /** Milliseconds since the epoch; null where it never started. */
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly inputs: { readonly [input: string]: StoredArtifact }
  readonly outputs: { readonly [output: string]: StoredArtifact }
  /** The captured stdout and stderr, where the step ran. */
  readonly log: Digest | null
  /** What the step reported (per-epoch metrics, counts); plain data. */
  readonly metrics: JsonObject
  /** What it touched outside of its declared inputs. */
  readonly touches: readonly Touch[]
  readonly error: Failure | null
  /** What it kept of its work when it did not complete; null where it kept nothing, and in records from before this was told. */
  readonly kept: KeptWork | null
  /** Why earlier executions of the same identity could not stand for it, a sentence each: their outputs are missing or damaged. */
  readonly refused: readonly string[]
}
