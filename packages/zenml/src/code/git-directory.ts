import { ZenmlError } from '../base/errors.ts'
import { type GitOptions, git } from './git.ts'

/** Where a repository keeps what it knows; with or without a working tree. */
export interface GitDirectory {
  /** Of the worktree, where it is a linked one. */
  readonly path: string
  /** Shared by all worktrees: objects, refs, modules. */
  readonly common: string
  /** Top of the working tree; null in a bare repository. */
  readonly workTree: string | null
}

/** The git folder of the repository that holds a folder; a bare repository holds itself. Throws as `git` does. */
export async function findGitDirectory(directory: string): Promise<GitDirectory> {
  const told = await git(directory, [
    'rev-parse',
    '--path-format=absolute',
    '--absolute-git-dir',
    '--git-common-dir',
    '--is-inside-work-tree',
  ])
  const [path, common, inside] = told.split('\n')
  const workTree = inside === 'true' ? (await git(directory, ['rev-parse', '--show-toplevel'])).split('\n')[0]! : null
  return { path: path!, common: common!, workTree }
}

/** Runs git on a git folder by its name, so that nothing is looked for and a bare one is taken as well. Throws as `git` does. */
export function gitIn(gitDirectory: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return git(gitDirectory, args, { ...options, env: { GIT_DIR: gitDirectory, ...options.env } })
}

/** Whether git itself refused, rather than being missing or stopped. */
export function isRefusal(error: unknown): error is ZenmlError {
  return error instanceof ZenmlError && error.code === 'ZEN_GIT'
}
