import { copyFile, lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemCode } from '../base/errors.ts'
import type { CodePin } from '../model/run.ts'
import { git } from './git.ts'
import type { Repository } from './git-pin.ts'

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
 */
export async function snapshotDirtyTree(
  repository: Repository,
  pin: CodePin,
  { exclude = [] }: { readonly exclude?: readonly string[] } = {},
): Promise<TreeSnapshot> {
  const directory = await mkdtemp(join(tmpdir(), 'zenml-index-'))
  const env = { GIT_INDEX_FILE: join(directory, 'index') }
  const at = repository.root
  try {
    try {
      await copyFile(join(repository.gitDirectory, 'index'), env.GIT_INDEX_FILE)
    } catch (error) {
      // Before the first commit there may be no index yet.
      if (systemCode(error) !== 'ENOENT') throw error
    }
    const leftOut = await largeUntracked(repository)
    const without = leftOut.map((path) => `:(exclude,top,literal)${path}`)
    await git(
      at,
      ['-c', 'core.safecrlf=false', '-c', 'advice.addEmbeddedRepo=false', 'add', '--all', '--', '.', ...without],
      { env },
    )
    // Taken out afterwards: git refuses to exclude by name what is ignored already.
    if (exclude.length > 0) await git(at, ['rm', '-r', '-q', '--cached', '--ignore-unmatch', '--', ...exclude], { env })
    const tree = (await git(at, ['write-tree'], { env })).trim()
    const parent = pin.commit === null ? [] : ['-p', pin.commit]
    const commit = (
      await git(at, ['commit-tree', tree, ...parent, '-m', 'Working tree of a zenml run'], { env: author })
    ).trim()
    const ref = `refs/zenml/snapshots/${tree}`
    await git(at, ['update-ref', ref, commit])
    return { tree, commit, ref, leftOut }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function largeUntracked({ root }: Repository): Promise<string[]> {
  const listed = await git(root, ['ls-files', '--others', '--exclude-standard', '-z'])
  const large: string[] = []
  for (const path of listed.split('\0').filter(Boolean)) {
    const found = await lstat(join(root, path)).catch(() => undefined)
    if (found?.isFile() === true && found.size > largest) large.push(path)
  }
  return large
}
