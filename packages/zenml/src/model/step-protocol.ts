import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Failure } from './run.ts'
import type { SourceFile } from './source-files.ts'
import type { Touch } from './touch.ts'

/**
 * What the one entry point of a step is given, as `input.json` in the step's directory. The same for a local process, a
 * container and a cluster job. Paths are relative to that directory, so that it can be moved as a whole.
 */
export interface StepInput {
  readonly format: 1
  readonly step: string
  /** The step's own bundle (`step.mjs`); its default export is the step. */
  readonly bundle: string
  readonly parameters: JsonObject
  /** Seed of this step. */
  readonly seed: number
  readonly inputs: { readonly [input: string]: StepInputArtifact | StepInputSource }
  /** Output name to the directory (it exists and is empty) and the artifact type. */
  readonly outputs: { readonly [output: string]: { readonly type: string; readonly path: string } }
  /**
   * Of a step that works item by item: what an earlier execution gave that differs in nothing but the items, by output. Left out where
   * there is none.
   */
  readonly previous?: { readonly [output: string]: { readonly type: string; readonly path: string } }
  /** What is watched while it runs; null: nothing is. */
  readonly trace: TraceInput | null
}

/** What the runner must know to tell what a step touches outside of its declared inputs. */
export interface TraceInput {
  /** Absolute path of the repository on this machine: files in it are named relative to it. Gone with this file, stored nowhere. */
  readonly repository: string
  /** Absolute folders, without links, of all packages that are part of the step's identity: their files are known. */
  readonly packages: readonly string[]
  /** Names of the variables that the step declares. */
  readonly variables: readonly string[]
  /** Whether the first undeclared touch is an error. */
  readonly strict: boolean
}

/** An artifact that the step reads. */
export interface StepInputArtifact {
  readonly kind: 'artifact'
  readonly type: string
  /** Directory with the artifact's files, read-only. */
  readonly path: string
}

/** Files of a datasource that the step reads. */
export interface StepInputSource {
  readonly kind: 'source'
  readonly format: string
  readonly options: JsonObject
  /** In reading order. */
  readonly files: readonly SourceFile[]
}

/** What the entry point leaves as `output.json`, written last and renamed into place. */
export interface StepOutput {
  readonly format: 1
  readonly status: 'complete' | 'failed'
  readonly error: Failure | null
  readonly metrics: JsonObject
  /** Facts by output for the artifact's properties. */
  readonly properties: { readonly [output: string]: JsonObject }
  /** Whether the step asked for its seed or for any randomness. */
  readonly usedSeed: boolean
  /** Whether it looked at what an earlier execution gave. */
  readonly usedPrevious: boolean
  /** What it kept of its work when it did not complete: the directories are `partial/<output>`. Null where it kept nothing. */
  readonly partial: StepPartial | null
  /** What it touched outside of its declared inputs, sorted. */
  readonly touches: readonly Touch[]
  /** What it read of the repository outside of its inputs; see `ObservedLeaf`. */
  readonly observed: { readonly files: { readonly [path: string]: Digest | null } }
  /** Files of packages that it loaded or looked for, relative, by the package's folder on this machine. Recorded nowhere. */
  readonly loaded: { readonly [directory: string]: readonly string[] }
}

/** Partial results as their step tells of them. */
export interface StepPartial {
  /** How many units of its work are in them. */
  readonly done: number
  /** `items`, `groups` … */
  readonly unit: string
}

/** One line of JSON on file descriptor 3 while a step runs. */
export type StepEvent =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | null; readonly unit: string }
  | { readonly kind: 'metric'; readonly name: string; readonly value: number; readonly at: number | null }
