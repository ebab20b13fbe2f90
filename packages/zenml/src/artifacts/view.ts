import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../base/errors.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { ArtifactStore } from './artifact-store.ts'

/** What a view shows: the outputs of a run's steps. */
export interface ViewOf {
  readonly run: string
  readonly pipeline: string
  readonly steps: { readonly [step: string]: { readonly [output: string]: StoredArtifact } }
}

/**
 * Makes the artifacts of a run browsable by human names: `ROOT/pipeline/run/step/output/files`, links into the store, and
 * `ROOT/pipeline/latest` that names the newest. It is seen as a whole or not at all.
 */
export async function writeView(store: ArtifactStore, root: string, { run, pipeline, steps }: ViewOf): Promise<void> {
  const target = join(root, pipeline, run)
  const part = join(root, `.${run}-${randomBytes(4).toString('hex')}`)
  await mkdir(dirname(target), { recursive: true })
  try {
    await mkdir(part)
    await Promise.all(
      Object.entries(steps).flatMap(([step, outputs]) =>
        Object.entries(outputs).map(async ([output, { digest }]) => {
          const directory = join(part, step, output)
          await mkdir(directory, { recursive: true })
          await store.materialise(digest, directory)
        }),
      ),
    )
    await rename(part, target)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error
  }
  const link = join(root, pipeline, `.latest-${randomBytes(4).toString('hex')}`)
  await symlink(run, link)
  await rename(link, join(root, pipeline, 'latest'))
}
