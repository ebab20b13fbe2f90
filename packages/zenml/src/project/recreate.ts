import { lstat, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { artifactStore } from '../artifacts/artifact-store.ts'
import { localBlobStorage } from '../artifacts/local-blob-storage.ts'
import { overlayBlobStorage } from '../artifacts/overlay-blob-storage.ts'
import { guardGroup } from '../backends/guard.ts'
import { localBackend } from '../backends/local-backend.ts'
import { hexOf, sha256 } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { findRepository } from '../code/git-pin.ts'
import { type CodeDifference, materialiseCode } from '../code/materialise.ts'
import { layOutSources } from '../code/source-archive.ts'
import { linkPresentPackages } from '../environment/present-packages.ts'
import { recreateNode } from '../environment/recreate-node.ts'
import { recreatePackages } from '../environment/recreate-packages.ts'
import { userCacheDirectory } from '../environment/user-cache.ts'
import { isArtifactPath } from '../model/artifact.ts'
import type { RunListener } from '../model/events.ts'
import { filesOf, type PinnedRun } from '../run/pinned-run.ts'
import type { Past } from '../run/verify.ts'
import { cacheRefusal } from './cache-refusal.ts'
import { nodeFacts } from './node-facts.ts'
import type { Project } from './open-project.ts'
import { isGone } from './process-mark.ts'
import { resolveIn } from './project-config.ts'

/** A run's code, packages and Node in a folder of their own, which goes when it is disposed of. */
export interface RecreatedPast extends Past, AsyncDisposable {}

/** Options of `recreatePast`. */
export interface RecreateOptions {
  /** True: what steps give is kept in the folder and goes with it. False: it goes into the project's artifact store. */
  readonly scratch: boolean
  readonly signal: AbortSignal
  readonly onEvent: RunListener
}

/**
 * Brings back the surroundings of a run: its code from git objects or its archive, its packages from the lockfile that lies in that code, its Node
 * from npm. The user's working tree, index, HEAD and stash are not touched. What cannot be had as it was is said in `notes`.
 *
 * Throws `ZEN_CODE_GONE`, `ZEN_CODE_UNPINNED`, `ZEN_PACKAGES_RECREATE`, and `ZEN_CACHE_DIR` where the user's cache takes nothing.
 */
export async function recreatePast(
  project: Project,
  pinned: PinnedRun,
  { scratch, signal, onEvent }: RecreateOptions,
): Promise<RecreatedPast> {
  const cache = userCacheDirectory(project.workspace.environment)
  const place = await newPlace(join(cache, 'work'), project).catch((error: unknown) => {
    throw cacheRefusal(cache, error)
  })
  const dispose = (): Promise<void> => rm(place, { recursive: true, force: true, maxRetries: 3 })
  const tell = (message: string): void => onEvent({ kind: 'note', message })
  try {
    const code = join(place, 'code')
    await mkdir(code)
    const notes: string[] = []
    const folder = await layOutCode(project, pinned, code, { signal, tell, notes })
    const root = await ownFolder(code, folder)
    const node = await findNode(pinned, cache, { signal, tell, notes })
    const names = Object.keys(filesOf(pinned)).filter((path) => isArtifactPath(path))
    const files = folder === '' ? names : [...names, 'package.json'].map((path) => `${folder}/${path}`)
    await findPackages(project, { code, folder, files }, cache, node, { signal, tell, notes })
    const [cacheDirectory, temporaryDirectory] = ['cache', 'tmp'].map((name) => join(root, '.zenml', name)) as [
      string,
      string,
    ]
    await Promise.all([cacheDirectory, temporaryDirectory].map((path) => mkdir(path, { recursive: true })))
    const { workspace } = project
    const { host } = workspace
    return {
      workspace: {
        ...workspace,
        root,
        cacheDirectory,
        temporaryDirectory,
        ...(node === undefined ? {} : { node, nodeFacts: await nodeFacts(node) }),
        artifacts: scratch ? scratchStore(project, join(place, 'artifacts')) : workspace.artifacts,
        backend: localBackend({ host, ...(node === undefined ? {} : { node }) }),
      },
      store: project.artifacts,
      presentRoot: project.root,
      notes,
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw cacheRefusal(cache, error)
  }
}

/** A folder for one past run; what killed commands have left goes. */
async function newPlace(work: string, project: Project): Promise<string> {
  await mkdir(work, { recursive: true })
  await sweep(work, project)
  return await mkdtemp(join(work, `past-${hostKey(project)}-${process.pid}-`))
}

interface Hooks {
  readonly signal: AbortSignal
  tell(message: string): void
}

/** Lays the code out and gives the folder in it that was the project's root, relative to it: mostly the empty path. */
async function layOutCode(
  project: Project,
  pinned: PinnedRun,
  target: string,
  { signal, tell, notes }: Hooks & { readonly notes: string[] },
): Promise<string> {
  const { code } = pinned
  if (code.tree === null) {
    if (code.archive === undefined || code.archive === null) {
      throw new ZenmlError('ZEN_CODE_UNPINNED', `Run ${pinned.id} did not pin its code: it was made outside of git.`, {
        next: 'Run "git init" and commit, so that later runs can be made again.',
      })
    }
    const place = join(target, '..', 'archive')
    await project.artifacts.pull(code.archive, place)
    await layOutSources(place, target)
    return ''
  }
  // Git names real paths.
  const present = await realpath(project.root)
  const { differences } = await materialiseCode({
    repository: present,
    pin: code,
    target,
    files: filesOf(pinned),
    signal,
    onProgress: tell,
  })
  if (differences.length > 0) {
    const note = differencesNote(differences)
    notes.push(note)
    // Planning may fail because of it, before anybody reads the notes.
    tell(note)
  }
  const repository = await findRepository(present)
  return repository === undefined ? '' : relative(repository.root, present).split(sep).join('/')
}

function differencesNote(differences: readonly CodeDifference[]): string {
  const why: { readonly [kind in CodeDifference['kind']]: string } = {
    tree: 'not what git pinned',
    content: 'not the bytes that ran',
    missing: 'not pinned: ignored by git, or too large',
    submodule: 'a submodule that cannot be had',
  }
  const told = differences.slice(0, 5).map(({ path, kind }) => `${path} (${why[kind]})`)
  const more = differences.length > told.length ? ` and ${differences.length - told.length} more` : ''
  return `The code could not be laid out as it was: ${told.join(', ')}${more}.`
}

/**
 * The project's folder in the code, without a `.zenml` that was committed: a link of that name, or on the way there, would lead what is written for
 * the steps out of this place.
 */
async function ownFolder(code: string, folder: string): Promise<string> {
  let current = code
  for (const part of folder.split('/').filter(Boolean)) {
    current = join(current, part)
    const found = await lstat(current).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (found?.isDirectory() === true) continue
    throw new ZenmlError(
      'ZEN_CODE_GONE',
      `The run's code has no folder ${folder}, where this project is now${found?.isSymbolicLink() === true ? ': a link is there' : ''}.`,
      { facts: { folder }, next: 'Make the run again from a clone in which the project is where it was.', exitCode: 1 },
    )
  }
  await rm(join(current, '.zenml'), { recursive: true, force: true })
  return current
}

async function findNode(
  pinned: PinnedRun,
  cache: string,
  { signal, tell, notes }: Hooks & { readonly notes: string[] },
): Promise<string | undefined> {
  const version = pinned.environment['node']
  if (typeof version !== 'string' || version === process.versions.node) return undefined
  tell(`Node ${version}`)
  const found = await recreateNode({ version, cacheDirectory: cache, signal, guard: guardGroup })
  if (found.kind === 'found') return found.path
  if (found.kind === 'unavailable')
    notes.push(`Node ${version} could not be had (${found.reason}); Node ${process.versions.node} runs the steps.`)
  return undefined
}

async function findPackages(
  project: Project,
  { code, folder, files }: { readonly code: string; readonly folder: string; readonly files: readonly string[] },
  cache: string,
  node: string | undefined,
  { signal, tell, notes }: Hooks & { readonly notes: string[] },
): Promise<void> {
  const found = await recreatePackages({
    root: code,
    files,
    ...(node === undefined ? {} : { node }),
    cacheDirectory: cache,
    signal,
    onOutput: tell,
    guard: guardGroup,
  })
  // As many folders up as the project lies deep in its repository.
  const present = join(
    await realpath(project.root),
    ...folder
      .split('/')
      .filter(Boolean)
      .map(() => '..'),
  )
  const linked = await linkPresentPackages(code, present, files)
  if (linked.length === 0 && found.kind === 'recreated') return
  const where = linked.filter((path) => path !== '.' && path !== folder)
  const other = found.kind === 'no-lockfile' && found.other !== null ? ` (${found.other} is not read)` : ''
  notes.push(
    `The code has no package-lock.json${where.length === 0 ? '' : ` for ${where.join(', ')}`}${other}: the packages that are installed now are used.`,
  )
}

function scratchStore(project: Project, directory: string): Project['artifacts'] {
  const lower = localBlobStorage(resolveIn(project.home, project.config.artifacts.path))
  return artifactStore(overlayBlobStorage(localBlobStorage(directory), lower))
}

/** Stands for the machine in the name of a folder. */
function hostKey(project: Project): string {
  return hexOf(sha256(Buffer.from(project.workspace.process.host))).slice(0, 12)
}

/** Removes what commands that were killed have left. */
async function sweep(work: string, project: Project): Promise<void> {
  const names = await readdir(work)
  const { host } = project.workspace.process
  await Promise.all(
    names.map(async (name) => {
      // Other machines and containers may share the cache: their processes cannot be seen from here.
      const [, key, pid] = /^past-([0-9a-f]{12})-(\d+)-/.exec(name) ?? []
      if (key === hostKey(project) && pid !== undefined && isGone({ host, pid: Number(pid), started: '' }) === true)
        await rm(join(work, name), { recursive: true, force: true }).catch((error: unknown) => {
          // Another user's, who shares this cache, and who clears it away.
          if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error
        })
    }),
  )
}
