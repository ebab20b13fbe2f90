import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { findGitDirectory, isRefusal } from '../code/git-directory.ts'
import { findRepository } from '../code/git-pin.ts'
import { openDatabase } from '../metadata/open.ts'
import { defaultConfig, readConfig, resolveIn, writeConfig } from './project-config.ts'

/** What `initProject` found and made. */
export interface InitResult {
  readonly root: string
  /** False where the project was there already. */
  readonly created: boolean
  readonly git: boolean
  /** A bare repository: its runs can be made again here, new ones need a working tree. */
  readonly bare: boolean
}

/**
 * Makes a folder a project: `.zenml` with configuration, metadata store and artifact store, at the root of the git repository
 * that holds it (or in the folder itself outside git), and its line in `.gitignore`. Doing it again changes nothing.
 *
 * @example
 * const { root, created } = await initProject(directory)
 * console.log(root, created)
 */
export async function initProject(directory: string): Promise<InitResult> {
  await mkdir(directory, { recursive: true })
  const repository = await findRepository(directory)
  const root = repository?.root ?? directory
  const home = join(root, '.zenml')
  const existing = await readConfig(home)
  const config = existing ?? defaultConfig
  await mkdir(resolveIn(home, config.artifacts.path), { recursive: true })
  // A server was asked when it was set, and may be away.
  if (config.metadata.type === 'sqlite') {
    await using _created = await openDatabase({ ...config.metadata, path: resolveIn(home, config.metadata.path) })
  }
  // Last, so that an interrupted start leaves no project that looks whole.
  if (existing === undefined) await writeConfig(home, config)
  if (repository !== undefined) await ignore(root)
  const bare = repository === undefined && (await isBare(root))
  return { root, created: existing === undefined, git: repository !== undefined, bare }
}

async function isBare(directory: string): Promise<boolean> {
  try {
    return (await findGitDirectory(directory)).workTree === null
  } catch (error) {
    if (isRefusal(error) || (error instanceof ZenmlError && error.code === 'ZEN_GIT_MISSING')) return false
    throw error
  }
}

async function ignore(root: string): Promise<void> {
  const file = join(root, '.gitignore')
  let text = ''
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  const ignored = text.split(/\r?\n/).some((line) => /^\/?\.zenml\/?$/.test(line.trim()))
  if (!ignored) await appendFile(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}.zenml/\n`)
}
