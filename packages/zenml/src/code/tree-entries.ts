import { gitIn } from './git-directory.ts'

/** A file of a git tree. */
export interface TreeEntry {
  readonly mode: '100644' | '100755' | '120000' | '160000'
  readonly object: string
  /** Relative to the tree's top. */
  readonly path: string
}

/** Every file, link and submodule of a tree, without its folders, in git's order. Throws as `git` does. */
export async function listTree(gitDirectory: string, tree: string): Promise<TreeEntry[]> {
  const listed = await gitIn(gitDirectory, ['ls-tree', '-r', '-z', '--full-tree', tree])
  return listed
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [mode, , object] = line.slice(0, line.indexOf('\t')).split(' ')
      return { mode: mode as TreeEntry['mode'], object: object!, path: line.slice(line.indexOf('\t') + 1) }
    })
}
