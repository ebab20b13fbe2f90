import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { describeMetadata } from '../../project/metadata-config.ts'
import type { ProjectConfig } from '../../project/project-config.ts'
import { setMetadataServer, setMetadataStore } from '../../project/set-stores.ts'
import type { CommandCall, CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { refuse, serverOf, serverOptions, text } from '../server-options.ts'

type Options = CommandCall['options']

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const { metadata } = await set(args[0]!, options, cli)
  terminal.result(document({ metadata }), () => `Metadata is kept in ${describeMetadata(metadata)} from now on.`)
  return 0
}

async function set(
  type: string,
  options: Options,
  { directory, environment }: CommandCall['cli'],
): Promise<ProjectConfig> {
  if (type === 'sqlite') {
    refuse(type, options, serverOptions)
    const [uri, journal] = [text(options, 'uri'), text(options, 'journal')]
    if (uri === undefined)
      throw new ZenmlError('ZEN_USAGE', 'The database file is missing.', { next: 'Add --uri=PATH.' })
    if (journal !== undefined && journal !== 'wal' && journal !== 'delete')
      throw new ZenmlError('ZEN_USAGE', `--journal is wal or delete, not "${journal}".`)
    return await setMetadataStore(directory, uri, journal)
  }
  if (type !== 'mysql' && type !== 'postgres') {
    const types = ['sqlite', 'mysql', 'postgres']
    throw new ZenmlError(
      'ZEN_USAGE',
      `Metadata is kept in ${types.join(', ')}, not in "${type}".${didYouMean(type, types)}`,
    )
  }
  refuse(type, options, ['uri', 'journal'])
  return await setMetadataServer(directory, serverOf(type, options), text(options, 'password'), environment)
}
