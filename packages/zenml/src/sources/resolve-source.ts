import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { type FileDatasource, formatOf, namedFormats } from '../model/datasource-spec.ts'
import { staysInside } from '../model/pipeline-spec.ts'
import type { SourceFile } from '../model/source-files.ts'
import { isGlob, isPassedOver, splitGlob } from './glob.ts'

/** Remembers digests of files by path, length, times and inode, so that an unchanged file costs a look instead of a read. */
export interface FileDigestCache {
  get(key: string): Digest | undefined
  set(key: string, digest: Digest): void
}

/** A datasource whose files were found. */
export interface ResolvedSource {
  /** In reading order: by the UTF-8 bytes of their names. */
  readonly files: readonly SourceFile[]
  /** Over the content of the files in reading order; their places are not in it, and their names only where the format makes them data. */
  readonly digest: Digest
}

/** Where sources may be. */
export interface SourcePlaces {
  readonly root: string
  readonly dataRoots: readonly string[]
  readonly digestCache?: FileDigestCache
}

/**
 * Finds and digests the files of a datasource: a file, a folder (all files of the format below it), a glob (`*`, `**`, `?`, `{a,b}`), or
 * `package:NAME/PATH`.
 *
 * Throws `ZEN_SOURCE_MISSING` where there is nothing, `ZEN_SOURCE_OUTSIDE` for a file outside of root, package and data roots.
 */
export async function resolveSource(spec: FileDatasource, places: SourcePlaces): Promise<ResolvedSource> {
  const { base, path, allowed } = await locate(spec.path, places)
  const { folder, found } = isGlob(path) ? await globbed(base, path) : await plain(base, path, spec)
  if (found.length === 0)
    throw new ZenmlError('ZEN_SOURCE_MISSING', `Datasource path "${spec.path}" matches no file.`, {
      facts: { path: spec.path },
      next: 'Mend the path, which is relative to the root of the repository, or name the format of the files.',
    })
  const check = await guard(allowed)
  const files: SourceFile[] = []
  const digests: Digest[] = []
  const labels = spec.format === 'image' && found.length > 0 ? await labelFile(base, folder, spec) : []
  for (const name of [...new Set([...found, ...labels])].sort(compareText)) {
    const file = resolve(base, name)
    const real = await check(file, spec.path, name)
    const { size, digest } = await digestFile(real, places.digestCache)
    files.push({ name, inner: slashed(relative(folder, file)), path: real, size })
    digests.push(digest)
  }
  const contents = files.map(({ inner, size }, index) => ({ inner, size, digest: digests[index]! }))
  return { files, digest: digestOfFiles(spec.format, contents) }
}

/** What the files of a source are to the steps that read them: their content, and their names where the format makes them data. */
export function digestOfFiles(
  format: string,
  files: readonly { readonly inner: string; readonly size: number; readonly digest: Digest }[],
): Digest {
  return namedFormats.has(format)
    ? digestOf(['named source files', files.map(({ inner, size, digest }) => [inner, size, digest])])
    : digestOf(['source files', files.map(({ size, digest }) => [size, digest])])
}

/** The digest of a source's files as they are now; undefined where one of them is gone. Unchanged files cost a look each. */
export async function presentDigest(
  format: string,
  files: readonly SourceFile[],
  cache: FileDigestCache | undefined,
): Promise<Digest | undefined> {
  try {
    const contents = []
    for (const { path, inner } of files) contents.push({ inner, ...(await digestFile(path, cache)) })
    return digestOfFiles(format, contents)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof ZenmlError) return undefined
    throw error
  }
}

/** The file that `labels` of a source of images names, below the source's folder. */
async function labelFile(base: string, folder: string, { path, options }: FileDatasource): Promise<string[]> {
  const { labels } = options
  if (typeof labels !== 'string') return []
  if (!staysInside(labels))
    throw new ZenmlError('ZEN_SOURCE_OPTIONS', `The labels "${labels}" are outside of the folder of ${path}.`, {
      next: 'Name a file in the folder of the images.',
    })
  await existing(join(folder, labels), labels)
  return [nameOf(base, join(folder, labels))]
}

/**
 * The one file that a path names, without links: below the root or a data root.
 *
 * Throws `ZEN_SOURCE_MISSING` and `ZEN_SOURCE_OUTSIDE`.
 */
export async function resolveFile(path: string, { root, dataRoots }: SourcePlaces): Promise<string> {
  const file = resolve(root, path)
  await existing(file, path)
  return await (await guard([root, ...dataRoots]))(file, path, path)
}

/** Follows a file's links and refuses one that lies outside of all folders. */
async function guard(
  allowed: readonly string[],
): Promise<(file: string, path: string, name: string) => Promise<string>> {
  const folders = await Promise.all(allowed.map((folder) => realpath(folder).catch(() => folder)))
  return async (file, path, name) => {
    const real = await realpath(file)
    if (folders.some((folder) => isInside(folder, real))) return real
    throw new ZenmlError('ZEN_SOURCE_OUTSIDE', `${path} leads to ${name}, which is outside of the repository.`, {
      next: 'Add its folder to data.roots in .zenml/config.json if this pipeline may read it.',
    })
  }
}

async function locate(
  path: string,
  { root, dataRoots }: SourcePlaces,
): Promise<{ base: string; path: string; allowed: readonly string[] }> {
  if (!path.startsWith('package:')) return { base: root, path, allowed: [root, ...dataRoots] }
  const match = /^package:((?:@[^/]+\/)?[^/@.][^/]*)\/(.+)$/.exec(path)
  if (match === null)
    throw new ZenmlError('ZEN_SOURCE_MISSING', `"${path}" is not of the form package:NAME/PATH.`, {
      next: 'Write for example package:vega-datasets/data/penguins.json.',
    })
  const [, name, inner] = match as unknown as [string, string, string]
  for (let current = root; ; current = dirname(current)) {
    const directory = join(current, 'node_modules', name)
    const found = await stat(join(directory, 'package.json')).catch(() => undefined)
    if (found !== undefined) {
      const real = await realpath(directory)
      return { base: real, path: inner, allowed: [real] }
    }
    if (dirname(current) === current)
      throw new ZenmlError('ZEN_SOURCE_MISSING', `Package "${name}" of datasource path "${path}" is not installed.`, {
        next: `Run "npm install ${name}".`,
      })
  }
}

/** The folder of a source, without links followed, and the names of its files. */
interface FoundFiles {
  readonly folder: string
  readonly found: readonly string[]
}

async function plain(base: string, path: string, spec: FileDatasource): Promise<FoundFiles> {
  const file = resolve(base, path)
  const isFolder = (await existing(file, spec.path)).isDirectory()
  if (!isFolder) return { folder: dirname(file), found: [nameOf(base, file)] }
  const names = (await filesBelow(file)).filter((name) => formatOf(name) === spec.format)
  return { folder: file, found: names.map((name) => nameOf(base, join(file, name))) }
}

async function existing(file: string, path: string): Promise<Stats> {
  try {
    return await stat(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') throw error
    const siblings = await readdir(dirname(file)).catch(() => [])
    throw new ZenmlError(
      'ZEN_SOURCE_MISSING',
      `Datasource path "${path}" does not exist.${didYouMean(basename(file), siblings)}`,
      {
        facts: { path },
        next: 'Mend the path, which is relative to the root of the repository, or put the data there.',
      },
    )
  }
}

async function globbed(base: string, pattern: string): Promise<FoundFiles> {
  const { fixed, matcher } = splitGlob(pattern)
  const folder = resolve(base, fixed.join('/') || '.')
  const names = await filesBelow(folder).catch((error) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  })
  return { folder, found: names.filter((name) => matcher.test(name)).map((name) => nameOf(base, join(folder, name))) }
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => slashed(relative(directory, join(entry.parentPath, entry.name))))
    .filter((name) => !isPassedOver(name))
}

function nameOf(base: string, file: string): string {
  const inside = relative(base, file)
  return slashed(inside.startsWith('..') ? file : inside)
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}

async function digestFile(path: string, cache: FileDigestCache | undefined): Promise<{ size: number; digest: Digest }> {
  const found = await stat(path, { bigint: true })
  if (!found.isFile())
    throw new ZenmlError('ZEN_SOURCE_MISSING', `${path} is no regular file.`, {
      facts: { path },
      next: 'Name files, or folders of them.',
    })
  const size = Number(found.size)
  const key = `${path}\n${size} ${found.mtimeNs} ${found.ctimeNs} ${found.ino}`
  const known = cache?.get(key)
  if (known !== undefined) return { size, digest: known }
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
  const digest = `sha256:${hash.digest('hex')}` as Digest
  cache?.set(key, digest)
  return { size, digest }
}
