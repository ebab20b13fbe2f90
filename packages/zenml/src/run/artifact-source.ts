import { type Digest, isDigest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { ArtifactDatasource } from '../model/datasource-spec.ts'
import { stagedSource } from './fetch-source.ts'
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
  const { digest, origin } = await resolve(workspace, spec)
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

async function resolve(
  { records }: Workspace,
  { artifact, pipeline, output }: ArtifactDatasource,
): Promise<{ readonly digest: Digest; readonly origin: string | null }> {
  if (artifact !== undefined) {
    // By its whole digest, it need not be on record: rows that were given in TypeScript are in the store only.
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
