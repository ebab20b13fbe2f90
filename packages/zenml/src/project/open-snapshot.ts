import type { Digest } from '../base/digest.ts'
import { type ExamplesReader, openExamples } from '../formats/examples.ts'
import { openArtifact } from './open-artifact.ts'
import type { Project } from './open-project.ts'

/** An Examples artifact laid out for reading. Closes itself: nothing of it stays. */
export interface OpenSnapshot extends AsyncDisposable {
  readonly digest: Digest
  readonly examples: ExamplesReader
  /** Digest of each file by its path, from the artifact's manifest. */
  readonly digests: ReadonlyMap<string, string>
}

/**
 * Opens an Examples artifact by digest, a unique prefix of it, `RUN/step.output`, or the name of a datasource (its newest commit, or
 * `NAME@COMMIT`).
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
  const artifact = await openArtifact(project, name, ['Examples'])
  try {
    const { digest, digests, directory } = artifact
    const dispose = (): PromiseLike<void> => artifact[Symbol.asyncDispose]()
    return { digest, digests, examples: await openExamples(directory), [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await artifact[Symbol.asyncDispose]()
    throw error
  }
}
