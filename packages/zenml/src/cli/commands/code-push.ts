import { pushSnapshots } from '../../project/code-snapshots.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args, signal }) => {
  await using project = await openProject(cli.directory)
  const remote = args[0] ?? 'origin'
  const { pushed, upToDate } = await pushSnapshots(project, remote, signal)
  terminal.result(document({ remote, pushed, upToDate }), () => {
    if (pushed.length + upToDate.length === 0) return 'No run was made from a snapshot that is here: nothing to push.'
    const known =
      upToDate.length === 0 ? '' : ` ${upToDate.length} ${upToDate.length === 1 ? 'was' : 'were'} there already.`
    return `${snapshots(pushed.length)} pushed to ${remote}.${known}`
  })
  return 0
}

function snapshots(count: number): string {
  return `${count} ${count === 1 ? 'snapshot' : 'snapshots'}`
}
