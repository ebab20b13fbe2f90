import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'
import { type MetadataConfig, metadataKeys, parseMetadata } from './metadata-config.ts'

/** The stack of a repository, as `.zenml/config.json` says it. */
export interface ProjectConfig {
  readonly version: 1
  /** Relative paths are relative to `.zenml`. */
  readonly metadata: MetadataConfig
  /** Relative paths are relative to `.zenml`. */
  readonly artifacts: { readonly type: 'local'; readonly path: string }
  /** Folders outside of the repository that datasources may read. Default none. */
  readonly data: { readonly roots: readonly string[] }
}

/** What `zenml init` writes. */
export const defaultConfig: ProjectConfig = {
  version: 1,
  metadata: { type: 'sqlite', path: 'metadata.db' },
  artifacts: { type: 'local', path: 'artifacts' },
  data: { roots: [] },
}

/** Reads the configuration; throws `ZEN_PROJECT_CONFIG` with the place of what is wrong, undefined where there is none. */
export async function readConfig(directory: string): Promise<ProjectConfig | undefined> {
  const file = configFile(directory)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw wrong(file, messageOf(error))
  }
  return check(file, value)
}

/** Writes the configuration in one step: a reader sees the old or the new one. */
export async function writeConfig(directory: string, config: ProjectConfig): Promise<void> {
  await mkdir(directory, { recursive: true })
  const part = join(directory, `config.json.${process.pid}.part`)
  await writeFile(part, `${JSON.stringify(config, null, 2)}\n`)
  await rename(part, configFile(directory))
}

/** The file in `.zenml` that holds the configuration. */
export function configFile(directory: string): string {
  return join(directory, 'config.json')
}

/** Where a path of the configuration points. */
export function resolveIn(directory: string, path: string): string {
  return isAbsolute(path) ? path : resolve(directory, path)
}

function check(file: string, value: unknown): ProjectConfig {
  const top = object(file, 'the file', value, ['version', 'metadata', 'artifacts', 'data'])
  if (top['version'] !== 1) throw wrong(file, `version must be 1, not ${JSON.stringify(top['version'])}`)
  const { type } = isJsonObject(top['metadata']) ? top['metadata'] : {}
  const metadata = object(file, 'metadata', top['metadata'], metadataKeys(type))
  const artifacts = object(file, 'artifacts', top['artifacts'], ['type', 'path'])
  const data = object(file, 'data', top['data'] ?? {}, ['roots'])
  const roots = data['roots'] ?? []
  if (artifacts['type'] !== 'local') throw wrong(file, 'artifacts.type must be "local"')
  if (!Array.isArray(roots)) throw wrong(file, 'data.roots must be a list of folders')
  return {
    version: 1,
    metadata: parseMetadata(metadata, (what) => wrong(file, what)),
    artifacts: { type: 'local', path: text(file, 'artifacts.path', artifacts['path']) },
    data: { roots: roots.map((root, index) => text(file, `data.roots[${index}]`, root)) },
  }
}

function object(file: string, name: string, value: unknown, keys: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw wrong(file, `${name} must be an object`)
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw wrong(file, `${name} has an unknown key "${key}".${didYouMean(key, keys)}`)
  }
  return value
}

function text(file: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw wrong(file, `${name} must be a text`)
  return value
}

function wrong(file: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_PROJECT_CONFIG', `${file}: ${what}.`, {
    next: 'Mend the file, or delete it and run "zenml init".',
  })
}
