import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findRepository, readPin, type WorkingState } from '../../src/code/git-pin.ts'
import { snapshotDirtyTree, type TreeSnapshot } from '../../src/code/git-snapshot.ts'
import { testEnvironment } from '../support/project.ts'

/** A real git repository in a temporary folder. */
export interface GitRepository {
  readonly root: string
  git(...args: string[]): string
  write(path: string, content: string | Uint8Array): void
  commit(): string
  /** What is checked out. */
  state(): Promise<WorkingState>
  snapshot(): Promise<TreeSnapshot>
  /** Path to mode and content of every file of a commit or tree. */
  tree(name: string): { readonly [path: string]: string }
  /** Digest of all that a snapshot must leave alone: working tree, index, HEAD, branches, stash, settings. */
  untouched(): string
}

/** Folders of repositories that are removed together. */
export class GitFolder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), 'zenml git é-')))

  repository(name: string, { init = true }: { readonly init?: boolean } = {}): GitRepository {
    const root = join(this.path, name)
    mkdirSync(root, { recursive: true })
    if (init) gitIn(root, ['init', '-q', '-b', 'main'])
    return repositoryAt(root)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A repository that is there. */
export function repositoryAt(root: string): GitRepository {
  const git = (...args: string[]): string => gitIn(root, args)
  const found = async (): Promise<NonNullable<Awaited<ReturnType<typeof findRepository>>>> =>
    (await findRepository(root))!
  return {
    root,
    git,
    write(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    },
    commit() {
      git('add', '-A')
      git('commit', '-q', '-m', 'work')
      return git('rev-parse', 'HEAD').trim()
    },
    state: async () => await readPin(await found()),
    async snapshot() {
      const repository = await found()
      return await snapshotDirtyTree(repository, await readPin(repository), { exclude: ['.zenml'] })
    },
    tree(name) {
      const lines = git('ls-tree', '-r', '-z', '--full-tree', name).split('\0').filter(Boolean)
      return Object.fromEntries(
        lines.map((line) => {
          const [facts = '', path = ''] = line.split('\t')
          const [mode, kind, id = ''] = facts.split(' ')
          return [path, `${mode} ${kind === 'commit' ? id : git('cat-file', 'blob', id)}`]
        }),
      )
    },
    untouched() {
      const hash = createHash('sha256')
      const visit = (folder: string): void => {
        for (const name of readdirSync(folder).sort()) {
          const path = join(folder, name)
          // What a snapshot adds: objects, and references of its own.
          if (/\/(?:objects|refs\/zenml)$/.test(path)) continue
          const { mode, mtimeMs } = lstatSync(path)
          if (lstatSync(path).isDirectory()) {
            visit(path)
            continue
          }
          const content = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path)
          hash.update(`${path}\n${mode}\n${mtimeMs}\n`).update(content)
        }
      }
      visit(root)
      return hash.digest('hex')
    },
  }
}

/** Runs git as in tests: none of the user's settings; submodules may come from folders. */
export function gitIn(root: string, args: readonly string[]): string {
  return execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], {
    cwd: root,
    env: testEnvironment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
