import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import type { CodePin } from '../model/run.ts'
import { git } from './git.ts'
import { gitAtOnce } from './git-at-once.ts'
import { withoutCredentials } from './git-remote.ts'
import { flaggedFiles, type IndexCopy, listFlags, withIndexCopy } from './index-copy.ts'

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
  /** Those of them that git does not know yet. */
  readonly untracked: readonly string[]
  /** Those of them that are repositories of their own: changed submodules, and repositories inside of this one. */
  readonly nested: readonly string[]
  /** Files that git was told not to look at (`update-index --assume-unchanged` or `--skip-worktree`) but that are there. */
  readonly flagged: readonly string[]
}

const readPlace: readonly string[] = ['rev-parse', '--show-toplevel', '--absolute-git-dir']

function repositoryOf(place: string): Repository {
  const lines = place.split('\n')
  return { root: lines[0]!, gitDirectory: lines[1]! }
}

/** The repository that holds a directory; undefined outside of git and where git is not installed. */
export async function findRepository(directory: string): Promise<Repository | undefined> {
  try {
    return repositoryOf(await git(directory, readPlace))
  } catch (error) {
    if (
      error instanceof ZenmlError &&
      (error.code === 'ZEN_GIT_MISSING' ||
        /not a git repository|must be run in a work tree|cannot change to/.test(error.message))
    )
      return undefined
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

const readStatus: readonly string[] = [
  ...['status', '--porcelain=v2', '--branch', '-z'],
  ...['--untracked-files=all', '--ignore-submodules=none', '--no-renames'],
]

const readTree: readonly string[] = ['rev-parse', '--verify', '--quiet', 'HEAD^{tree}']
const readRemotes: readonly string[] = ['config', '-z', '--get-regexp', '^remote\\..*\\.url$']

const readState = [readStatus, readTree, readRemotes, listFlags]

/** `findRepository` and `readPin` in one go, where the directory is the top of the repository as it mostly is. */
export async function findPinned(
  directory: string,
): Promise<{ readonly repository: Repository; readonly state: WorkingState } | undefined> {
  // Elsewhere git would read the state of a large repository twice.
  const top = existsSync(join(directory, '.git'))
  const [place, ...told] = top ? await gitAtOnce(directory, [readPlace, ...readState]) : []
  const repository = place === undefined ? await findRepository(directory) : repositoryOf(place)
  if (repository === undefined) return undefined
  const state = await (repository.root === directory ? stateOf(repository, told) : readPin(repository))
  return { repository, state }
}

/** Commit, tree, branch, remote and changes of a repository, in a few processes side by side. */
export async function readPin(repository: Repository): Promise<WorkingState> {
  return await stateOf(repository, await gitAtOnce(repository.root, readState))
}

/** What git told to `readState`; what failed is asked again by itself. */
async function stateOf(
  repository: Repository,
  [plain, knownTree, remotes, flags]: readonly (string | undefined)[],
): Promise<WorkingState> {
  const at = repository.root
  const tree = knownTree ?? (await git(at, readTree).catch(noCommit))
  const flagged = await flaggedFiles(repository, flags ?? (await git(at, listFlags)))
  const statusOf = (env?: IndexCopy): Promise<string> => git(at, readStatus, env === undefined ? {} : { env })
  const status =
    flagged.length === 0 ? (plain ?? (await statusOf())) : await withIndexCopy(repository, flagged, statusOf)
  let commit: string | null = null
  let branch: string | null = null
  const files: string[] = []
  const untracked: string[] = []
  const nested: string[] = []
  for (const line of status.split('\0')) {
    if (line.startsWith('# branch.oid ')) {
      commit = line.endsWith('(initial)') ? null : line.slice('# branch.oid '.length)
    } else if (line.startsWith('# branch.head ')) {
      branch = line.endsWith('(detached)') ? null : line.slice('# branch.head '.length)
    } else if (line.startsWith('? ')) {
      // The folder of a repository of its own is listed by itself, with a slash at its end.
      const path = line.slice(2)
      files.push(path)
      if (path.endsWith('/')) nested.push(path.slice(0, -1))
      else untracked.push(path)
    } else if (line.startsWith('1 ') || line.startsWith('u ')) {
      // Eight fields before the path of a changed file, ten before an unmerged one's; the third says whether it is a submodule.
      const fields = line.split(' ')
      const path = fields.slice(line.startsWith('1') ? 8 : 10).join(' ')
      files.push(path)
      if (fields[2]!.startsWith('S')) nested.push(path)
    }
  }
  return {
    pin: {
      commit,
      tree: commit === null ? null : tree.trim(),
      dirty: files.length > 0,
      ref: null,
      // Where nothing fits, git calls it an error.
      remote: remoteUrl(remotes ?? ''),
      branch,
    },
    files,
    untracked,
    nested,
    flagged,
  }
}

function noCommit(error: unknown): string {
  if (error instanceof ZenmlError && error.code === 'ZEN_GIT') return ''
  throw error
}

/** The URL of `origin`, or of the first remote; of several URLs the first, which git fetches from. */
function remoteUrl(config: string): string | null {
  const urls = new Map<string, string>()
  for (const entry of config.split('\0').filter(Boolean)) {
    const end = entry.indexOf('\n')
    const name = entry.slice('remote.'.length, end - '.url'.length)
    if (!urls.has(name)) urls.set(name, entry.slice(end + 1))
  }
  const url = urls.get('origin') ?? [...urls.values()][0]
  return url === undefined ? null : withoutCredentials(url)
}
