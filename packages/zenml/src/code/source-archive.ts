import { lstat, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, posix, relative, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { type Digest, sha256 } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { isArtifactPath, type StoredArtifact } from '../model/artifact.ts'
import { bundleIn } from './bundle.ts'
import type { PreparedModules } from './bundle-plugin.ts'
import { npmrcWithoutSecrets } from './npmrc.ts'
import { parseManifest, SourceTree } from './source-tree.ts'
import { findTsconfig } from './tsconfig.ts'

/** The type under which an artifact store keeps the code of a project that is in no repository. */
export const sourceArchiveType: StoredArtifact['type'] = 'SourceArchive'

/** What is to be kept of a project. */
export interface SourceArchiveOptions {
  readonly root: string
  /** What the run's steps read, relative to the root, with the digests that were bundled. Paths outside of it are left out. */
  readonly files: { readonly [path: string]: Digest }
  /** The run's steps, `steps/train.ts#train`: files that only pass something on give no code, but a bundler needs them. */
  readonly sources: readonly string[]
  /** Files without a digest: the configuration, assets. Those that are missing are left out. */
  readonly more?: readonly string[]
}

/** Settings on the way from a file up to the root that decide how it is bundled and which packages it gets. */
const lockfiles: readonly string[] = ['package-lock.json', 'npm-shrinkwrap.json']
const settings: readonly string[] = ['package.json', ...lockfiles, 'tsconfig.json', '.npmrc']

/**
 * Collects what a run needs to be made again where no repository keeps it: every file of the project that was read for a step's bundle, the settings on
 * the way up to the root (tsconfig.json with what it extends, package.json, lockfile, .npmrc without secrets), and the local packages that the
 * lockfile names. By path relative to the root, in the order of the paths' bytes; the same project gives the same bytes everywhere.
 *
 * Throws `ZEN_CODE_CHANGED` where a file is no longer what was bundled, and as `bundleStep` does.
 *
 * @example
 * const files = await archiveSources({ root, files: bundle.files, sources: [bundle.source], more: ['pipeline.yaml'] })
 * await writeSources(files, directory) // then ArtifactStore.put(sourceArchiveType, directory)
 */
export async function archiveSources({
  root,
  files,
  sources,
  more = [],
}: SourceArchiveOptions): Promise<ReadonlyMap<string, Uint8Array>> {
  const tree = new SourceTree(root)
  const kept = new Map<string, Uint8Array>()
  const keep = async (path: string): Promise<Uint8Array | undefined> => {
    const known = kept.get(path)
    if (known !== undefined) return known
    const bytes = isSourcePath(path) ? await readInside(tree.root, path) : undefined
    if (bytes === undefined) return undefined
    const safe = withoutSecrets(posix.basename(path), bytes)
    kept.set(path, safe)
    return safe
  }
  for (const [path, digest] of Object.entries(files)) {
    if (isAbsolute(path)) continue
    const bytes = await keep(path)
    if (bytes === undefined || sha256(bytes) !== digest) {
      throw new ZenmlError(
        'ZEN_CODE_CHANGED',
        `${path} is no longer what was bundled, so the run's code cannot be kept.`,
        {
          facts: { path },
          next: 'Run again, and leave the files alone while it starts.',
        },
      )
    }
  }
  for (const path of more) await keep(path)
  const prepared: PreparedModules = new Map()
  for (const source of sources) {
    const { built } = await bundleIn(tree, source, prepared)
    for (const path of built.trace.files) await keep(tree.name(path))
  }
  const folders = new Set([...kept.keys()].flatMap(foldersAbove))
  for (const folder of folders) {
    for (const name of settings) await keep(posix.join(folder, name))
    for (const path of findTsconfig(tree, tree.path(folder)).files) await keep(tree.name(path))
  }
  for (const path of [...kept.keys()].filter((name) => lockfiles.includes(posix.basename(name)))) {
    for (const local of localPackages(parseManifest(kept.get(path)!), posix.dirname(path))) await keep(local)
  }
  return new Map([...kept].sort(([a], [b]) => compareText(a, b)))
}

/** Writes collected files into an empty folder. A path that would leave it throws `ZEN_CODE_ESCAPES`, before anything is written. */
export async function writeSources(files: ReadonlyMap<string, Uint8Array>, target: string): Promise<void> {
  for (const path of files.keys()) {
    if (isSourcePath(path)) continue
    throw new ZenmlError('ZEN_CODE_ESCAPES', `${JSON.stringify(path)} is no path that the code of a run can have.`, {
      facts: { path },
      next: 'Do not use this archive: it was not made by a run.',
    })
  }
  await mkdir(target, { recursive: true })
  if ((await readdir(target)).length > 0)
    throw new ZenmlError('ZEN_CODE_TARGET', `${target} is not empty.`, { next: 'Name an empty folder.' })
  for (const [path, bytes] of files) {
    const file = join(target, ...path.split('/'))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes, { flag: 'wx' })
  }
}

/**
 * Lays the code of a run out again: copies a `SourceArchive` that the artifact store has pulled or materialised into an empty folder, as files that
 * can be written. Throws `ZEN_CODE_ESCAPES` and `ZEN_CODE_TARGET` as `writeSources` does.
 */
export async function layOutSources(archive: string, target: string): Promise<void> {
  const files = new Map<string, Uint8Array>()
  for (const entry of await readdir(archive, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    files.set(relative(archive, path).split(sep).join('/'), await readFile(path))
  }
  await writeSources(files, target)
}

/** Whether a path may be one of a project's own files: git's folder and installed packages are none of them, on any file system. */
function isSourcePath(path: string): boolean {
  return isArtifactPath(path) && !path.split('/').some((part) => /^(?:\.git|node_modules)$/i.test(part))
}

function withoutSecrets(name: string, bytes: Uint8Array): Uint8Array {
  if (name === '.npmrc') return npmrcWithoutSecrets(bytes)
  if (!lockfiles.includes(name)) return bytes
  const text = Buffer.from(bytes).toString('utf8')
  const safe = text.replace(/(:\/\/)[^/@:"\s]*:[^/@"\s]*@/g, '$1')
  return safe === text ? bytes : Buffer.from(safe)
}

/** Folders from that of a file up to the root, which is `.`. */
function foldersAbove(path: string): string[] {
  const folders: string[] = []
  for (let current = posix.dirname(path); ; current = posix.dirname(current)) {
    folders.push(current)
    if (current === '.') return folders
  }
}

/** The package.json of each local package in a lockfile, and the tarballs of those that are files. */
function localPackages(lock: JsonObject, folder: string): string[] {
  const packages = isJsonObject(lock['packages']) ? lock['packages'] : {}
  return Object.entries(packages).flatMap(([path, entry]) => {
    if (!path.split('/').includes('node_modules')) return [posix.join(folder, path, 'package.json')]
    const resolved = isJsonObject(entry) ? entry['resolved'] : undefined
    return typeof resolved === 'string' && resolved.startsWith('file:')
      ? [posix.join(folder, resolved.slice('file:'.length))]
      : []
  })
}

/** A regular file that really lies below the root; undefined where there is none. */
async function readInside(root: string, path: string): Promise<Uint8Array | undefined> {
  try {
    const real = await realpath(join(root, ...path.split('/')))
    if (!real.startsWith(root + sep) || !(await lstat(real)).isFile()) return undefined
    return await readFile(real)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
