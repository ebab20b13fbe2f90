import { upgradeMetadataStore } from '../../project/upgrade-store.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, options }) => {
  const uri = options['uri']
  const upgrade = await upgradeMetadataStore(cli.directory, typeof uri === 'string' ? uri : undefined)
  const { path, from, to, versions, backup, removed } = upgrade
  terminal.result(document({ path, from, to, versions, backup: backup ?? null, removed: { ...removed } }), () => {
    if (backup === undefined) return `${path} has schema version ${to} already; nothing to do.`
    const lines = [`${path} was upgraded from schema version ${from} to ${to} (${versions.join(', ')}).`]
    if (removed.events > 0)
      lines.push(
        `Events that were there twice: ${removed.events} removed, the newest of each kept, as Google's library does.`,
      )
    return [...lines, `What it was before is in ${backup}.`].join('\n')
  })
  return 0
}
