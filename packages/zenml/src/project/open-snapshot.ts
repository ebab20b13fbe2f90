import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { type ExamplesReader, openExamples } from '../formats/examples.ts'
import type { Project } from './open-project.ts'

/** An Examples artifact laid out for reading. Closes itself: nothing of it stays. */
export interface OpenSnapshot extends AsyncDisposable {
  readonly digest: Digest
  readonly examples: ExamplesReader
  /** Digest of each file by its path, from the artifact's manifest. */
  readonly digests: ReadonlyMap<string, string>
}

/**
 * Opens an Examples artifact by digest, a unique prefix of it, or `RUN/step.output`.
 *
 * Throws `ZEN_ARTIFACT_TYPE` for an artifact of another type, and what resolving and laying out an artifact throw.
 *
 * @example
 * await using project = await openProject(directory)
 * for (const { digest } of await project.records.listArtifacts({ type: 'Examples', limit: 1 })) {
 *   await using snapshot = await openSnapshot(project, digest)
 *   console.log(snapshot.examples.rows('all'))
 * }
 */
export async function openSnapshot(project: Project, name: string): Promise<OpenSnapshot> {
  const digest = await project.records.resolveArtifact(name)
  const { type } = (await project.records.getArtifact(digest))!
  if (type !== 'Examples') {
    throw new ZenmlError('ZEN_ARTIFACT_TYPE', `${name} is of type ${type}; only Examples have rows.`, {
      facts: { digest, type },
      next: 'See "zenml artifact list --type Examples".',
    })
  }
  const directory = await mkdtemp(join(project.workspace.temporaryDirectory, `snapshot-${process.pid}-`))
  try {
    await project.artifacts.materialise(digest, directory)
    const { files } = (await project.artifacts.manifest(digest))!
    return {
      digest,
      examples: await openExamples(directory),
      digests: new Map(files.map((file) => [file.path, file.digest])),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}
