import { openPinned } from '../../project/open-pinned.ts'
import { recreatePast } from '../../project/recreate.ts'
import { nondeterminismOf } from '../../run/nondeterminism.ts'
import { rerun } from '../../run/rerun.ts'
import type { CommandFunction } from '../command.ts'
import { showProgress } from '../progress.ts'
import { comparisonLines, comparisonOf } from '../rerun-summary.ts'
import { runDocument } from '../run-document.ts'
import { runSummary } from '../run-summary.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  await using opened = await openPinned(args[0]!, cli)
  const { project, pinned } = opened
  const progress = showProgress(terminal)
  let run: string
  try {
    await using past = await recreatePast(project, pinned, { scratch: false, signal, onEvent: progress.listen })
    run = (await rerun(past, pinned, { reuse: options['reuse'] === true, signal, onEvent: progress.listen })).run
  } finally {
    progress.end()
  }
  const record = (await project.records.getRun(run))!
  const comparison = comparisonOf(pinned, record)
  const nondeterminism = await nondeterminismOf(project.records, record)
  terminal.result({ ...runDocument(record, nondeterminism), comparison }, () =>
    [
      runSummary(record, project, terminal.colors, cli.environment, nondeterminism),
      ...comparisonLines(comparison, terminal.colors),
    ].join('\n'),
  )
  return record.status === 'complete' ? 0 : 1
}
