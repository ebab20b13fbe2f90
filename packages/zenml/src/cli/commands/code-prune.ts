import { pruneCode } from '../../project/code-snapshots.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, options }) => {
  await using project = await openProject(cli.directory)
  const dryRun = options['dryRun'] === true
  const { removed, young } = await pruneCode(project, { dryRun })
  terminal.result(document({ dryRun, removed, young }), () => {
    const lines = [
      ...removed.map((ref) => `${(dryRun ? 'would remove' : 'removed').padEnd(12)}  ${ref}`),
      ...young.map((ref) => `${'too young'.padEnd(12)}  ${ref}`),
    ]
    return lines.length === 0 ? 'Every ref below refs/zenml belongs to a run.' : lines.join('\n')
  })
  return 0
}
