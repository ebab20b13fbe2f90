import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { type UpgradeOptions, upgradeMetadataStore } from '../../project/upgrade-store.ts'
import type { CommandCall, CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { refuse, serverOf, serverOptions, text } from '../server-options.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const upgrade = await upgradeMetadataStore(cli.directory, optionsOf(args[0], options), cli.environment)
  const { place, from, to, versions, backup, removed } = upgrade
  terminal.result(document({ place, from, to, versions, backup: backup ?? null, removed: { ...removed } }), () => {
    if (versions.length === 0) return `${place} has schema version ${to} already; nothing to do.`
    const lines = [`${place} was upgraded from schema version ${from} to ${to} (${versions.join(', ')}).`]
    if (removed.events > 0)
      lines.push(
        `Events that were there twice: ${removed.events} removed, the newest of each kept, as Google's library does.`,
      )
    if (backup !== undefined) lines.push(`What it was before is in ${backup}.`)
    return lines.join('\n')
  })
  return 0
}

function optionsOf(type: string | undefined, options: CommandCall['options']): UpgradeOptions {
  const skipBackup = options['skipBackup'] === true
  const uri = text(options, 'uri')
  switch (type) {
    case undefined:
    case 'sqlite':
      refuse(type ?? 'the project\'s metadata; name mysql, as for "config metadata set"', options, serverOptions)
      if (type === 'sqlite' && uri === undefined)
        throw new ZenmlError('ZEN_USAGE', 'The database file is missing.', { next: 'Add --uri=PATH.' })
      return { skipBackup, ...(uri === undefined ? {} : { uri }) }
    case 'mysql':
    case 'postgres': {
      refuse(type, options, ['uri'])
      const password = text(options, 'password')
      return { skipBackup, server: serverOf(type, options), ...(password === undefined ? {} : { password }) }
    }
    default: {
      const types = ['sqlite', 'mysql', 'postgres']
      throw new ZenmlError(
        'ZEN_USAGE',
        `Metadata is kept in ${types.join(', ')}, not in "${type}".${didYouMean(type, types)}`,
      )
    }
  }
}
