import { systemCode, ZenmlError } from '../base/errors.ts'
import type { CodePin } from '../model/run.ts'
import { git } from './git.ts'

/** A git repository with a working tree. */
export interface Repository {
  /** Real path of the top of the working tree. */
  readonly root: string
  /** Its git folder (of the worktree, where it is one). */
  readonly gitDirectory: string
}

/** What is checked out now. */
export interface WorkingState {
  /** `ref` is filled by a snapshot only. */
  readonly pin: CodePin
  /** Paths that differ from the commit, untracked ones included. */
  readonly files: readonly string[]
}

/** The repository that holds a directory; undefined outside of git and where git is not installed. */
export async function findRepository(directory: string): Promise<Repository | undefined> {
  try {
    const lines = (await git(directory, ['rev-parse', '--show-toplevel', '--absolute-git-dir'])).split('\n')
    return { root: lines[0]!, gitDirectory: lines[1]! }
  } catch (error) {
    if (
      error instanceof ZenmlError &&
      (error.code === 'ZEN_GIT_MISSING' || /not a git repository|must be run in a work tree/.test(error.message))
    )
      return undefined
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Commit, tree, branch, remote and changes of a repository, in two processes side by side. */
export async function readPin(repository: Repository): Promise<WorkingState> {
  const [status, tree, remote] = await Promise.all([
    git(repository.root, ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all', '--no-renames']),
    git(repository.root, ['rev-parse', '--verify', '--quiet', 'HEAD^{tree}']).catch(noCommit),
    git(repository.root, ['config', '--get-regexp', '^remote\\..*\\.url$']).catch(() => ''),
  ])
  let commit: string | null = null
  let branch: string | null = null
  const files: string[] = []
  for (const line of status.split('\0')) {
    if (line.startsWith('# branch.oid '))
      commit = line.endsWith('(initial)') ? null : line.slice('# branch.oid '.length)
    else if (line.startsWith('# branch.head '))
      branch = line.endsWith('(detached)') ? null : line.slice('# branch.head '.length)
    else if (line.startsWith('? ')) files.push(line.slice(2))
    // Eight fields before the path of a changed file, ten before an unmerged one's.
    else if (line.startsWith('1 ')) files.push(line.split(' ').slice(8).join(' '))
    else if (line.startsWith('u ')) files.push(line.split(' ').slice(10).join(' '))
  }
  return {
    pin: {
      commit,
      tree: commit === null ? null : tree.trim(),
      dirty: files.length > 0,
      ref: null,
      remote: remoteUrl(remote),
      branch,
    },
    files,
  }
}

function noCommit(error: unknown): string {
  if (error instanceof ZenmlError && error.code === 'ZEN_GIT') return ''
  throw error
}

/** The URL of `origin`, or of the first remote, without user and password. */
function remoteUrl(config: string): string | null {
  const urls = new Map(
    config
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice('remote.'.length, line.indexOf('.url ')), line.slice(line.indexOf(' ') + 1)]),
  )
  const url = urls.get('origin') ?? [...urls.values()][0]
  if (url === undefined) return null
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}
