import { ZenmlError } from '../base/errors.ts'
import type { LoadedPipeline } from '../project/load-pipeline.ts'
import { openProject, type Project } from '../project/open-project.ts'
import { hasOtherStores } from '../project/pipeline-stores.ts'
import { PlanError } from '../run/plan.ts'
import type { CliEnvironment } from './terminal.ts'

/** The project with the stores that the pipeline names, where they are not its own. */
export async function openStores(
  { config, root, home }: Project,
  { spec, file, locate }: LoadedPipeline,
  { directory, environment }: CliEnvironment,
): Promise<Project | undefined> {
  const { stores } = spec
  if (stores === undefined || !hasOtherStores(config, root, home, stores)) return undefined
  try {
    return await openProject(directory, { environment, stores })
  } catch (error) {
    if (!(error instanceof ZenmlError) || error.code !== 'ZEN_CONFIG_STORE') throw error
    const path = String(error.facts['path'])
    throw new PlanError([{ code: error.code, message: error.message, file, path, ...locate(path) }])
  }
}
