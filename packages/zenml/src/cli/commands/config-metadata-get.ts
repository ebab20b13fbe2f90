import { describeMetadata } from '../../project/metadata-config.ts'
import { storesOfProject } from '../../project/set-stores.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal }) => {
  const { metadata } = (await storesOfProject(cli.directory)).config
  terminal.result(document({ metadata }), () => describeMetadata(metadata))
  return 0
}
