import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { canonicalJson } from '../base/canonical.ts'
import { type Digest, sha256 } from '../base/digest.ts'
import type { CodeImports } from '../model/fingerprint.ts'
import { type BuiltBundle, buildBundle } from './build-bundle.ts'
import { bundlerName } from './bundle-format.ts'
import type { PreparedModules } from './bundle-plugin.ts'
import { SourceTree } from './source-tree.ts'
import { entryOf, findStepModule } from './step-source.ts'

/** The code of one step, ready to run: what is hashed is what is run. */
export interface StepBundle {
  /** `steps/train.ts#train` or `zenml/steps#split`. */
  readonly source: string
  /** SHA-256 of the bundle's manifest (canonical JSON: format, digest of the text, digests of the assets by path). */
  readonly digest: Digest
  /** The module that is run, as `step.mjs`. */
  readonly text: string
  /** Its source map, sources relative to the root; not part of the identity. */
  readonly map: string
  /** Local files that gave code or content to it, by path relative to the root, with the digest of their bytes. */
  readonly files: { readonly [path: string]: Digest }
  /** Files that stand beside it when it runs. */
  readonly assets: readonly BundleAsset[]
  /** Packages that it imports itself, sorted by name. */
  readonly packages: readonly BundlePackage[]
  /** How files and packages come into it; not part of the identity. */
  readonly imports: CodeImports
  /** `esbuild 0.28.2` */
  readonly bundler: string
  /** For the step's author: `file:line:column: text`. */
  readonly warnings: readonly string[]
  /** All that must be kept to run and to explain it again, by digest: the manifest (under `digest`), the text, the assets and the source map. */
  readonly contents: ReadonlyMap<Digest, Uint8Array>
}

/** A file that stands beside a bundle. */
export interface BundleAsset {
  /** Relative to the bundle, `assets/<digest>/<name>`. */
  readonly path: string
  readonly digest: Digest
  /** The local file that it is (or, where it is run, is bundled from), relative to the root. */
  readonly from: string
}

/** A package that a bundle imports. */
export interface BundlePackage {
  readonly name: string
  /** Its real directory on this machine. */
  readonly directory: string
  readonly version: string
}

/** What a bundle is named by and kept with. */
export interface BundleOptions {
  /** Root of the repository: sources are relative to it, and nothing outside of it is bundled. */
  readonly root: string
  /** `steps/train.ts#train` (`default` without `#`), or `zenml/steps#split` in an installed package. */
  readonly source: string
}

/**
 * Bundles exactly one step: what its export reaches through local files, without comments, formatting, and whatever else the
 * same files hold. Packages stay imports; files named by `new URL('./file', import.meta.url)` become assets.
 *
 * Throws `ZEN_STEP_SOURCE_OUTSIDE`, `ZEN_STEP_SOURCE_MISSING`, `ZEN_STEP_EXPORT_MISSING`, `ZEN_CODE_SYNTAX` (with file, line and
 * column), `ZEN_CODE_IMPORT`, `ZEN_PACKAGE_MISSING`, `ZEN_PACKAGE_CONFLICT` or `ZEN_TSCONFIG`.
 *
 * @example
 * const bundle = await bundleStep({ root: '/repository', source: 'steps/train.ts#train' })
 * await writeBundle(bundle, directory) // directory/step.mjs
 */
export async function bundleStep({ root, source }: BundleOptions): Promise<StepBundle> {
  return (await bundleIn(new SourceTree(root), source, new Map())).bundle
}

/** Bundles one step from files that are read once for several. */
export async function bundleIn(
  tree: SourceTree,
  source: string,
  prepared: PreparedModules,
): Promise<{ readonly bundle: StepBundle; readonly built: BuiltBundle }> {
  const module = findStepModule(tree, source)
  const built = await buildBundle(tree, { contents: entryOf(module) }, prepared)
  if (module.file !== null) built.trace.directories.add(dirname(join(tree.root, source.split('#')[0]!)))
  return { bundle: stepBundle(tree, source, built), built }
}

/** The finished bundle of what was built. */
export function stepBundle(tree: SourceTree, source: string, built: BuiltBundle): StepBundle {
  return sealBundle({
    source,
    text: built.text,
    map: built.map,
    files: Object.fromEntries(built.files.map((file) => [file, tree.read(tree.path(file))!.digest])),
    assets: built.assets,
    packages: built.packages.map(({ name, directory, version }) => ({ name, directory, version })),
    imports: built.imports,
    bundler: bundlerName(),
    warnings: built.warnings,
  })
}

/** Gives a bundle its digest and its contents. */
export function sealBundle(
  parts: Omit<StepBundle, 'digest' | 'contents' | 'assets'> & {
    readonly assets: readonly (BundleAsset & { readonly bytes: Uint8Array })[]
  },
): StepBundle {
  const text = Buffer.from(parts.text)
  const textDigest = sha256(text)
  const manifest = Buffer.from(
    canonicalJson({
      format: 1,
      text: textDigest,
      assets: Object.fromEntries(parts.assets.map(({ path, digest }) => [path, digest])),
    }),
  )
  const digest = sha256(manifest)
  const map = Buffer.from(parts.map)
  return Object.freeze({
    ...parts,
    digest,
    assets: parts.assets.map(({ path, digest: assetDigest, from }) => ({ path, digest: assetDigest, from })),
    contents: new Map([
      [digest, manifest],
      [textDigest, text],
      [sha256(map), map],
      ...parts.assets.map((asset): [Digest, Uint8Array] => [asset.digest, asset.bytes]),
    ]),
  })
}

/**
 * Lays a bundle out in a directory (made where it is missing): `step.mjs`, its source map and assets, and `node_modules` with a
 * link to each package that it declares, so that these resolve and nothing else does.
 */
export async function writeBundle(
  bundle: Pick<StepBundle, 'text' | 'map' | 'assets' | 'packages' | 'contents'>,
  directory: string,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  await Promise.all([
    writeFile(join(directory, 'step.mjs'), bundle.text),
    writeFile(join(directory, 'step.mjs.map'), bundle.map),
    ...bundle.assets.map(async ({ path, digest }) => {
      const target = join(directory, ...path.split('/'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, bundle.contents.get(digest)!)
    }),
    ...bundle.packages.map(async ({ name, directory: target }) => {
      const link = join(directory, 'node_modules', ...name.split('/'))
      await mkdir(dirname(link), { recursive: true })
      await symlink(target, link, 'junction')
    }),
  ])
}
