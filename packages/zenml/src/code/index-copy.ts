import { copyFile, lstat, mkdtemp, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemCode } from '../base/errors.ts'
import { git } from './git.ts'
import type { Repository } from './git-pin.ts'

/** The variables with which git works on a copy of the index. */
export interface IndexCopy {
  readonly [name: string]: string
  readonly GIT_INDEX_FILE: string
}

/** Runs a function with a copy of a repository's index, in which git looks at the flagged files as at all others. */
export async function withIndexCopy<T>(
  repository: Repository,
  flagged: readonly string[],
  work: (env: IndexCopy) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'zenml-index-'))
  const env = { GIT_INDEX_FILE: join(directory, 'index') }
  try {
    try {
      const original = join(repository.gitDirectory, 'index')
      const { mtimeMs } = await stat(original)
      await copyFile(original, env.GIT_INDEX_FILE)
      // git trusts a file's times only where they are older than the index: a newer copy would hide what was changed in the very
      // second in which the index was written.
      const second = Math.floor(mtimeMs / 1000)
      await utimes(env.GIT_INDEX_FILE, second, second)
    } catch (error) {
      // Before the first commit there may be no index yet.
      if (systemCode(error) !== 'ENOENT') throw error
    }
    if (flagged.length > 0) {
      const input = flagged.map((path) => `${path}\0`).join('')
      for (const flag of ['--no-assume-unchanged', '--no-skip-worktree'])
        await git(repository.root, [...unshared, 'update-index', flag, '-z', '--stdin'], { env, input })
    }
    return await work(env)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A split index would write its shared part into the repository's own git folder. */
export const unshared: readonly string[] = ['-c', 'core.splitIndex=false']

/** Lists files with what git was told about them, for `flaggedFiles`. */
export const listFlags: readonly string[] = ['ls-files', '-v', '-z']

/**
 * Files of the listing that git was told not to look at, but that are there and so may be part of what runs: it would call them
 * unchanged whatever is in them.
 */
export async function flaggedFiles({ root }: Repository, listed: string): Promise<string[]> {
  const flagged: string[] = []
  for (const line of listed.split('\0')) {
    // `S` for --skip-worktree, lower case for --assume-unchanged.
    if (!/^[Sa-z] /.test(line)) continue
    const path = line.slice(2)
    if ((await lstat(join(root, path)).catch(() => undefined)) !== undefined) flagged.push(path)
  }
  return flagged
}
