import { relative, resolve } from 'node:path'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const digest = await project.records.resolveArtifact(args[0]!)
  const name = args[0]!.includes('/')
    ? args[0]!.slice(args[0]!.lastIndexOf('/') + 1)
    : digest.slice('sha256:'.length, 'sha256:'.length + 12)
  const directory = resolve(cli.directory, args[1] ?? name)
  await project.artifacts.pull(digest, directory)
  const { files } = (await project.artifacts.manifest(digest))!
  terminal.result({ digest, directory, files: files.map(({ path }) => path) }, () => {
    const count = files.length === 1 ? '1 file' : `${files.length} files`
    return `${count} written to ${relative(cli.directory, directory) || '.'}`
  })
  return 0
}
