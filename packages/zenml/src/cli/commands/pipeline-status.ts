import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { runDocument } from '../run-document.ts'
import { runDetails } from '../run-summary.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const run = (await project.records.getRun(await project.records.resolveRun(args[0]!)))!
  terminal.result(runDocument(run), () => runDetails(run, terminal.colors))
  return 0
}
