import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { isArtifactPath } from '../model/artifact.ts'

/** All that `npm ci` needs of a project; paths are relative to the root that was asked about. */
export interface InstallInputs {
  /** Content by path: lockfile, package.json of the project and of each local package (without scripts), .npmrc, tarballs and folders behind `file:`. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Folders that get a `node_modules`: that of the lockfile first, then the local packages (workspaces and `file:` links). */
  readonly folders: readonly string[]
}

/** The lockfiles that npm reads, the one that wins first. */
const lockNames: readonly string[] = ['npm-shrinkwrap.json', 'package-lock.json']

/**
 * Reads what `npm ci` needs in a folder below a root; undefined where there is no lockfile of npm. Scripts are left out of every package.json that is
 * the project's own: they need its sources, and are not what a lockfile pins.
 *
 * Throws `ZEN_PACKAGES_RECREATE` where a file is damaged or missing, `ZEN_PACKAGES_OUTSIDE` where one lies outside of the root.
 */
export async function readInstallInputs(root: string, folder: string): Promise<InstallInputs | undefined> {
  const top = await realpath(root)
  const files = new Map<string, Uint8Array>()
  let lockPath: string | undefined
  for (const name of lockNames) {
    const path = below(folder, name)
    const bytes = await readInside(top, path)
    if (bytes === undefined) continue
    files.set(path, bytes)
    lockPath ??= path
  }
  if (lockPath === undefined) return undefined
  const lock = parse(files.get(lockPath)!, lockPath)
  const npmrc = await readInside(top, below(folder, '.npmrc'))
  if (npmrc !== undefined) files.set(below(folder, '.npmrc'), npmrc)
  const packages = isJsonObject(lock['packages']) ? Object.entries(lock['packages']) : []
  const locals = packages
    .map(([path]) => path)
    .filter((path) => path !== '' && !path.split('/').includes('node_modules'))
  const folders = [folder, ...locals.map((path) => below(folder, path))]
  for (const local of folders) await addManifest(top, local, files)
  for (const [, entry] of packages) {
    const resolved = isJsonObject(entry) && entry['link'] !== true ? entry['resolved'] : undefined
    if (typeof resolved === 'string' && resolved.startsWith('file:'))
      await addContent(top, below(folder, resolved.slice('file:'.length)), files)
  }
  return { files, folders: [...new Set(folders)] }
}

/** A path below a folder of the root; throws where it leaves the root. */
function below(folder: string, path: string): string {
  if (path.startsWith('/')) throw outside(path)
  const joined = posix.join(folder, path)
  const plain = joined.replace(/\/+$/, '')
  if (plain === '.' || isArtifactPath(plain)) return plain
  throw outside(path)
}

async function addManifest(top: string, folder: string, files: Map<string, Uint8Array>): Promise<void> {
  const path = below(folder, 'package.json')
  const bytes = await readInside(top, path)
  if (bytes === undefined) throw unreadable(path, 'it is missing, but the lockfile needs it')
  const { scripts: _scripts, ...manifest } = parse(bytes, path)
  files.set(path, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  const bin = manifest['bin']
  const commands = typeof bin === 'string' ? [bin] : isJsonObject(bin) ? Object.values(bin) : []
  for (const command of commands) {
    // npm links a command only where its file is; the link leads to the real one later.
    if (typeof command === 'string' && isArtifactPath(posix.normalize(command))) {
      const place = below(folder, command)
      if (!files.has(place)) files.set(place, Buffer.from(''))
    }
  }
}

/** A tarball, or a folder that npm packs. */
async function addContent(top: string, path: string, files: Map<string, Uint8Array>): Promise<void> {
  const bytes = await readInside(top, path)
  if (bytes !== undefined) {
    files.set(path, bytes)
    return
  }
  const entries = await readdir(join(top, path), { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(path, messageOf(error))
  })
  for (const { name } of entries)
    if (name !== 'node_modules' && name !== '.git') await addContent(top, `${path}/${name}`, files)
}

/** A file that really lies below the root; undefined where there is none. */
async function readInside(top: string, path: string): Promise<Uint8Array | undefined> {
  try {
    const real = await realpath(join(top, ...path.split('/')))
    if (real !== top && !real.startsWith(top + sep)) throw outside(path)
    return (await lstat(real)).isFile() ? await readFile(real) : undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function parse(bytes: Uint8Array, path: string): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
  } catch (error) {
    throw unreadable(path, messageOf(error))
  }
  if (!isJsonObject(parsed)) throw unreadable(path, 'it is no JSON object')
  return parsed
}

function unreadable(path: string, why: string): ZenmlError {
  return new ZenmlError('ZEN_PACKAGES_RECREATE', `${path} of the run's code cannot be read: ${why}.`, {
    facts: { path },
    next: 'Its packages cannot be brought back from this code; see what was committed.',
    exitCode: 1,
  })
}

function outside(path: string): ZenmlError {
  return new ZenmlError(
    'ZEN_PACKAGES_OUTSIDE',
    `The lockfile needs ${JSON.stringify(path)}, which lies outside of the run's code.`,
    {
      facts: { path },
      next: 'Keep local packages inside of the repository.',
      exitCode: 1,
    },
  )
}
