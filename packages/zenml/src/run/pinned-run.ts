import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Identity } from '../model/fingerprint.ts'
import { type PipelineSpec, parseInputReference } from '../model/pipeline-spec.ts'
import type { CodePin, RunRecord, SourceUse } from '../model/run.ts'

/** All that is needed to make a run again: from the metadata store, or from the configuration that was printed of it. */
export interface PinnedRun {
  readonly id: string
  readonly spec: PipelineSpec
  readonly code: CodePin
  /** Facts of the machine: node, platform … */
  readonly environment: JsonObject
  /** By name: of datasources that are no local files or in a named version, what was read of them. */
  readonly sources: { readonly [name: string]: SourceUse }
  /** By name; what never ran is not in it. */
  readonly steps: { readonly [step: string]: PinnedStep }
}

/** What a step was and gave. */
export interface PinnedStep {
  readonly identity: Identity
  /** Output name to artifact type and digest. */
  readonly outputs: { readonly [output: string]: { readonly type: string; readonly digest: Digest } }
}

/** What the record of a run pins. A step that gave nothing (failed, canceled, skipped) pins nothing. */
export function pinnedRun(run: RunRecord): PinnedRun {
  return {
    id: run.id,
    spec: run.spec,
    code: run.code,
    environment: run.environment,
    // Of a local file, the identities of the steps say all.
    sources: Object.fromEntries(
      Object.entries(run.sources).filter(([, { staged, commit, snapshot }]) => staged ?? commit ?? snapshot),
    ),
    steps: Object.fromEntries(
      run.steps.flatMap(({ name, identity, outputs, outcome }) =>
        identity !== null && (outcome === 'executed' || outcome === 'reused') ? [[name, { identity, outputs }]] : [],
      ),
    ),
  }
}

/** The digests of all files that gave code to a run, by path relative to the repository. */
export function filesOf({ steps }: PinnedRun): { readonly [path: string]: Digest } {
  return Object.assign({}, ...Object.values(steps).map(({ identity }) => identity.fingerprint.code.files))
}

/** The identities of the datasources that a run has read, by name. */
export function sourceIdentities({ spec, steps }: PinnedRun): ReadonlyMap<string, Digest> {
  const found = new Map<string, Digest>()
  for (const [name, { identity }] of Object.entries(steps)) {
    for (const [input, from] of Object.entries(spec.steps[name]?.inputs ?? {})) {
      const reference = parseInputReference(from)
      const leaf = identity.fingerprint.inputs[input]
      if (reference?.kind === 'datasource' && leaf !== undefined) found.set(reference.name, leaf.digest)
    }
  }
  return found
}

/** The digests of what other runs gave to a run, by name; undefined: it was optional, and nothing had given it yet. */
export function pinnedArtifacts({ spec, steps }: PinnedRun): ReadonlyMap<string, Digest | undefined> {
  const found = new Map<string, Digest | undefined>()
  for (const [name, { identity }] of Object.entries(steps)) {
    for (const [input, from] of Object.entries(spec.steps[name]?.inputs ?? {})) {
      const reference = parseInputReference(from)
      const leaf = identity.fingerprint.inputs[input]
      if (reference?.kind === 'artifact') found.set(reference.name, leaf?.digest)
    }
  }
  return found
}
