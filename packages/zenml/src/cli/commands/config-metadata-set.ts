import { ZenmlError } from '../../base/errors.ts'
import { setMetadataStore } from '../../project/set-stores.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const [type] = args
  if (type !== 'sqlite') throw new ZenmlError('ZEN_USAGE', `Metadata is kept in sqlite, not in "${type}".`)
  const uri = options['uri']
  if (typeof uri !== 'string')
    throw new ZenmlError('ZEN_USAGE', 'The database file is missing.', { next: 'Add --uri=PATH.' })
  const { metadata } = await setMetadataStore(cli.directory, uri)
  terminal.result(document({ metadata }), () => `Metadata is kept in ${metadata.type} ${metadata.path} from now on.`)
  return 0
}
