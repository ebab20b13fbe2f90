import { systemClock } from '../../base/clock.ts'
import { ZenmlError } from '../../base/errors.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { limitOf } from '../limit.ts'
import { document } from '../report-error.ts'
import { listOf, pageToken, positionOf, runQueryOf } from '../run-query.ts'
import { duration, table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const limit = limitOf(options, 20)
  const before = options['before'] as string | undefined
  const token = options['pageToken'] as string | undefined
  if (before !== undefined && (token !== undefined || options['sort'] !== undefined || options['order'] !== undefined))
    throw new ZenmlError('ZEN_USAGE', '--before goes with neither --sort, --order nor --page-token.', {
      next: 'Page through a sorted list with --page-token.',
    })
  const list = listOf(args[0], options)
  const position = token === undefined ? undefined : positionOf(list, token)
  await using project = await openProject(cli.directory)
  const query = runQueryOf(args[0], options, systemClock.now())
  const behind = before === undefined ? position : { run: await project.records.resolveRun(before) }
  const { runs, next } = await project.records.pageOfRuns({
    ...query,
    ...(behind === undefined ? {} : { behind }),
    limit,
  })
  const nextPageToken = next === null ? null : pageToken(list, next)
  terminal.result(document({ runs, nextPageToken }), () => {
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
  if (nextPageToken !== null && !terminal.json) terminal.note(`More: add --page-token ${nextPageToken}`)
  return 0
}
