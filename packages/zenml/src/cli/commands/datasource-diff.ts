import { diffExamples, type ExamplesDiff } from '../../formats/diff-examples.ts'
import { openProject } from '../../project/open-project.ts'
import { type OpenSnapshot, openSnapshot } from '../../project/open-snapshot.ts'
import { statisticsOf } from '../../steps/examples-statistics.ts'
import type { CommandFunction } from '../command.ts'
import { driftBySplit, driftTable, type SplitDrift } from '../drift.ts'
import { interruptible } from '../interruptible.ts'
import { document } from '../report-error.ts'
import { shortDigest, table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const given = options['key'] as string | undefined
  const key = given?.split(',').map((feature) => feature.trim())
  await using project = await openProject(cli.directory)
  await using before = await openSnapshot(project, args[0]!)
  await using after = await openSnapshot(project, args[1]!)
  const difference = await interruptible(signal, diffExamples(before, after, { key, signal }))
  const drift = options['drift'] === true ? await interruptible(signal, measuredDrift(before, after, signal)) : null
  const { bold } = terminal.colors
  terminal.result(
    document({ before: before.digest, after: after.digest, key: key ?? null, ...difference, drift }),
    () =>
      [
        `${shortDigest(before.digest)} → ${shortDigest(after.digest)}`,
        inWords(difference, bold),
        ...(drift === null ? [] : [driftTable(drift, bold)]),
      ].join('\n\n'),
  )
  return 0
}

/** Both are read as a whole; one that is compared with itself once. */
async function measuredDrift(before: OpenSnapshot, after: OpenSnapshot, signal: AbortSignal): Promise<SplitDrift> {
  const { statistics } = await statisticsOf(before.examples, { signal })
  if (before.digest === after.digest) return driftBySplit(statistics, statistics)
  return driftBySplit(statistics, (await statisticsOf(after.examples, { signal })).statistics)
}

function inWords({ features, splits }: ExamplesDiff, bold: (text: string) => string): string {
  const rows = Object.entries(splits).map(([split, { before, after, added, removed, changed, same, ...shards }]) => [
    split,
    ...[before, after, added, removed].map(String),
    changed === null ? '-' : String(changed),
    String(same),
    `${shards.shardsRead} of ${shards.shardsRead + shards.shardsSkipped}`,
  ])
  const header = ['SPLIT', 'BEFORE', 'AFTER', 'ADDED', 'REMOVED', 'CHANGED', 'SAME', 'SHARDS READ']
  const parts = [table(header, rows, bold)]
  if (features.length > 0) {
    const changes = features.map(({ feature, change, before, after }) => [
      feature,
      change === 'kind' ? 'kind changed' : change,
      before ?? '-',
      after ?? '-',
    ])
    parts.push(table(['FEATURE', 'CHANGE', 'BEFORE', 'AFTER'], changes, bold))
    parts.push('Rows are compared by the features that both have with the same kind.')
  }
  return parts.join('\n\n')
}
