import { ZenmlError } from '../../base/errors.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { lineageTree } from '../lineage-tree.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const direction = (options['direction'] ?? 'both') as 'up' | 'down' | 'both'
  if (!['up', 'down', 'both'].includes(direction))
    throw new ZenmlError('ZEN_USAGE', `--direction takes up, down or both, not "${direction}".`)
  await using project = await openProject(cli.directory)
  const digest = await project.records.resolveArtifact(args[0]!)
  const lineage = await project.records.lineage(digest, direction)
  terminal.result(document({ artifact: digest, direction, ...lineage }), () =>
    lineageTree(digest, lineage, direction, terminal.colors),
  )
  return 0
}
