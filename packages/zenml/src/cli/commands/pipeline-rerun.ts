import { rerunPipeline } from '../../project/make-again.ts'
import { nondeterminismOf } from '../../run/nondeterminism.ts'
import type { CommandFunction } from '../command.ts'
import { showProgress } from '../progress.ts'
import { comparisonLines } from '../rerun-summary.ts'
import { runDocument } from '../run-document.ts'
import { runSummary } from '../run-summary.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const progress = showProgress(terminal)
  try {
    const reuse = options['reuse'] === true
    const more = { ...cli, reuse, signal, onEvent: progress.listen }
    return await rerunPipeline(args[0]!, more, async ({ project, record, comparison }) => {
      progress.end()
      const nondeterminism = await nondeterminismOf(project.records, record)
      terminal.result({ ...runDocument(record, nondeterminism), comparison }, () =>
        [
          runSummary(record, project, terminal.colors, cli, nondeterminism),
          ...comparisonLines(comparison, terminal.colors),
        ].join('\n'),
      )
      return record.status === 'complete' ? 0 : 1
    })
  } finally {
    progress.end()
  }
}
