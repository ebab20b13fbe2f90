import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveSources, sourceArchiveType, writeSources } from '../code/source-archive.ts'
import type { CodePin } from '../model/run.ts'
import type { Plan } from './plan.ts'
import type { Workspace } from './workspace.ts'

/**
 * The pin of a run's code, with an archive of the sources in the artifact store where no repository holds them: such a run can be
 * made again too. Throws `ZEN_CODE_CHANGED` where a file is no longer what the plan's bundles were made of.
 */
export async function keepCode(workspace: Workspace, plan: Plan, pin: CodePin): Promise<CodePin> {
  if (pin.tree !== null || (pin.archive ?? null) !== null) return pin
  const place = await mkdtemp(join(workspace.temporaryDirectory, `code-${process.pid}-`))
  try {
    const sources = await archiveSources({
      root: workspace.root,
      files: Object.assign({}, ...plan.steps.map(({ bundle }) => bundle.files)),
      sources: [...new Set(plan.steps.map(({ spec }) => spec.source))],
    })
    const directory = join(place, 'sources')
    await writeSources(sources, directory)
    const { digest } = await workspace.artifacts.put(sourceArchiveType, directory, { move: true })
    return { ...pin, archive: digest }
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}
