import { printConfig } from '../../config/print-config.ts'
import { openProject } from '../../project/open-project.ts'
import { storesOf } from '../../project/pipeline-stores.ts'
import { pinnedRun } from '../../run/pinned-run.ts'
import { pinsOf } from '../../run/pins.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const run = (await project.records.getRun(await project.records.resolveRun(args[0]!)))!
  const pins = pinsOf(pinnedRun(run))
  const stores = run.spec.stores ?? storesOf(project.config, project.root, project.home)
  const spec = { ...run.spec, ...(stores === undefined ? {} : { stores }) }
  const text = await printConfig(spec, pins)
  terminal.result(document({ spec, pins }), () => text.trimEnd())
  return 0
}
