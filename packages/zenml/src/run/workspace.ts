import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import type { Backend } from '../backends/backend.ts'
import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { RunRecords } from '../metadata/run-records.ts'
import type { ProcessMark } from '../metadata/runs.ts'
import type { FileDigestCache } from '../sources/resolve-source.ts'

/** Versions of a Node, without `v`. */
export interface NodeFacts {
  /** Part of every identity. */
  readonly node: string
  readonly v8: string
}

/** Everything that a run needs from the project; put together by the composition root. */
export interface Workspace {
  /** The repository's root (or the project's folder outside git): what configurations are relative to. */
  readonly root: string
  /** Caches that can be deleted at any time. */
  readonly cacheDirectory: string
  /** Where steps run; one folder a run. */
  readonly temporaryDirectory: string
  /** The browsable view. */
  readonly viewDirectory: string
  /** Folders outside of the root that datasources may read. */
  readonly dataRoots: readonly string[]
  /** Executable of the Node that runs the steps. */
  readonly node: string
  /** Its versions. */
  readonly nodeFacts: NodeFacts
  /** The built entry point of steps. */
  readonly host: string
  readonly records: RunRecords
  readonly artifacts: ArtifactStore
  readonly backend: Backend
  readonly fileDigests: FileDigestCache
  readonly clock: Clock
  readonly ids: Ids
  /** Marks this process, so that a run that lost its process is recognised. */
  readonly process: ProcessMark
  /** Whether the process behind a mark is gone; undefined where it cannot be told (another host). */
  isGone(mark: ProcessMark): boolean | undefined
  /** The variables that steps may declare. */
  readonly environment: { readonly [name: string]: string | undefined }
}
