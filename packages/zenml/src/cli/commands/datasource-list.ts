import { placeOf } from '../../model/datasource-spec.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { datasourcesOf } from '../datasources.ts'
import { document } from '../report-error.ts'
import { shortDigest, table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  await using project = await openProject(cli.directory)
  const datasources = await datasourcesOf(project)
  terminal.result(document({ datasources }), () => {
    if (datasources.length === 0) return 'No run has read a datasource yet.'
    const rows = datasources.map(({ name, spec, snapshots }) => {
      const [newest] = snapshots
      return [
        name,
        spec.type,
        placeOf(spec),
        String(snapshots.length),
        newest === undefined ? '' : `${shortDigest(newest.digest)}, ${newest.rows ?? '?'} rows`,
      ]
    })
    return table(['DATASOURCE', 'TYPE', 'PLACE', 'SNAPSHOTS', 'NEWEST'], rows, terminal.colors.bold)
  })
  return 0
}
