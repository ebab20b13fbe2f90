import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { lstat, mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { systemCode } from '../base/errors.ts'
import { gitIn } from './git-directory.ts'
import { listTree, type TreeEntry } from './tree-entries.ts'

/** What would let git write into the repository, start helpers or leave files out while it lays out a tree. */
const quietly: readonly string[] = [
  'core.bare=false',
  'core.sparseCheckout=false',
  'core.splitIndex=false',
  'core.untrackedCache=false',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.symlinks=true',
  'index.sparse=false',
].flatMap((setting) => ['-c', setting])

/** A tree that was laid out. */
export interface CheckedOut {
  readonly entries: readonly TreeEntry[]
  /** Paths whose bytes, kind or executable bit are not those of the tree. */
  readonly different: readonly string[]
}

/**
 * Lays a tree out in an empty folder through an index of its own, and checks what lies there against the tree. Filters (LFS) and line
 * ends are applied as git does for this repository. Folders of submodules stay empty. Throws as `git` does.
 */
export async function checkOut(
  gitDirectory: string,
  tree: string,
  target: string,
  signal?: AbortSignal,
): Promise<CheckedOut> {
  const directory = await mkdtemp(join(tmpdir(), 'zenml-index-'))
  const env = { GIT_WORK_TREE: target, GIT_INDEX_FILE: join(directory, 'index') }
  const options = { env, ...(signal === undefined ? {} : { signal }) }
  try {
    await gitIn(gitDirectory, [...quietly, 'read-tree', '--reset', '-u', '--no-recurse-submodules', tree], options)
    const entries = await listTree(gitDirectory, tree)
    const suspects = await filter(entries, async (entry) => !(await isRaw(target, entry)))
    return { entries, different: await unfiltered(gitDirectory, target, suspects, options) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Of the files that are not the very bytes of their objects, those that git's filters do not take back to them either. */
async function unfiltered(
  gitDirectory: string,
  target: string,
  suspects: readonly TreeEntry[],
  options: { readonly env: { readonly [name: string]: string }; readonly signal?: AbortSignal },
): Promise<string[]> {
  const different = suspects.filter(({ mode }) => mode === '120000').map(({ path }) => path)
  const files = suspects.filter(({ mode }) => mode !== '120000')
  const there = await filter(files, async ({ path, mode }) => {
    const found = await statOf(join(target, path))
    // Names with a line break cannot be given to hash-object.
    return found?.isFile() === true && (mode === '100755') === ((found.mode & 0o100) !== 0) && !path.includes('\n')
  })
  different.push(...files.filter((entry) => !there.includes(entry)).map(({ path }) => path))
  if (there.length > 0) {
    const input = there.map(({ path }) => `${path}\n`).join('')
    // Git looks for relative names and for .gitattributes from the folder that it runs in.
    const told = await gitIn(
      gitDirectory,
      [...quietly, '-c', 'core.safecrlf=false', '-C', target, 'hash-object', '--stdin-paths'],
      {
        ...options,
        input,
      },
    )
    const hashes = told.split('\n')
    different.push(...there.filter(({ object }, index) => hashes[index] !== object).map(({ path }) => path))
  }
  return different
}

async function isRaw(target: string, { mode, object, path }: TreeEntry): Promise<boolean> {
  const file = join(target, path)
  const found = await statOf(file)
  if (found === undefined) return false
  if (mode === '160000') return found.isDirectory()
  const hash = createHash(object.length === 64 ? 'sha256' : 'sha1')
  if (mode === '120000') {
    if (!found.isSymbolicLink()) return false
    const link = await readlink(file, { encoding: 'buffer' })
    return hash.update(`blob ${link.length}\0`).update(link).digest('hex') === object
  }
  if (!found.isFile() || (mode === '100755') !== ((found.mode & 0o100) !== 0)) return false
  hash.update(`blob ${found.size}\0`)
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex') === object
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The entries that a check keeps; a few files are open at once. */
async function filter(
  entries: readonly TreeEntry[],
  keeps: (entry: TreeEntry) => Promise<boolean>,
): Promise<TreeEntry[]> {
  const kept: boolean[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < entries.length; index = next++) kept[index] = await keeps(entries[index]!)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return entries.filter((_entry, index) => kept[index])
}
