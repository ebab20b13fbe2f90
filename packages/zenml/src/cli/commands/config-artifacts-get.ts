import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const { artifacts } = project.config
  terminal.result(document({ artifacts, uri: project.artifacts.uri }), () => project.artifacts.uri)
  return 0
}
