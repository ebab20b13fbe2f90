import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import { git } from './git.ts'
import { findRepository, type Repository, readPin, type WorkingState } from './git-pin.ts'
import { unshared, withIndexCopy } from './index-copy.ts'

/** A working tree, kept as git objects. */
export interface TreeSnapshot {
  readonly tree: string
  readonly commit: string
  /** `refs/zenml/snapshots/…` keeps it from being collected. */
  readonly ref: string
  /** Untracked files that are too large, by path. */
  readonly leftOut: readonly string[]
}

/** Untracked files above this size are data rather than code. */
const largest = 50 << 20

/** Fixed, so that the same tree on the same commit is the same snapshot, whoever makes it and when. */
const author = {
  GIT_AUTHOR_NAME: 'zenml',
  GIT_AUTHOR_EMAIL: 'zenml@localhost',
  GIT_AUTHOR_DATE: '@0 +0000',
  GIT_COMMITTER_NAME: 'zenml',
  GIT_COMMITTER_EMAIL: 'zenml@localhost',
  GIT_COMMITTER_DATE: '@0 +0000',
}

/**
 * Keeps the working tree, untracked files included and ignored ones not, as a commit under `refs/zenml/snapshots/TREE`. A copy of
 * the index takes the changes: the index, HEAD, the branches, the stash and the working tree stay as they are.
 *
 * A submodule (or another repository inside of this one) with changes is kept in the same way in its own repository, and the tree
 * names that commit.
 */
export async function snapshotDirtyTree(
  repository: Repository,
  { pin, untracked, nested, flagged }: WorkingState,
  { exclude = [] }: { readonly exclude?: readonly string[] } = {},
): Promise<TreeSnapshot> {
  const at = repository.root
  const [large, inner, sparse] = await Promise.all([
    largeFiles(at, untracked),
    snapshotNested(repository, nested),
    git(at, ['config', '--type=bool', '--get', 'core.sparseCheckout']).catch(() => 'false'),
  ])
  return await withIndexCopy(repository, flagged, async (env) => {
    const without = [...large, ...inner.paths].map((path) => `:(exclude,top,literal)${path}`)
    const settings = [...unshared, '-c', 'core.safecrlf=false', '-c', 'advice.addEmbeddedRepo=false']
    // What lies outside of a sparse checkout's folders, but is there, can run like all else.
    const outside = sparse.trim() === 'true' ? ['--sparse'] : []
    await git(at, [...settings, 'add', '--all', ...outside, '--', '.', ...without], { env })
    if (inner.commits.length > 0) {
      const input = inner.commits.map(({ path, commit }) => `160000 ${commit}\t${path}\0`).join('')
      await git(at, [...unshared, 'update-index', '--add', '--replace', '-z', '--index-info'], { env, input })
    }
    // Taken out afterwards: git refuses to exclude by name what is ignored already.
    if (exclude.length > 0) {
      const removed = ['rm', '-r', '-q', '--cached', '--ignore-unmatch', ...outside, '--', ...exclude]
      await git(at, [...unshared, ...removed], { env })
    }
    const tree = (await git(at, [...unshared, 'write-tree'], { env })).trim()
    const parent = pin.commit === null ? [] : ['-p', pin.commit]
    const message = ['-m', 'Working tree of a zenml run']
    const commit =
      // The setting would become a line of the commit, and so another name of the same.
      (
        await git(at, ['-c', 'i18n.commitEncoding=UTF-8', 'commit-tree', tree, ...parent, ...message], { env: author })
      ).trim()
    const ref = `refs/zenml/snapshots/${tree}`
    await keep(at, ref, commit)
    return { tree, commit, ref, leftOut: [...large, ...inner.leftOut] }
  })
}

/** Points the reference at the commit; another run that does the same at the same moment is as good. */
async function keep(at: string, ref: string, commit: string): Promise<void> {
  const kept = async (): Promise<boolean> =>
    (await git(at, ['rev-parse', '--verify', '--quiet', ref]).catch(() => '')).trim() === commit
  if (await kept()) return
  try {
    await git(at, ['update-ref', ref, commit])
  } catch (error) {
    if (!(error instanceof ZenmlError) || !(await kept())) throw error
  }
}

interface NestedSnapshots {
  /** Folders that are repositories of their own: git must not look into them by itself. */
  readonly paths: readonly string[]
  readonly commits: readonly { readonly path: string; readonly commit: string }[]
  readonly leftOut: readonly string[]
}

async function snapshotNested({ root }: Repository, nested: readonly string[]): Promise<NestedSnapshots> {
  const paths: string[] = []
  const commits: { path: string; commit: string }[] = []
  const leftOut: string[] = []
  for (const path of nested) {
    const inner = await findRepository(join(root, path))
    // Removed, or plain files by now: the surrounding repository sees that itself.
    if (inner === undefined || inner.root !== join(root, path)) continue
    paths.push(path)
    const state = await readPin(inner)
    const snapshot = state.pin.dirty ? await snapshotDirtyTree(inner, state) : undefined
    const commit = snapshot?.commit ?? state.pin.commit
    if (commit !== null) commits.push({ path, commit })
    leftOut.push(...(snapshot?.leftOut ?? []).map((file) => `${path}/${file}`))
  }
  return { paths, commits, leftOut }
}

async function largeFiles(root: string, paths: readonly string[]): Promise<string[]> {
  const large: string[] = []
  for (const path of paths) {
    const found = await lstat(join(root, path)).catch(() => undefined)
    if (found?.isFile() === true && found.size > largest) large.push(path)
  }
  return large
}
