import { readFileSync } from 'node:fs'
import type { CommandFunction } from '../command.ts'

export const command: CommandFunction = async ({ terminal }) => {
  // Two folders up from the built chunk as well as from the source, the package's own description is found by name.
  const { version } = JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }
  terminal.result(
    { zenml: version, node: process.versions.node },
    () => `zenml ${version}, Node ${process.versions.node}`,
  )
  return 0
}

function packageFile(): URL {
  for (let current = new URL('.', import.meta.url); ; current = new URL('..', current)) {
    const file = new URL('package.json', current)
    try {
      if ((JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'zenml') return file
    } catch {
      // Not this folder.
    }
    if (current.pathname === '/') throw new Error('package.json of zenml is missing')
  }
}
