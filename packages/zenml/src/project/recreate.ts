import { mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { artifactStore } from '../artifacts/artifact-store.ts'
import { localBlobStorage } from '../artifacts/local-blob-storage.ts'
import { overlayBlobStorage } from '../artifacts/overlay-blob-storage.ts'
import { localBackend } from '../backends/local-backend.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { findRepository } from '../code/git-pin.ts'
import { materialiseCode } from '../code/materialise.ts'
import { layOutSources } from '../code/source-archive.ts'
import { recreateNode } from '../environment/recreate-node.ts'
import { recreatePackages } from '../environment/recreate-packages.ts'
import { userCacheDirectory } from '../environment/user-cache.ts'
import type { RunListener } from '../model/events.ts'
import { filesOf, type PinnedRun } from '../run/pinned-run.ts'
import type { Past } from '../run/verify.ts'
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
 * Throws `ZEN_CODE_GONE`, `ZEN_CODE_UNPINNED`, `ZEN_PACKAGES_RECREATE`.
 */
export async function recreatePast(
  project: Project,
  pinned: PinnedRun,
  { scratch, signal, onEvent }: RecreateOptions,
): Promise<RecreatedPast> {
  const cache = userCacheDirectory(project.workspace.environment)
  const work = join(cache, 'work')
  await mkdir(work, { recursive: true })
  await sweep(work, project)
  const place = await mkdtemp(join(work, `past-${process.pid}-`))
  const dispose = (): Promise<void> => rm(place, { recursive: true, force: true, maxRetries: 3 })
  const tell = (message: string): void => onEvent({ kind: 'note', message })
  try {
    const code = join(place, 'code')
    await mkdir(code)
    const root = await layOutCode(project, pinned, code, { signal, tell })
    const notes: string[] = []
    const node = await findNode(pinned, cache, { signal, tell, notes })
    await findPackages(project, root, cache, node, { signal, tell, notes })
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
    throw error
  }
}

interface Hooks {
  readonly signal: AbortSignal
  tell(message: string): void
}

/** Lays the code out and gives the folder in it that was the project's root. */
async function layOutCode(
  project: Project,
  pinned: PinnedRun,
  target: string,
  { signal, tell }: Hooks,
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
    return target
  }
  await materialiseCode({
    repository: project.root,
    pin: code,
    target,
    files: filesOf(pinned),
    signal,
    onProgress: tell,
  })
  const repository = await findRepository(project.root)
  return repository === undefined ? target : join(target, relative(repository.root, project.root))
}

async function findNode(
  pinned: PinnedRun,
  cache: string,
  { signal, tell, notes }: Hooks & { readonly notes: string[] },
): Promise<string | undefined> {
  const version = pinned.environment['node']
  if (typeof version !== 'string' || version === process.versions.node) return undefined
  tell(`Node ${version}`)
  const found = await recreateNode({ version, cacheDirectory: cache, signal })
  if (found.kind === 'found') return found.path
  if (found.kind === 'unavailable')
    notes.push(`Node ${version} could not be had (${found.reason}); Node ${process.versions.node} runs the steps.`)
  return undefined
}

async function findPackages(
  project: Project,
  root: string,
  cache: string,
  node: string | undefined,
  { signal, tell, notes }: Hooks & { readonly notes: string[] },
): Promise<void> {
  const found = await recreatePackages({
    root,
    ...(node === undefined ? {} : { node }),
    cacheDirectory: cache,
    signal,
    onOutput: tell,
  })
  if (found.kind !== 'no-lockfile') return
  notes.push('The code has no package-lock.json: the packages that are installed now are used.')
  const installed = join(project.root, 'node_modules')
  if ((await stat(installed).catch(() => undefined)) !== undefined)
    await symlink(installed, join(root, 'node_modules'), 'junction')
}

function scratchStore(project: Project, directory: string): Project['artifacts'] {
  const lower = localBlobStorage(resolveIn(project.home, project.config.artifacts.path))
  return artifactStore(overlayBlobStorage(localBlobStorage(directory), lower))
}

/** Removes what commands that were killed have left. */
async function sweep(work: string, project: Project): Promise<void> {
  let names: string[] = []
  try {
    names = await readdir(work)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  const { host } = project.workspace.process
  await Promise.all(
    names.map(async (name) => {
      const pid = /^past-(\d+)-/.exec(name)?.[1]
      if (pid !== undefined && isGone({ host, pid: Number(pid), started: '' }) === true)
        await rm(join(work, name), { recursive: true, force: true })
    }),
  )
}
