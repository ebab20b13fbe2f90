import { resolve } from 'node:path'
import { initProject } from '../../project/init-project.ts'
import type { CommandFunction } from '../command.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  const { root, created, git } = await initProject(resolve(cli.directory, args[0] ?? '.'))
  terminal.result({ root, created, git }, () => {
    if (!created) return `The project at ${root} is there already; nothing was changed.`
    return `Project made at ${root}: metadata, artifacts and configuration are in .zenml${git ? ', which .gitignore now names' : ''}.`
  })
  if (!git) terminal.note('This is not a git repository, so runs cannot pin their code. Run "git init" to change that.')
  return 0
}
