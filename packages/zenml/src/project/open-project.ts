import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ArtifactStore, artifactStore } from '../artifacts/artifact-store.ts'
import { localBlobStorage } from '../artifacts/local-blob-storage.ts'
import { localBackend } from '../backends/local-backend.ts'
import { systemClock } from '../base/clock.ts'
import { ZenmlError } from '../base/errors.ts'
import { randomIds } from '../base/ids.ts'
import { openDatabase } from '../metadata/open.ts'
import { type RunRecords, runRecords } from '../metadata/run-records.ts'
import type { SqlDatabase } from '../metadata/sql/database.ts'
import type { StoresSpec } from '../model/pipeline-spec.ts'
import type { Workspace } from '../run/workspace.ts'
import { metadataLocation } from './credentials.ts'
import { openFileDigests } from './file-digests.ts'
import { nodeFacts } from './node-facts.ts'
import { withStores } from './pipeline-stores.ts'
import { isGone, markProcess } from './process-mark.ts'
import { type ProjectConfig, readConfig, resolveIn } from './project-config.ts'

/** An open project: its stores, and what a run needs. Closes itself. */
export interface Project extends AsyncDisposable {
  readonly root: string
  /** `.zenml` */
  readonly home: string
  readonly config: ProjectConfig
  /** The database of ML Metadata, below the records. */
  readonly metadata: SqlDatabase
  readonly records: RunRecords
  readonly artifacts: ArtifactStore
  readonly workspace: Workspace
}

/** What differs between the command line and an embedding program. */
export interface OpenOptions {
  /** The variables that steps may declare. Default the process's own. */
  readonly environment?: { readonly [name: string]: string | undefined }
  /** Which Node runs the steps. Default the one that runs this process. */
  readonly node?: string
  /** Stores instead of the project's; paths are relative to its root and stay inside of it. */
  readonly stores?: StoresSpec
}

/**
 * Opens the project that holds a folder.
 *
 * Throws `ZEN_PROJECT_MISSING` where no folder from here upwards has a `.zenml` with a configuration, `ZEN_CONFIG_STORE` for a
 * store of `options` that leads out of the repository.
 *
 * @example
 * await using project = await openProject(directory)
 * const runs = await project.records.listRuns({ limit: 5 })
 */
export async function openProject(directory: string, options: OpenOptions = {}): Promise<Project> {
  const root = findRoot(directory)
  if (root === undefined) {
    throw new ZenmlError(
      'ZEN_PROJECT_MISSING',
      `No ZenML project here: neither ${directory} nor a folder above it has a .zenml folder.`,
      {
        next: 'Run "zenml init" first.',
      },
    )
  }
  const home = join(root, '.zenml')
  const config = withStores((await readConfig(home))!, root, options.stores)
  const [cacheDirectory, temporaryDirectory, viewDirectory] = ['cache', 'tmp', 'view'].map((name) =>
    join(home, name),
  ) as [string, string, string]
  const artifactsDirectory = resolveIn(home, config.artifacts.path)
  await Promise.all(
    [cacheDirectory, temporaryDirectory, artifactsDirectory].map((path) => mkdir(path, { recursive: true })),
  )
  const metadata = await openDatabase(await metadataLocation(home, config.metadata, options.environment ?? process.env))
  const records = runRecords(metadata)
  const artifacts = artifactStore(localBlobStorage(artifactsDirectory))
  const fileDigests = await openFileDigests(join(cacheDirectory, 'files.json'))
  const host = hostPath()
  const workspace: Workspace = {
    root,
    cacheDirectory,
    temporaryDirectory,
    viewDirectory,
    dataRoots: config.data.roots.map((path) => resolveIn(home, path)),
    node: options.node ?? process.execPath,
    nodeFacts:
      options.node === undefined
        ? { node: process.versions.node, v8: process.versions.v8 }
        : await nodeFacts(options.node),
    host,
    records,
    artifacts,
    backend: localBackend({ host, ...(options.node === undefined ? {} : { node: options.node }) }),
    fileDigests,
    clock: systemClock,
    ids: randomIds,
    process: markProcess(),
    isGone,
    environment: options.environment ?? process.env,
  }
  return {
    root,
    home,
    config,
    metadata,
    records,
    artifacts,
    workspace,
    async [Symbol.asyncDispose]() {
      await fileDigests.save()
      await metadata[Symbol.asyncDispose]()
    },
  }
}

/** The artifact store that a pipeline uses: the one that it names, else the project's. */
export async function artifactsOf(project: Project, stores: StoresSpec | undefined): Promise<ArtifactStore> {
  if (stores?.artifacts === undefined) return project.artifacts
  const { artifacts } = withStores(project.config, project.root, stores)
  const directory = resolveIn(project.home, artifacts.path)
  await mkdir(directory, { recursive: true })
  return artifactStore(localBlobStorage(directory))
}

/** The nearest folder from here upwards that holds a project. */
export function findRoot(directory: string): string | undefined {
  for (let current = directory; ; current = dirname(current)) {
    if (existsSync(join(current, '.zenml', 'config.json'))) return current
    if (current === parse(current).root) return undefined
  }
}

/** The built entry point of steps, from the command line's chunks as well as from the sources. */
function hostPath(): string {
  for (let current = dirname(fileURLToPath(import.meta.url)); ; current = dirname(current)) {
    const path = join(current, 'dist', 'step-host.js')
    if (existsSync(path)) return path
    if (current === parse(current).root)
      throw new ZenmlError('ZEN_BUILD_MISSING', 'dist/step-host.js is missing.', { next: 'Run "npm run build".' })
  }
}
