import { type Digest, isDigest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { ArtifactName } from '../model/artifact-name.ts'
import type { Workspace } from './workspace.ts'

/** An artifact that was found by its name. */
export interface NamedArtifact {
  readonly digest: Digest
  /** `RUN/step.output` with the whole id, where a run was named. */
  readonly origin: string | null
}

/**
 * Finds an artifact as it is named now: by digest, as an output of a run, or as that of the newest complete run of a pipeline. A whole digest need not be
 * on record: rows that were given in TypeScript are in the store only.
 *
 * Throws `ZEN_ARTIFACT_UNKNOWN`, `ZEN_ARTIFACT_AMBIGUOUS`, and what `resolveRun` throws.
 */
export async function namedArtifact(
  { records }: Pick<Workspace, 'records'>,
  { artifact, pipeline, output }: ArtifactName,
): Promise<NamedArtifact> {
  if (artifact !== undefined) {
    if (isDigest(artifact)) return { digest: artifact, origin: null }
    const [run, ...rest] = artifact.split('/')
    if (rest.length === 0) return { digest: await records.resolveArtifact(artifact), origin: null }
    const origin = `${await records.resolveRun(run!)}/${rest.join('/')}`
    return { digest: await records.resolveArtifact(origin), origin }
  }
  const [newest] = await records.listRuns({ pipeline: pipeline!, status: 'complete', limit: 1 })
  if (newest === undefined)
    throw new ZenmlError('ZEN_ARTIFACT_UNKNOWN', `Pipeline "${pipeline}" has no complete run yet.`, {
      facts: { pipeline: pipeline! },
      next: 'Run it first, or see "zenml pipeline list".',
      exitCode: 1,
    })
  const origin = `${newest.id}/${output}`
  return { digest: await records.resolveArtifact(origin), origin }
}
