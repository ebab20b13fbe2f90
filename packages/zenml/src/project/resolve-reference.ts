import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { commitOf, commitsOf } from '../run/commits.ts'
import type { Project } from './open-project.ts'

/**
 * The digest of what a reference names: `sha256:…` or a unique prefix of a digest, `RUN/step.output`, `NAME` (the newest commit of a
 * datasource) or `NAME@COMMIT`. A word that is the name of a datasource with commits is that datasource, also where digests begin so.
 *
 * Throws `ZEN_COMMIT_UNKNOWN`, `ZEN_ARTIFACT_UNKNOWN` and `ZEN_ARTIFACT_AMBIGUOUS`.
 */
export async function resolveReference({ records }: Pick<Project, 'records'>, reference: string): Promise<Digest> {
  if (reference.includes('/') || reference.startsWith('sha256:')) return await records.resolveArtifact(reference)
  const at = reference.indexOf('@')
  const name = at < 0 ? reference : reference.slice(0, at)
  const wanted = at < 0 ? 'latest' : reference.slice(at + 1)
  if (wanted !== 'latest') return await committed(records, name, wanted)
  for await (const { commit } of commitsOf(records, name)) return commit.digest
  if (at < 0 && /^[0-9a-f]+$/.test(reference)) return await records.resolveArtifact(reference)
  throw unknown(
    name,
    at < 0
      ? `"${name}" is no digest, and no datasource of that name has a commit.`
      : `Datasource "${name}" has no commit yet.`,
  )
}

async function committed(records: Project['records'], name: string, prefix: string): Promise<Digest> {
  const known = /^[0-9a-f]{1,16}$/.test(prefix)
  const id = known ? await records.resolveRun(prefix).catch(orNone) : undefined
  const run = id === undefined ? undefined : await records.getRun(id)
  const commit = run && commitOf(run)
  if (commit?.datasource !== name) throw unknown(name, `"${prefix}" is no commit of datasource "${name}".`)
  return commit.digest
}

function orNone(error: unknown): undefined {
  if (error instanceof ZenmlError && error.code === 'ZEN_RUN_UNKNOWN') return undefined
  throw error
}

function unknown(name: string, message: string): ZenmlError {
  return new ZenmlError('ZEN_COMMIT_UNKNOWN', message, {
    facts: { datasource: name },
    next: `See "zenml datasource commits ${name}", or name a snapshot as RUN/step.output.`,
  })
}
