import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../base/canonical.ts'
import { type Digest, hexOf, sha256 } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { type BuiltBundle, foldersOf } from './build-bundle.ts'
import { type BundleAsset, bundleIn, type StepBundle, sealBundle } from './bundle.ts'
import { bundlerName } from './bundle-format.ts'
import type { PreparedModules } from './bundle-plugin.ts'
import { foldersUpTo } from './resolve-import.ts'
import { SourceTree } from './source-tree.ts'

/** Version of this module's files and of how bundles are made; part of each cache file's name. */
const cacheFormat = 3

/** A bundle and all that decided it, as it is kept between processes. */
interface CachedBundle {
  /** Content of every file that was read; null where there must be none. */
  readonly files: { readonly [path: string]: Digest | null }
  /** Names in every folder that an import could have resolved in. */
  readonly folders: { readonly [path: string]: Digest | null }
  /** Where each bare import led: `[from, name, directory, digest of its package.json]`. */
  readonly lookups: readonly (readonly [
    from: string,
    name: string,
    directory: string | null,
    manifest: Digest | null,
  ])[]
  readonly bundle: Omit<StepBundle, 'digest' | 'contents' | 'assets'> & {
    /** `content`: the bytes of an asset that was made and not only copied, as Base64. */
    readonly assets: readonly (BundleAsset & { readonly content: string | null })[]
  }
}

/**
 * Bundles several steps, from a cache where nothing that decides a bundle has changed: the content of each file that was read, the
 * names in each folder where an import could resolve, the packages that bare imports lead to, the settings on the way, the
 * bundler and this format. Every file is read once for all of them; the bundler is loaded only where a bundle is made.
 *
 * Sources that cannot be bundled are in `failures`, with what `bundleStep` throws.
 */
export async function bundleSteps(options: {
  readonly root: string
  readonly sources: readonly string[]
  readonly cacheDirectory: string
}): Promise<{
  readonly bundles: ReadonlyMap<string, StepBundle>
  readonly failures: ReadonlyMap<string, ZenmlError>
}> {
  const tree = new SourceTree(options.root)
  const prepared: PreparedModules = new Map()
  const sources = [...new Set(options.sources)]
  const made = await Promise.allSettled(
    sources.map((source) =>
      throughCache(tree, `step ${source}`, options.cacheDirectory, async () => {
        return await bundleIn(tree, source, prepared)
      }),
    ),
  )
  const bundles = new Map<string, StepBundle>()
  const failures = new Map<string, ZenmlError>()
  for (const [index, result] of made.entries()) {
    if (result.status === 'fulfilled') bundles.set(sources[index]!, result.value)
    else if (result.reason instanceof ZenmlError) failures.set(sources[index]!, result.reason)
    else throw result.reason
  }
  return { bundles, failures }
}

/** A bundle from the cache if it still holds, else from `make`, and then kept. */
export async function throughCache(
  tree: SourceTree,
  name: string,
  cacheDirectory: string,
  make: () => Promise<{ readonly bundle: StepBundle; readonly built: BuiltBundle }>,
): Promise<StepBundle> {
  const directory = join(cacheDirectory, 'bundles')
  const file = join(directory, `${hexOf(digestOf([cacheFormat, bundlerName(), tree.root, name]))}.json`)
  const cached = await readCached(file)
  const known = cached === undefined || !holds(tree, cached) ? undefined : unpack(tree, cached)
  if (known !== undefined) return known
  const { bundle, built } = await make()
  await mkdir(directory, { recursive: true })
  const part = `${file}.${randomUUID()}.part`
  try {
    await writeFile(part, pack(tree, bundle, built))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  return bundle
}

/** A file that is missing, cut off or altered is no cache entry: the bundle is made again. */
async function readCached(file: string): Promise<CachedBundle | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    const end = text.indexOf('\n')
    return sha256(text.slice(end + 1)) === text.slice(0, end)
      ? (JSON.parse(text.slice(end + 1)) as CachedBundle)
      : undefined
  } catch {
    return undefined
  }
}

function holds(tree: SourceTree, { files, folders, lookups }: CachedBundle): boolean {
  for (const [name, digest] of Object.entries(folders)) if (tree.listing(tree.path(name)) !== digest) return false
  for (const [name, digest] of Object.entries(files))
    if ((tree.read(tree.path(name))?.digest ?? null) !== digest) return false
  return lookups.every(([from, name, directory, manifest]) => {
    const found = tree.findPackage(tree.path(from), name)
    return (
      (found === undefined ? null : tree.name(found.directory)) === directory && (found?.manifest ?? null) === manifest
    )
  })
}

function pack(tree: SourceTree, bundle: StepBundle, { trace, assets }: BuiltBundle): string {
  const folders = new Set(foldersOf(trace).flatMap((folder) => foldersUpTo(tree, folder)))
  const settings = [...folders].flatMap((folder) => [join(folder, 'package.json'), join(folder, 'tsconfig.json')])
  const { contents, digest: _digest, ...rest } = bundle
  const cached: CachedBundle = {
    files: Object.fromEntries(
      [...new Set([...trace.files, ...settings])].map((path) => [tree.name(path), tree.read(path)?.digest ?? null]),
    ),
    folders: Object.fromEntries([...folders].map((path) => [tree.name(path), tree.listing(path)])),
    lookups: [...trace.lookups.values()].map(([from, name]) => {
      const found = tree.findPackage(from, name)
      return [tree.name(from), name, found === undefined ? null : tree.name(found.directory), found?.manifest ?? null]
    }),
    bundle: {
      ...rest,
      packages: rest.packages.map((entry) => ({ ...entry, directory: tree.name(entry.directory) })),
      assets: assets.map(({ path, digest, from }) => {
        const copied = tree.read(tree.path(from))?.digest === digest
        return { path, digest, from, content: copied ? null : Buffer.from(contents.get(digest)!).toString('base64') }
      }),
    },
  }
  const text = JSON.stringify(cached)
  return `${sha256(text)}\n${text}`
}

function unpack(tree: SourceTree, { bundle }: CachedBundle): StepBundle {
  return sealBundle({
    ...bundle,
    packages: bundle.packages.map((entry) => ({ ...entry, directory: tree.path(entry.directory) })),
    assets: bundle.assets.map(({ path, digest, from, content }) => ({
      path,
      digest,
      from,
      bytes: content === null ? tree.read(tree.path(from))!.bytes : Buffer.from(content, 'base64'),
    })),
  })
}
