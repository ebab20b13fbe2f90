import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'
import { findRepository, readPin } from '../../src/code/git-pin.ts'
import { snapshotDirtyTree } from '../../src/code/git-snapshot.ts'
import type { CodePin } from '../../src/model/run.ts'
import { gitIn } from './git-repository.ts'

const made: string[] = []
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** An empty folder that is removed after the test. */
export function temporaryFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-past-')))
  made.push(path)
  return path
}

/** Runs git as `gitIn`, and leaves white space around what it says out. */
export function runGit(directory: string, ...args: string[]): string {
  return gitIn(directory, args).trim()
}

/** A repository in a folder of its own, with one commit where files are given. */
export function repositoryWith(files: { readonly [path: string]: string | Uint8Array } = {}): string {
  const root = temporaryFolder()
  runGit(root, 'init', '-q', '-b', 'main')
  if (Object.keys(files).length > 0) commitFiles(root, files)
  return root
}

/** Writes files, commits all, and gives the commit. */
export function commitFiles(root: string, files: { readonly [path: string]: string | Uint8Array }): string {
  execFileSync(process.execPath, ['-e', writer], {
    cwd: root,
    input: JSON.stringify(
      Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString('base64')]),
    ),
  })
  runGit(root, 'add', '-A')
  runGit(root, 'commit', '-q', '-m', 'work')
  return runGit(root, 'rev-parse', 'HEAD')
}

const writer = `for (const [path, content] of JSON.parse(require('fs').readFileSync(0, 'utf8'))) { require('fs').mkdirSync(require('path').dirname(path), { recursive: true }); require('fs').writeFileSync(path, Buffer.from(content, 'base64')) }`

/** The pin of a run that starts now. */
export async function pinNow(root: string): Promise<CodePin> {
  const repository = (await findRepository(root))!
  const state = await readPin(repository)
  const { pin } = state
  if (!pin.dirty) return pin
  const { tree, ref } = await snapshotDirtyTree(repository, state)
  return { ...pin, tree, ref }
}

/** Every byte that a user of git could lose. */
export function stateOf(root: string): { readonly [name: string]: string } {
  const gitDirectory = runGit(root, 'rev-parse', '--absolute-git-dir')
  const bytes = (path: string): string =>
    existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'none'
  return {
    files: JSON.stringify(filesOf(root)),
    index: bytes(join(gitDirectory, 'index')),
    head: bytes(join(gitDirectory, 'HEAD')),
    config: bytes(join(gitDirectory, 'config')),
    fetchHead: bytes(join(gitDirectory, 'FETCH_HEAD')),
    shallow: bytes(join(gitDirectory, 'shallow')),
    refs: runGit(root, 'for-each-ref'),
    stash: bytes(join(gitDirectory, 'logs/refs/stash')),
    worktrees: runGit(root, 'worktree', 'list'),
    top: readdirSync(gitDirectory)
      .filter((name) => name !== 'objects' && name !== 'refs')
      .join(' '),
  }
}

/** Content of every file below a folder, links as `-> target`, executable ones with `!` before. */
export function filesOf(root: string): { readonly [path: string]: string } {
  const files: { [path: string]: string } = {}
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isDirectory() || name === '.git' || name.startsWith('.git/') || dirname(name).split('/').includes('.git'))
      continue
    const mark = !entry.isSymbolicLink() && (lstatSync(path).mode & 0o100) !== 0 ? '!' : ''
    files[name] = entry.isSymbolicLink() ? `-> ${readlinkSync(path)}` : mark + readFileSync(path, 'latin1')
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
}
