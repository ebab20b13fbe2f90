import { readlinkSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { type StoresSpec, staysInside } from '../model/pipeline-spec.ts'
import { type ProjectConfig, resolveIn } from './project-config.ts'

/**
 * The project's configuration with the stores that a pipeline names.
 *
 * A pipeline's configuration is untrusted: a path that leads out of the repository, also by a symbolic link, throws `ZEN_CONFIG_STORE`.
 */
export function withStores(config: ProjectConfig, root: string, stores: StoresSpec | undefined): ProjectConfig {
  if (stores === undefined) return config
  const { metadata, artifacts } = stores
  return {
    ...config,
    ...(metadata === undefined ? {} : { metadata: { ...metadata, path: place(root, metadata.path, 'metadata') } }),
    ...(artifacts === undefined ? {} : { artifacts: { ...artifacts, path: place(root, artifacts.path, 'artifacts') } }),
  }
}

/** Whether a pipeline's stores are others than the project's. */
export function hasOtherStores(
  config: ProjectConfig,
  root: string,
  home: string,
  stores: StoresSpec | undefined,
): boolean {
  const differs = (given: { readonly path: string } | undefined, own: string | undefined): boolean =>
    given !== undefined && (own === undefined || join(root, given.path) !== resolveIn(home, own))
  const { metadata, artifacts } = config
  return (
    differs(stores?.metadata, metadata.type === 'sqlite' ? metadata.path : undefined) ||
    differs(stores?.artifacts, artifacts.path)
  )
}

/** The project's stores as a pipeline names them; one that lies outside of the repository is left out, as its place says nothing elsewhere. */
export function storesOf({ metadata, artifacts }: ProjectConfig, root: string, home: string): StoresSpec | undefined {
  const inside = <T extends string>({ type, path: given }: { readonly type: T; readonly path: string }) => {
    const path = relative(root, resolveIn(home, given)).split(sep).join('/')
    return staysInside(path) ? { type, path } : undefined
  }
  const [first, second] = [metadata.type === 'sqlite' ? inside(metadata) : undefined, inside(artifacts)]
  if (first === undefined && second === undefined) return undefined
  return {
    ...(first === undefined ? {} : { metadata: first }),
    ...(second === undefined ? {} : { artifacts: second }),
  }
}

function place(root: string, path: string, kind: string): string {
  const full = join(root, path)
  const reached = relative(realpathSync(root), realOf(full))
  if (!staysInside(path) || isAbsolute(reached) || reached === '..' || reached.startsWith(`..${sep}`)) {
    throw new ZenmlError('ZEN_CONFIG_STORE', `The store ${path} of stores.${kind} leads out of the repository.`, {
      facts: { path: `stores.${kind}.path` },
      next: `Name a path inside of it; others are set with "zenml config ${kind} set".`,
    })
  }
  return full
}

/** Where a path leads, as far as it exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    // A link to what is not there yet would be followed when it is made.
    const link = linkOf(path)
    if (link !== undefined) return realOf(resolve(dirname(path), link))
    return join(realOf(dirname(path)), path.slice(dirname(path).length))
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EINVAL') return undefined
    throw error
  }
}
