import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { limitOf } from '../limit.ts'
import { document } from '../report-error.ts'
import { bytes, shortDigest, table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, options }) => {
  await using project = await openProject(cli.directory)
  const type = options['type'] as string | undefined
  const artifacts = await project.records.listArtifacts({
    ...(type === undefined ? {} : { type }),
    limit: limitOf(options, 20),
  })
  terminal.result(document({ artifacts }), () => {
    if (artifacts.length === 0) return 'No artifacts.'
    const rows = artifacts.map(({ digest, type: name, size, producer }) => [
      shortDigest(digest),
      name,
      bytes(size),
      producer === null ? '' : `${producer.run}/${producer.step}.${producer.output}`,
    ])
    return table(['ARTIFACT', 'TYPE', 'SIZE', 'MADE BY'], rows, terminal.colors.bold)
  })
  return 0
}
