import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, ZenmlError } from '../base/errors.ts'
import { openDatabase } from '../metadata/open.ts'
import type { SqliteJournal } from '../metadata/sql/location.ts'
import { staysInside } from '../model/pipeline-spec.ts'
import { inFolder, keepPassword, metadataLocation } from './credentials.ts'
import { type ServerMetadata, variableOf } from './metadata-config.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { findRoot } from './open-project.ts'
import { configFile, type ProjectConfig, readConfig, writeConfig } from './project-config.ts'

/**
 * Keeps metadata in another SQLite database from now on; it is opened or made, and given the journal, before that is saved.
 *
 * Throws `ZEN_STORE_WRITE` and what opening throws, and then nothing has changed.
 */
export async function setMetadataStore(
  directory: string,
  uri: string,
  journal?: SqliteJournal,
): Promise<ProjectConfig> {
  const asked = journal === undefined ? {} : { journal }
  return await change(directory, async (home) => {
    const path = resolve(directory, pathOf(uri))
    await mkdir(join(path, '..'), { recursive: true }).catch((error: unknown) => {
      throw cannotWrite(join(path, '..'), error)
    })
    await using _opened = await openDatabase({ type: 'sqlite', path, ...asked })
    return { metadata: { type: 'sqlite', path: kept(home, path), ...asked } }
  })
}

/**
 * Keeps metadata on a server from now on; it is connected to, and the schema made or checked, before that is saved. Paths of its
 * socket and certificates are relative to the folder. A password goes to the user's credentials file; `${env:NAME}` is kept as it is.
 *
 * Throws what `openDatabase` throws, `ZEN_METADATA_PASSWORD` where the password cannot be had or kept; then nothing has changed.
 */
export async function setMetadataServer(
  directory: string,
  given: Omit<ServerMetadata, 'password'>,
  password: string | undefined,
  environment: { readonly [name: string]: string | undefined },
): Promise<ProjectConfig> {
  return await change(directory, async (home) => {
    const server = inFolder(directory, given)
    const reference = password !== undefined && variableOf(password) !== undefined
    const metadata: ServerMetadata = reference ? { ...server, password } : server
    const location =
      password === undefined || reference
        ? await metadataLocation(home, metadata, environment)
        : { ...server, password }
    await using _opened = await openDatabase(location)
    if (password !== undefined && !reference) await keepPassword(metadata, password, environment)
    return { metadata }
  })
}

/** Keeps artifacts in another folder from now on; that it can be written is tried before it is saved. Throws `ZEN_STORE_WRITE`. */
export async function setArtifactStore(directory: string, uri: string): Promise<ProjectConfig> {
  return await change(directory, async (home) => {
    const path = resolve(directory, pathOf(uri))
    const trial = join(path, `.zenml-trial-${process.pid}`)
    try {
      await mkdir(path, { recursive: true })
      await writeFile(trial, '', { flag: 'wx' })
      await rm(trial)
    } catch (error) {
      throw cannotWrite(path, error)
    }
    return { artifacts: { type: 'local', path: kept(home, path) } }
  })
}

function cannotWrite(path: string, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_STORE_WRITE', `${path} cannot be written: ${messageOf(cause)}.`, {
    facts: { path },
    next: 'See that you may write there, or name another place; nothing has changed.',
    cause,
  })
}

/** The configuration of the project that holds a folder, without opening its stores. Throws `ZEN_PROJECT_MISSING`. */
export async function storesOfProject(
  directory: string,
): Promise<{ readonly root: string; readonly home: string; readonly config: ProjectConfig }> {
  const root = findRoot(directory)
  if (root === undefined)
    throw new ZenmlError('ZEN_PROJECT_MISSING', `No ZenML project here: ${directory} has no .zenml folder above it.`, {
      next: 'Run "zenml init" first.',
    })
  const home = join(root, '.zenml')
  return { root, home, config: (await readConfig(home))! }
}

async function change(
  directory: string,
  work: (home: string) => Promise<Partial<ProjectConfig>>,
): Promise<ProjectConfig> {
  const { home } = await storesOfProject(directory)
  const changes = await work(home)
  const file = configFile(home)
  try {
    // Read again: what another process has set in the meantime stays.
    return await oneAtATime(file, async () => {
      const changed = { ...(await storesOfProject(directory)).config, ...changes }
      await writeConfig(home, changed)
      return changed
    })
  } catch (error) {
    throw error instanceof ZenmlError ? error : cannotWrite(file, error)
  }
}

/** The path that a URI of a store names; throws `ZEN_USAGE` for one that is not local. */
export function pathOf(uri: string): string {
  if (uri.startsWith('file:')) {
    // `file:x` would be /x: a URI has no folder to be relative to.
    if (!uri.startsWith('file:/'))
      throw new ZenmlError('ZEN_USAGE', `"${uri}" is no whole file URI.`, {
        next: 'Name a path, which may be relative, or a file:/// URI.',
      })
    try {
      return fileURLToPath(uri)
    } catch (error) {
      throw new ZenmlError('ZEN_USAGE', `"${uri}" is no file of this machine.`, { cause: error })
    }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(uri))
    throw new ZenmlError('ZEN_USAGE', `Stores are local: "${uri}" is of a kind that is not known.`, {
      next: 'Name a path or a file:// URI.',
    })
  return uri
}

/** Relative where it lies in `.zenml`, so that the project can be moved. */
function kept(home: string, path: string): string {
  const inside = relative(home, path).split(sep).join('/')
  return staysInside(inside) ? inside : path
}
