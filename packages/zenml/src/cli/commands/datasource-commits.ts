import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { openProject } from '../../project/open-project.ts'
import { type Commit, commitsOf } from '../../run/commits.ts'
import type { CommandFunction } from '../command.ts'
import { commitDocument } from '../commit-document.ts'
import { datasourcesOf } from '../datasources.ts'
import { limitOf } from '../limit.ts'
import { document } from '../report-error.ts'
import { shortDigest, table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  await using project = await openProject(cli.directory)
  const name = args[0]!
  const limit = limitOf(options, 20)
  const commits: Commit[] = []
  for await (const { commit } of commitsOf(project.records, name)) {
    commits.push(commit)
    if (commits.length === limit) break
  }
  if (commits.length === 0) {
    const known = (await datasourcesOf(project)).map((datasource) => datasource.name)
    if (!known.includes(name))
      throw new ZenmlError('ZEN_SOURCE_UNKNOWN', `No run has read a datasource "${name}".${didYouMean(name, known)}`, {
        next: 'See "zenml datasource list".',
      })
  }
  terminal.result(document({ datasource: name, commits: commits.map(commitDocument) }), () => {
    if (commits.length === 0)
      return `Datasource "${name}" has no commit yet. Take one with "zenml datasource commit ${name}".`
    const rows = commits.map(({ id, at, digest, rows, version, code }) => [
      id,
      time(at),
      shortDigest(digest),
      String(rows ?? '?'),
      version ?? '',
      `${code.commit?.slice(0, 7) ?? 'none'}${code.dirty ? '+' : ''}`,
    ])
    return table(
      ['COMMIT', 'TAKEN (UTC)', 'SNAPSHOT', 'ROWS', 'VERSION OF THE SOURCE', 'CODE'],
      rows,
      terminal.colors.bold,
    )
  })
  return 0
}
