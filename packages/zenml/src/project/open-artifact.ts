import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Project } from './open-project.ts'
import { resolveReference } from './resolve-reference.ts'

/** An artifact laid out for reading. Closes itself: nothing of it stays. */
export interface OpenArtifact extends AsyncDisposable {
  readonly digest: Digest
  readonly type: string
  readonly properties: JsonObject
  readonly directory: string
  /** Digest of each file by its path, from the artifact's manifest. */
  readonly digests: ReadonlyMap<string, string>
}

/**
 * Lays out an artifact of one of some types; see `resolveReference` for how it is named.
 *
 * Throws `ZEN_ARTIFACT_TYPE` for an artifact of another type, and what resolving and laying out an artifact throw.
 */
export async function openArtifact(
  project: Project,
  reference: string,
  types: readonly string[],
): Promise<OpenArtifact> {
  const digest = await resolveReference(project, reference)
  const { type, properties } = (await project.records.getArtifact(digest))!
  if (!types.includes(type)) {
    throw new ZenmlError('ZEN_ARTIFACT_TYPE', `${reference} is of type ${type}, but ${types.join(' or ')} is needed.`, {
      facts: { digest, type, expected: [...types] },
      next: `See "zenml artifact list --type ${types[0]}".`,
    })
  }
  const directory = await mkdtemp(join(project.workspace.temporaryDirectory, `artifact-${process.pid}-`))
  try {
    await project.artifacts.materialise(digest, directory)
    const { files } = (await project.artifacts.manifest(digest))!
    return {
      digest,
      type,
      properties,
      directory,
      digests: new Map(files.map((file) => [file.path, file.digest])),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}
