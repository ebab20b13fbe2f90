import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const { config, root } = project
  terminal.result(document({ root, ...config }), () =>
    table(
      ['SETTING', 'VALUE'],
      [
        ['root', root],
        ['metadata', `${config.metadata.type} ${config.metadata.path}`],
        ['artifacts', project.artifacts.uri],
        ['data roots', config.data.roots.join(', ') || 'none'],
      ],
      terminal.colors.bold,
    ),
  )
  return 0
}
