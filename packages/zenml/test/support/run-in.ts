import { execFile } from 'node:child_process'
import { type CommandEnd, cli, testEnvironment } from './project.ts'

/** Runs `zenml` in any folder; variables may come last. */
export function zenmlIn(
  directory: string,
  ...given: readonly (string | { readonly [name: string]: string })[]
): Promise<CommandEnd> {
  const args = given.filter((part) => typeof part === 'string')
  const variables = Object.assign({}, ...given.filter((part) => typeof part !== 'string')) as { [name: string]: string }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, ...args],
      { cwd: directory, env: { ...testEnvironment, ...variables }, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
      },
    )
  })
}
