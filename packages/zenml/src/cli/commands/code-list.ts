import { listSnapshots } from '../../project/code-snapshots.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const snapshots = await listSnapshots(project)
  terminal.result(document({ snapshots }), () => {
    if (snapshots.length === 0) return 'No snapshots: every run was made from a commit.'
    const rows = snapshots.map(({ tree, base, here, runs }) => [
      tree.slice(0, 10),
      base === null ? 'no commit' : base.slice(0, 10),
      here ? 'yes' : 'no',
      String(runs.length),
      runs[0] === undefined ? '' : `${runs[0].id} (${runs[0].pipeline}, ${time(runs[0].startedAt)})`,
    ])
    return table(['TREE', 'CHANGES ON', 'HERE', 'RUNS', 'LAST RUN (UTC)'], rows, terminal.colors.bold)
  })
  return 0
}
