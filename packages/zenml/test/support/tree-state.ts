import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from './project.ts'

/** Every byte that a user of git could lose: files with their modes, the index, HEAD, refs, stash, linked worktrees. */
export function repositoryState({ root, git }: TestProject): { readonly [name: string]: string } {
  return {
    files: digestTree(root, ['.git', '.zenml', 'node_modules']),
    index: digest(readFileSync(join(root, '.git/index'))),
    head: readFileSync(join(root, '.git/HEAD'), 'utf8'),
    refs: git('for-each-ref'),
    stash: git('stash', 'list'),
    worktrees: git('worktree', 'list'),
    config: readFileSync(join(root, '.git/config'), 'utf8'),
  }
}

/** A digest of the names, modes and contents of all files below a folder; of nothing where there is none. */
export function digestTree(root: string, without: readonly string[] = []): string {
  if (!existsSync(root)) return 'nothing'
  const hash = createHash('sha256')
  const visit = (directory: string, name: string): void => {
    for (const entry of readdirSync(directory).sort()) {
      if (name === '' && without.includes(entry)) continue
      const path = join(directory, entry)
      const stat = lstatSync(path)
      hash.update(`${name}/${entry} ${stat.mode}\n`)
      if (stat.isSymbolicLink()) hash.update(readlinkSync(path))
      else if (stat.isDirectory()) visit(path, `${name}/${entry}`)
      else hash.update(readFileSync(path))
    }
  }
  visit(root, '')
  return hash.digest('hex')
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
