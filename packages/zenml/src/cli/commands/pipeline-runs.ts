import { ZenmlError } from '../../base/errors.ts'
import type { RunStatus } from '../../model/run.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { limitOf } from '../limit.ts'
import { document } from '../report-error.ts'
import { duration, table, time } from '../table.ts'

const statuses: readonly string[] = ['running', 'complete', 'failed', 'canceled'] satisfies RunStatus[]

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const status = options['status'] as RunStatus | undefined
  if (status !== undefined && !statuses.includes(status)) {
    throw new ZenmlError('ZEN_USAGE', `--status takes ${statuses.join(', ')}, not "${status}".`)
  }
  await using project = await openProject(cli.directory)
  const before = options['before'] as string | undefined
  const runs = await project.records.listRuns({
    ...(args[0] === undefined ? {} : { pipeline: args[0] }),
    ...(status === undefined ? {} : { status }),
    ...(before === undefined ? {} : { before: await project.records.resolveRun(before) }),
    limit: limitOf(options, 20),
  })
  terminal.result(document({ runs }), () => {
    if (runs.length === 0) return 'No runs.'
    const rows = runs.map((run) => [
      run.id,
      run.pipeline,
      run.status,
      time(run.startedAt),
      run.endedAt === null ? '' : duration((run.endedAt - run.startedAt) / 1000),
      run.commit === null ? 'not pinned' : `${run.commit.slice(0, 10)}${run.dirty ? ' + changes' : ''}`,
    ])
    return table(['RUN', 'PIPELINE', 'STATUS', 'STARTED (UTC)', 'TOOK', 'CODE'], rows, terminal.colors.bold)
  })
  return 0
}
