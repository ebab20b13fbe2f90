import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { datasourcesOf } from '../datasources.ts'
import { document } from '../report-error.ts'
import { shortDigest, table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const all = await datasourcesOf(project)
  const name = args[0]!
  const found = all.find((datasource) => datasource.name === name)
  if (found === undefined) {
    throw new ZenmlError(
      'ZEN_SOURCE_UNKNOWN',
      `No run has read a datasource "${name}".${didYouMean(
        name,
        all.map((datasource) => datasource.name),
      )}`,
      {
        next: 'See "zenml datasource list".',
      },
    )
  }
  terminal.result(document({ ...found }), () => {
    const { spec, pipelines, snapshots } = found
    const facts = [
      ['datasource', name],
      ...Object.entries(spec).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
      ['pipelines', pipelines.join(', ')],
    ]
    const rows = snapshots.map(({ digest, rows, commit, run, at }) => [
      ...[shortDigest(digest), String(rows ?? '?'), commit ?? '', run, time(at)],
    ])
    return [
      table(['FACT', 'VALUE'], facts, terminal.colors.bold),
      table(['SNAPSHOT', 'ROWS', 'COMMIT', 'RUN', 'USED (UTC)'], rows, terminal.colors.bold),
    ].join('\n\n')
  })
  return 0
}
