import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { git, gitVariables } from './git.ts'

/** Descriptors of a shell have one digit; the first three are taken. */
const most = 7

/**
 * Runs several git commands in one folder side by side and gives what each printed; undefined for one that failed, which `git` can
 * be asked again to hear why.
 *
 * Node stands still while it starts a process, for longer the more memory it has; so it starts one shell, which starts the others.
 *
 * @example
 * const [tree] = await gitAtOnce(root, [['rev-parse', 'HEAD^{tree}'], ['ls-files', '-z']])
 */
export async function gitAtOnce(
  directory: string,
  commands: readonly (readonly string[])[],
): Promise<readonly (string | undefined)[]> {
  const shell = process.platform !== 'win32' && commands.length <= most
  const printed = shell ? await inShell(directory, commands) : undefined
  return printed ?? (await Promise.all(commands.map((args) => git(directory, args).catch(() => undefined))))
}

/** The same by a shell; undefined where there is none. */
async function inShell(
  directory: string,
  commands: readonly (readonly string[])[],
): Promise<readonly (string | undefined)[] | undefined> {
  const pipes = commands.map((_args, index) => index + 3)
  // What a command leaves behind, as a watcher of files, must not keep the pipes of the others open.
  const closed = pipes.map((pipe) => `${pipe}>&-`).join(' ')
  const lines = commands.map(
    (args, index) =>
      `{ git ${['-C', directory, ...args].map(quoted).join(' ')} >&${pipes[index]} ${closed}; echo ${index} $?; } &`,
  )
  const child = spawn('/bin/sh', ['-c', `${lines.join('\n')}\nwait`], {
    env: gitVariables(),
    stdio: ['ignore', 'pipe', 'ignore', ...pipes.map(() => 'pipe' as const)],
  })
  const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)))
  const read = Promise.all(
    [1, ...pipes].map(async (pipe) => (await buffer(child.stdio[pipe] as Readable)).toString('utf8')),
  )
  const texts = await Promise.race([read, failed])
  if (texts === undefined) return undefined
  const [statuses, ...outputs] = texts
  const succeeded = new Set(statuses!.split('\n').flatMap((line) => /^(\d) 0$/.exec(line)?.[1] ?? []))
  return outputs.map((output, index) => (succeeded.has(String(index)) ? output : undefined))
}

/** A word as a POSIX shell takes it literally. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
