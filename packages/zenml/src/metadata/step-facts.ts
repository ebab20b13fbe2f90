import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity, ObservedLeaf } from '../model/fingerprint.ts'
import type { Failure, KeptWork, StepRecord } from '../model/run.ts'
import type { Touch } from '../model/touch.ts'

/** What a step is before it has run. */
export interface StepFacts {
  readonly name: string
  readonly source: string
  readonly parameters: JsonObject
  readonly identity: Identity
  readonly inputs: { readonly [input: string]: StoredArtifact }
  /** Artifact type to its simple type. */
  readonly bases: { readonly [type: string]: string }
  /** Of a step that works item by item: digest of all that decides what it gives but the items. The name of its `item_cache` context. */
  readonly increment?: Digest
}

/** A step as it starts. */
export interface StepStart extends StepFacts {
  readonly startedAt: number
  /** Why earlier executions of the same identity could not stand for it, a sentence each. Default none. */
  readonly refused?: readonly string[]
}

/** How a step ended. */
export interface StepEnd {
  readonly outcome: 'executed' | 'failed' | 'canceled'
  readonly endedAt: number
  /** With what was observed. */
  readonly identity: Identity
  readonly outputs: { readonly [output: string]: StoredArtifact }
  readonly bases: { readonly [type: string]: string }
  readonly log: Digest | null
  readonly metrics: JsonObject
  /** What it touched outside of its declared inputs. */
  readonly touches: readonly Touch[]
  readonly error: Failure | null
  /** Of a step that works item by item and did not complete: what it had made by then. */
  readonly partial?: PartialResults
}

/** What a step that works item by item has made, with all that this stands on: one is never believed without the other. */
export interface PartialResults extends KeptWork {
  readonly outputs: { readonly [output: string]: StoredArtifact }
  /** What the execution was seen to depend on. */
  readonly observed: ObservedLeaf
  readonly touches: readonly Touch[]
}

/** A step for which an earlier execution stands. */
export interface ReusedStep extends StepFacts {
  readonly outputs: { readonly [output: string]: StoredArtifact }
  /** Id of the earlier execution. */
  readonly from: number
  readonly at: number
  readonly metrics: JsonObject
  readonly log: Digest | null
  readonly touches: readonly Touch[]
}

/** An earlier execution that completed. */
export interface PriorExecution extends Pick<StepRecord, 'outputs' | 'metrics' | 'log' | 'touches'> {
  readonly execution: number
  readonly run: string
  readonly identity: Identity
}

/** An execution from which results of items may be taken over: one that completed, or one that kept what it had made when it did not. */
export interface PreviousExecution extends Pick<PartialResults, 'outputs' | 'touches'> {
  readonly execution: number
  readonly run: string
  readonly complete: boolean
  /** Undefined in records of before files were observed. */
  readonly observed: ObservedLeaf | undefined
}

/** A step as runs have used it. */
export interface StepUse {
  readonly name: string
  readonly source: string
  readonly pipelines: readonly string[]
  readonly executions: number
  readonly lastRun: string
}
