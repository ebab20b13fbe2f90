import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isArtifactPath, type StoredArtifact } from '../model/artifact.ts'
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
 *
 * Throws `ZEN_VIEW_NAME` for a name that would lead out of its folder.
 */
export async function writeView(store: ArtifactStore, root: string, { run, pipeline, steps }: ViewOf): Promise<void> {
  for (const name of [
    pipeline,
    run,
    ...Object.entries(steps).flatMap(([step, outputs]) => [step, ...Object.keys(outputs)]),
  ]) {
    if (name.includes('/') || !isArtifactPath(name)) {
      throw new ZenmlError('ZEN_VIEW_NAME', `${JSON.stringify(name)} cannot be the name of a folder in the view.`, {
        facts: { name },
        next: 'Name pipelines, steps and outputs by letters, digits, "-" and "_".',
      })
    }
  }
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
