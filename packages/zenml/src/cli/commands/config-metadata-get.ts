import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const { metadata } = project.config
  terminal.result(document({ metadata }), () => `${metadata.type} ${metadata.path}`)
  return 0
}
