import { openProject } from '../../project/open-project.ts'
import { nondeterminismOf } from '../../run/nondeterminism.ts'
import type { CommandFunction } from '../command.ts'
import { runDocument } from '../run-document.ts'
import { runDetails } from '../run-summary.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const run = (await project.records.getRun(await project.records.resolveRun(args[0]!)))!
  const nondeterminism = await nondeterminismOf(project.records, run)
  terminal.result(runDocument(run, nondeterminism), () => runDetails(run, terminal.colors, nondeterminism))
  return 0
}
