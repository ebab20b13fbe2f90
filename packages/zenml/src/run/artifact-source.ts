import { ZenmlError } from '../base/errors.ts'
import type { ArtifactDatasource } from '../model/datasource-spec.ts'
import { stagedSource } from './fetch-source.ts'
import { namedArtifact } from './named-artifact.ts'
import type { PlannedSource } from './plan.ts'
import type { Workspace } from './workspace.ts'

/**
 * Finds the Examples in the artifact store that a datasource names: by digest, as an output of a run, or as that of the newest complete run of a
 * pipeline. Nothing is copied: the run records the digest, and that is what it is made again from.
 *
 * Throws `ZEN_ARTIFACT_UNKNOWN`, `ZEN_ARTIFACT_TYPE` for another type, `ZEN_EXAMPLES_SPLIT` for a split that it has not, and what checking an artifact
 * throws.
 */
export async function artifactSource(workspace: Workspace, spec: ArtifactDatasource): Promise<PlannedSource> {
  const { digest, origin } = await namedArtifact(workspace, spec)
  const manifest = await workspace.artifacts.manifest(digest)
  if (manifest !== undefined && manifest.type !== 'Examples')
    throw new ZenmlError(
      'ZEN_ARTIFACT_TYPE',
      `${origin ?? digest} is of type ${manifest.type}; only Examples have rows.`,
      {
        facts: { digest, type: manifest.type },
        next: 'See "zenml artifact list --type Examples".',
      },
    )
  return await stagedSource(workspace, spec, digest, origin)
}
