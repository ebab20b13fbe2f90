import { pathToFileURL } from 'node:url'
import { describeMetadata } from '../../project/metadata-config.ts'
import { resolveIn } from '../../project/project-config.ts'
import { storesOfProject } from '../../project/set-stores.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  const { config, root, home } = await storesOfProject(cli.directory)
  terminal.result(document({ root, ...config }), () =>
    table(
      ['SETTING', 'VALUE'],
      [
        ['root', root],
        ['metadata', describeMetadata(config.metadata)],
        ['artifacts', pathToFileURL(resolveIn(home, config.artifacts.path)).href],
        ['data roots', config.data.roots.join(', ') || 'none'],
      ],
      terminal.colors.bold,
    ),
  )
  return 0
}
