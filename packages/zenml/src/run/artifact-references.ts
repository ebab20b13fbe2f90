import { artifactUri } from '../artifacts/artifact-store.ts'
import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { ArtifactReference } from '../model/pipeline-spec.ts'
import { namedArtifact } from './named-artifact.ts'
import { type PinnedRun, pinnedArtifacts } from './pinned-run.ts'
import type { Workspace } from './workspace.ts'

/** Finds an artifact of another run that a pipeline names; undefined: an optional one that nothing has given yet. */
export type ArtifactFinder = (name: string, reference: ArtifactReference) => Promise<StoredArtifact | undefined>

type Stores = Pick<Workspace, 'records' | 'artifacts'>

/**
 * Finds artifacts as they are named now: by digest, as an output of a run, or as that of the newest complete run of a pipeline. What is found is an
 * input like any other: its digest is in the identity of the step that takes it.
 *
 * Throws `ZEN_ARTIFACT_UNKNOWN`, `ZEN_ARTIFACT_TYPE` for another type than the reference says, and `ZEN_ARTIFACT_MISSING` where the store has lost it.
 */
export function presentArtifacts(stores: Stores): ArtifactFinder {
  return async (name, reference) => await stored(stores, name, reference, await digestOf(stores, reference))
}

/** Finds the artifacts that a past run was given, whatever its references would name now. */
export function pastArtifacts(stores: Stores, pinned: PinnedRun): ArtifactFinder {
  const digests = pinnedArtifacts(pinned)
  return async (name, reference) => {
    // A step that never ran has no record of what it would have been given.
    const digest = digests.has(name) ? digests.get(name) : await digestOf(stores, reference)
    return await stored(stores, name, reference, digest)
  }
}

async function digestOf(stores: Stores, reference: ArtifactReference): Promise<Digest | undefined> {
  try {
    return (await namedArtifact(stores, reference)).digest
  } catch (error) {
    // No complete run, or one from before there was such an output.
    if (reference.optional === true && error instanceof ZenmlError && error.code === 'ZEN_ARTIFACT_UNKNOWN')
      return undefined
    throw error
  }
}

async function stored(
  { records, artifacts }: Stores,
  name: string,
  { type }: ArtifactReference,
  digest: Digest | undefined,
): Promise<StoredArtifact | undefined> {
  if (digest === undefined) return undefined
  const known = await records.getArtifact(digest)
  const manifest = await artifacts.manifest(digest)
  if (manifest === undefined)
    throw new ZenmlError('ZEN_ARTIFACT_MISSING', `The store does not hold ${digest}.`, {
      facts: { artifact: name, digest },
      next: 'Restore the artifact store, or run the pipeline that makes it again.',
      exitCode: 1,
    })
  if (manifest.type !== type)
    throw new ZenmlError('ZEN_ARTIFACT_TYPE', `${digest} is of type ${manifest.type}, not ${type}.`, {
      facts: { artifact: name, digest, type: manifest.type },
    })
  return {
    type,
    digest,
    uri: known?.uri ?? artifactUri(artifacts.uri, digest),
    size: manifest.files.reduce((sum, { size }) => sum + size, 0),
    properties: known?.properties ?? {},
  }
}
