import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const steps = await project.records.listSteps()
  terminal.result(document({ steps }), () => {
    if (steps.length === 0) return 'No step has run yet.'
    const rows = steps.map(({ name, source, pipelines, executions, lastRun }) => [
      name,
      source,
      pipelines.join(', '),
      String(executions),
      lastRun,
    ])
    return table(['STEP', 'SOURCE', 'PIPELINES', 'EXECUTIONS', 'LAST RUN'], rows, terminal.colors.bold)
  })
  return 0
}
