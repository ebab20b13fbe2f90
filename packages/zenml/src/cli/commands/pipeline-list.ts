import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const pipelines = await project.records.listPipelines()
  terminal.result(document({ pipelines }), () => {
    if (pipelines.length === 0) return 'No pipeline has run yet. Start one with "zenml pipeline run FILE".'
    const rows = pipelines.map(({ name, runs, lastRun, lastStatus, lastStartedAt }) => [
      name,
      String(runs),
      lastRun,
      lastStatus,
      time(lastStartedAt),
    ])
    return table(['PIPELINE', 'RUNS', 'LAST RUN', 'STATUS', 'STARTED (UTC)'], rows, terminal.colors.bold)
  })
  return 0
}
