import { resolve } from 'node:path'
import { initProject } from '../../project/init-project.ts'
import type { CommandFunction } from '../command.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  const { root, created, git, bare } = await initProject(resolve(cli.directory, args[0] ?? '.'))
  terminal.result({ root, created, git, bare }, () => {
    if (!created) return `The project at ${root} is there already; nothing was changed.`
    return `Project made at ${root}: metadata, artifacts and configuration are in .zenml${git ? ', which .gitignore now names' : ''}.`
  })
  if (bare)
    terminal.note(
      'This repository is bare: past runs can be made again and verified here, but a new one needs a working tree.',
    )
  else if (!git)
    terminal.note('This is not a git repository, so runs cannot pin their code. Run "git init" to change that.')
  return 0
}
