import { setArtifactStore } from '../../project/set-stores.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  const { artifacts } = await setArtifactStore(cli.directory, args[0]!)
  terminal.result(document({ artifacts }), () => `Artifacts are kept in ${artifacts.path} from now on.`)
  return 0
}
