import { printConfig } from '../../config/print-config.ts'
import { openProject } from '../../project/open-project.ts'
import { pinsOf } from '../../run/pins.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const run = (await project.records.getRun(await project.records.resolveRun(args[0]!)))!
  const pins = pinsOf(run)
  const text = await printConfig(run.spec, pins)
  terminal.result(document({ spec: run.spec, pins }), () => text.trimEnd())
  return 0
}
