import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { type GitDirectory, gitIn, isRefusal } from './git-directory.ts'
import { configuredRemotes, gitWords } from './remotes.ts'

/** A ref below `refs/zenml/`, which keeps code from being collected. */
export interface KeptRef {
  readonly ref: string
  /** The commit that it names. */
  readonly commit: string
  readonly tree: string
  /** The commit that the changes are based on; null before the first one. */
  readonly parent: string | null
  /** Milliseconds since the epoch: written no later than this. Git may have packed it since, which is as much as can be told then. */
  readonly writtenBy: number
}

/** Refs in one call to git, so that no list becomes longer than an argument list may be. */
const batch = 200

/** Every ref below `refs/zenml/`, by name. */
export async function listKeptRefs({ path, common }: GitDirectory): Promise<KeptRef[]> {
  const format = '%(refname)%00%(objectname)%00%(tree)%00%(parent)%00%(objecttype)'
  const listed = await gitIn(path, ['for-each-ref', `--format=${format}`, 'refs/zenml/'])
  const packed = await timeOf(join(common, 'packed-refs'))
  const refs = await Promise.all(
    listed
      .split('\n')
      .filter(Boolean)
      .map(async (line): Promise<KeptRef> => {
        const [ref, commit, tree, parent] = line.split('\0') as [string, string, string, string]
        const own = await timeOf(join(common, ref))
        // Neither where refs are kept in another format: the ref then counts as written now.
        return {
          ref,
          commit,
          tree,
          parent: parent.split(' ')[0] || null,
          writtenBy: own ?? packed ?? Number.POSITIVE_INFINITY,
        }
      }),
  )
  return refs.sort((a, b) => compareText(a.ref, b.ref))
}

/** Roots of the other working trees of a repository: their runs' code is kept by the same refs. */
export async function otherWorktrees({ path, workTree }: GitDirectory): Promise<string[]> {
  const listed = await gitIn(path, ['worktree', 'list', '--porcelain', '-z'])
  return listed
    .split('\0')
    .filter((line) => line.startsWith('worktree '))
    .map((line) => line.slice('worktree '.length))
    .filter((root) => root !== workTree)
}

/** What a push came to. */
export interface PushedRefs {
  /** Now there, and not before. */
  readonly pushed: readonly string[]
  readonly upToDate: readonly string[]
}

/**
 * Pushes refs to a configured remote under their own names. Throws `ZEN_CODE_REMOTE` where there is no such remote, `ZEN_CODE_PUSH` with git's words
 * where it refuses.
 */
export async function pushRefs(
  { path }: GitDirectory,
  remote: string,
  refs: readonly string[],
  signal?: AbortSignal,
): Promise<PushedRefs> {
  const names = (await configuredRemotes(path)).map(({ name }) => name)
  if (!names.includes(remote)) {
    const near = nearest(remote, names)
    throw new ZenmlError('ZEN_CODE_REMOTE', `This repository has no remote "${remote}".`, {
      facts: { remote, remotes: names },
      next:
        near !== undefined
          ? `Did you mean "${near}"?`
          : names.length > 0
            ? `There is ${names.join(', ')}.`
            : 'Add one with "git remote add origin URL".',
    })
  }
  const pushed: string[] = []
  const upToDate: string[] = []
  for (let from = 0; from < refs.length; from += batch) {
    // The same tree on another commit replaces its twin: either brings the tree back.
    const some = refs.slice(from, from + batch).map((ref) => `+${ref}:${ref}`)
    const told = await gitIn(
      path,
      ['push', '--porcelain', '--', remote, ...some],
      signal === undefined ? {} : { signal },
    ).catch((error: unknown) => {
      if (!isRefusal(error)) throw error
      throw new ZenmlError('ZEN_CODE_PUSH', `${remote} did not take the snapshots: ${gitWords(error)}`, {
        facts: { remote },
        next: 'See whether you may push there: "git push --dry-run" tells.',
        exitCode: 1,
        cause: error,
      })
    })
    for (const line of told.split('\n')) {
      const ref = /^(.)\t([^\t:]+):/.exec(line)
      if (ref !== null) (ref[1] === '=' ? upToDate : pushed).push(ref[2]!)
    }
  }
  return { pushed, upToDate }
}

/** Deletes refs that still name what they were seen to name; one that a run has written meanwhile makes the whole call fail. */
export async function deleteRefs({ path }: GitDirectory, refs: readonly KeptRef[]): Promise<void> {
  if (refs.length === 0) return
  const input = refs.map(({ ref, commit }) => `delete ${ref}\0${commit}\0`).join('')
  await gitIn(path, ['update-ref', '-z', '--stdin'], { input })
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
