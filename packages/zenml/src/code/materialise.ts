import { mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { CodePin } from '../model/run.ts'
import { checkOut } from './check-out.ts'
import { fetchObjects } from './fetch-objects.ts'
import { findGitDirectory, type GitDirectory, isRefusal } from './git-directory.ts'
import { mendLineEnds } from './line-ends.ts'
import { gitWords } from './remotes.ts'
import { findSubmodule } from './submodules.ts'
import type { TreeEntry } from './tree-entries.ts'

/** What is to be laid out, and where. */
export interface MaterialiseOptions {
  /** A folder of the repository, or a bare repository. */
  readonly repository: string
  readonly pin: CodePin
  /** An empty folder, or one that can be made. */
  readonly target: string
  /** What the run's steps read, relative to `repository`, with the digests of the bytes. Default nothing. */
  readonly files?: { readonly [path: string]: Digest }
  readonly signal?: AbortSignal
  /** Told what takes long, as sentences. */
  readonly onProgress?: (message: string) => void
}

/** A file that is not what it was. */
export interface CodeDifference {
  /** Relative to the target. */
  readonly path: string
  /**
   * `tree`: not what the pinned tree says. `content`: the tree has it, but not with the bytes that the run read. `missing`: the tree does not
   * have it (git ignored it, or it was too large). `submodule`: its commit is nowhere to be had, and no file of the run lies in it.
   */
  readonly kind: 'tree' | 'content' | 'missing' | 'submodule'
}

/** Code that was laid out. */
export interface MaterialisedCode {
  /** SHA of the tree that lies in the target now. */
  readonly tree: string
  /** From where it had to be fetched, else null. */
  readonly fetchedFrom: string | null
  /** Nothing where all is as it was. */
  readonly differences: readonly CodeDifference[]
  /** Symbolic links that lead out of the target; whoever goes on is not to follow them. */
  readonly leading: readonly string[]
}

/**
 * Lays the tree of a pin out in an empty folder, from git objects. The user's index, HEAD, working tree, stash, branches and worktrees are not
 * touched. What is missing is fetched from the recorded remote under `refs/zenml/fetched/`, which keeps it. What was laid out is checked
 * against the tree and against what the run read.
 *
 * Throws `ZEN_CODE_GONE` where objects are nowhere to be had, `ZEN_CODE_UNPINNED` for a pin without a tree, `ZEN_CODE_PIN` for a damaged
 * one, `ZEN_CODE_TARGET` for a folder that is not empty or takes no more.
 *
 * @example
 * await materialiseCode({ repository: root, pin: run.code, target: join(place, 'code') })
 */
export async function materialiseCode(options: MaterialiseOptions): Promise<MaterialisedCode> {
  const { repository, target, files = {}, signal, onProgress = () => undefined } = options
  const pin = checkedPin(options.pin)
  const home = await findGitDirectory(repository)
  await takeEmpty(target)
  const scratch = await mkdtemp(join(tmpdir(), 'zenml-submodules-'))
  try {
    const fetchedFrom = await bring(home, pin, onProgress, signal)
    const prefix = home.workTree === null ? '' : relative(home.workTree, repository).split(sep).join('/')
    const named = Object.entries(files).filter(([path]) => !isAbsolute(path))
    const needed = named.map(([path]): readonly [string, Digest] => [
      prefix === '' ? path : `${prefix}/${path}`,
      files[path]!,
    ])
    const laidOut = await layOut(
      { home, tree: pin.tree, remote: pin.remote, target, at: '' },
      { needed: needed.map(([path]) => path), scratch, onProgress, ...(signal === undefined ? {} : { signal }) },
    )
    const tree = new Set(laidOut.entries.filter(({ mode }) => mode !== '160000').map(({ path }) => path))
    const differences = new Map<string, CodeDifference['kind']>([
      ...laidOut.different.map((path) => [path, 'tree'] as const),
      ...laidOut.absent.map((path) => [path, 'submodule'] as const),
    ])
    for (const [path, digest] of needed) {
      const state = await mendLineEnds(target, path, digest)
      if (state === 'missing') differences.set(path, tree.has(path) ? 'content' : 'missing')
      else if (state === 'different') differences.set(path, 'content')
      else differences.delete(path)
    }
    return {
      tree: pin.tree,
      fetchedFrom,
      differences: [...differences].map(([path, kind]) => ({ path, kind })).sort((a, b) => compareText(a.path, b.path)),
      leading: await leadingLinks(target, laidOut.entries),
    }
  } catch (error) {
    for (const name of await readdir(target)) await rm(join(target, name), { recursive: true, force: true })
    throw error
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** A pin comes from a store, which anyone may have written. */
function checkedPin(pin: CodePin): CodePin & { readonly tree: string } {
  const { tree, commit, ref } = pin
  if (tree === null) {
    throw new ZenmlError('ZEN_CODE_UNPINNED', 'The run did not pin its code in git.', {
      next: 'Run "git init" and commit, so that later runs can be made again.',
    })
  }
  const isObject = (text: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
  if (
    !isObject(tree) ||
    (commit !== null && !isObject(commit)) ||
    (ref !== null && ref !== `refs/zenml/snapshots/${tree}`)
  ) {
    throw new ZenmlError(
      'ZEN_CODE_PIN',
      `The run's record of its code is damaged: ${JSON.stringify({ commit, tree, ref })}.`,
      {
        facts: { commit, tree, ref },
        next: 'Look at the metadata store: commit and tree are to be object names, ref is to name the tree.',
      },
    )
  }
  return { ...pin, tree }
}

async function takeEmpty(target: string): Promise<void> {
  await mkdir(target, { recursive: true })
  if ((await readdir(target)).length > 0)
    throw new ZenmlError('ZEN_CODE_TARGET', `${target} is not empty.`, { next: 'Name an empty folder.' })
}

/** Sees to it that the tree is here; gives where it came from. */
async function bring(
  home: GitDirectory,
  pin: CodePin & { readonly tree: string },
  onProgress: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const branch =
    pin.branch !== null && /^(?!-)[^\s~^:?*[\\\x00-\x1f\x7f]+$/.test(pin.branch) ? [`refs/heads/${pin.branch}`] : []
  const commit = pin.commit === null ? [] : [pin.commit]
  const end = await fetchObjects({
    gitDirectory: home.path,
    wanted: `${pin.tree}^{tree}`,
    sources: pin.dirty ? [`refs/zenml/snapshots/${pin.tree}`] : [...commit, ...branch],
    // By what is wanted: a pin may name the commit of another tree, and what that ref keeps is to stay.
    keep: `refs/zenml/fetched/${pin.tree}`,
    remote: pin.remote,
    ...(signal === undefined ? {} : { signal }),
  })
  if (end.kind === 'here') return null
  if (end.kind === 'gone') {
    const what = pin.dirty ? `The uncommitted changes that ran (tree ${pin.tree})` : `Commit ${pin.commit ?? pin.tree}`
    throw gone(
      `${what} cannot be had: this repository lacks them, and no remote has them.`,
      end.tried,
      pin.dirty
        ? 'Run "zenml code push" where the run was made, then try again.'
        : 'Push the commit from where the run was made, or fetch it here, then try again.',
    )
  }
  onProgress(`Fetched the code from ${end.from}.`)
  return end.from
}

interface Place {
  readonly home: GitDirectory
  readonly tree: string
  readonly remote: string | null
  readonly target: string
  /** Path of the folder in the target of the whole. */
  readonly at: string
}

interface Surroundings {
  readonly needed: readonly string[]
  readonly scratch: string
  readonly signal?: AbortSignal
  onProgress(message: string): void
}

/** What was laid out, submodules included; all paths are those of the whole. */
interface LaidOut {
  readonly entries: TreeEntry[]
  readonly different: string[]
  /** Submodules that nothing needs and nobody has. */
  readonly absent: string[]
}

async function layOut(place: Place, around: Surroundings): Promise<LaidOut> {
  const { home, tree, target, at } = place
  const { signal } = around
  const whole = (path: string): string => (at === '' ? path : `${at}/${path}`)
  const { entries, different } = await checkOut(home.path, tree, target, signal).catch((error: unknown) => {
    if (!isRefusal(error)) throw error
    if (/unable to (?:write|create)|cannot (?:write|create)|No space left|Disk quota/i.test(error.message)) {
      throw new ZenmlError('ZEN_CODE_TARGET', `The code cannot be written to ${target}: ${gitWords(error)}`, {
        next: 'Make room there and see that it can be written.',
        exitCode: 1,
        cause: error,
      })
    }
    // The tree is here, but not all that it names: a damaged repository, or a partial clone without its remote.
    throw gone(`Tree ${tree} cannot be laid out.`, [gitWords(error)], 'Run "git fsck", and fetch what is missing.')
  })
  const result: LaidOut = {
    entries: entries.map((entry) => ({ ...entry, path: whole(entry.path) })),
    different: different.map(whole),
    absent: [],
  }
  for (const entry of entries.filter(({ mode }) => mode === '160000')) {
    const path = whole(entry.path)
    const found = await findSubmodule({ ...around, parent: home, tree, entry, remote: place.remote })
    if (found.kind === 'gone') {
      if (around.needed.length === 0 || around.needed.some((file) => file.startsWith(`${path}/`))) {
        throw gone(
          `Commit ${entry.object} of the submodule ${path} cannot be had: it is neither in its repository here nor at its address.`,
          found.tried,
          `Run "git submodule update --init ${path}", or push the commit from where the run was made.`,
        )
      }
      around.onProgress(
        `Submodule ${path} stays empty: its commit cannot be had, and no step of the run read a file in it.`,
      )
      result.absent.push(path)
      continue
    }
    const inner = await layOut(
      {
        home: found.gitDirectory,
        tree: `${entry.object}^{tree}`,
        remote: found.remote,
        target: join(target, entry.path),
        at: path,
      },
      around,
    )
    for (const key of ['entries', 'different', 'absent'] as const) (result[key] as unknown[]).push(...inner[key])
  }
  return result
}

/** Links whose target lies outside, as text: links on the way are not followed. */
async function leadingLinks(target: string, entries: readonly TreeEntry[]): Promise<string[]> {
  const leading: string[] = []
  for (const { path, mode } of entries) {
    if (mode !== '120000') continue
    const to = relative(target, resolve(dirname(join(target, path)), await readlink(join(target, path))))
    if (isAbsolute(to) || to === '..' || to.startsWith(`..${sep}`)) leading.push(path)
  }
  return leading
}

function gone(message: string, tried: readonly string[], next: string): ZenmlError {
  const told = tried.length === 0 ? 'No remote is configured or recorded.' : `Tried: ${tried.join('; ')}.`
  return new ZenmlError('ZEN_CODE_GONE', `${message} ${told}`, { facts: { tried: [...tried] }, next, exitCode: 1 })
}
