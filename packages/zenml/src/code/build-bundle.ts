import { dirname, join } from 'node:path'
import type { BuildOptions, BuildResult, Metafile } from 'esbuild'
import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { CodeImports } from '../model/fingerprint.ts'
import { bundleError } from './bundle-error.ts'
import { bundlerName, bundleTarget } from './bundle-format.ts'
import { type AssetSource, type BundleTrace, bundlePlugin, bundleTrace, type PreparedModules } from './bundle-plugin.ts'
import { importsOf } from './import-ways.ts'
import type { InstalledPackage, SourceTree } from './source-tree.ts'

/** What is bundled: the text of a module at the root that is not written to disk, or a local file. */
export type BundleEntry = { readonly contents: string } | { readonly file: string }

/** A finished bundle with all that it was made of. */
export interface BuiltBundle {
  readonly text: string
  /** Source map, its sources relative to the root. */
  readonly map: string
  readonly exports: readonly string[]
  /** Local files that gave code to it, as names relative to the root, sorted. */
  readonly files: readonly string[]
  readonly assets: readonly AssetSource[]
  /** Packages that it imports, by name, sorted. */
  readonly packages: readonly InstalledPackage[]
  /** How files and packages come in. */
  readonly imports: CodeImports
  readonly warnings: readonly string[]
  readonly trace: BundleTrace
}

/** Name of the module that is not written to disk, in messages of the bundler. */
export const entryName = 'zenml-entry.js'

/** CommonJS modules of the project may require packages; a module file has no `require` of its own. */
const requireBanner =
  'import{createRequire as __zenmlRequire}from"node:module";const require=__zenmlRequire(import.meta.url);'

/**
 * Bundles one entry: tree-shaken, without comments and blanks, everything local inside and every package an import. The text
 * depends on the content of the local files and on nothing else: no absolute path, environment variable or order of folders.
 */
export async function buildBundle(
  tree: SourceTree,
  entry: BundleEntry,
  prepared: PreparedModules,
  {
    assetPrefix = './assets/',
    programs = [],
  }: { readonly assetPrefix?: string; readonly programs?: readonly string[] } = {},
): Promise<BuiltBundle> {
  const trace = bundleTrace()
  const nested = new Map<string, BuiltBundle>()
  const plugin = bundlePlugin({
    tree,
    trace,
    prepared,
    assetPrefix,
    async bundleProgram(path) {
      if (programs.includes(path)) {
        throw new ZenmlError('ZEN_CODE_IMPORT', `${tree.name(path)} starts itself as a program.`, {
          next: 'Put what the program does into a file of its own.',
        })
      }
      const built = await buildBundle(tree, { file: path }, prepared, {
        assetPrefix: '../',
        programs: [...programs, path],
      })
      nested.set(path, built)
      return Buffer.from(built.text)
    },
  })
  const { bundle } = await runEsbuild(tree, entry, (options) => ({ ...options, plugins: [plugin] }))
  const { text, map, output, metafile } = bundle
  const contributing = new Set(
    Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
  )

  const programsUsed: BuiltBundle[] = []
  const assets: AssetSource[] = []
  for (const [id, asset] of trace.assets) {
    if (!contributing.has(`zenml:${id}`)) continue
    assets.push(asset)
    const program = nested.get(tree.path(asset.from))
    if (id.startsWith('program:') && program !== undefined) programsUsed.push(program)
  }
  for (const built of nested.values()) adopt(trace, built.trace)

  const files = [...contributing].filter(
    (input) => metafile.inputs[input] !== undefined && trace.files.has(tree.path(input)),
  )
  const allFiles = sortedUnique([
    ...files,
    ...assets.map(({ from }) => from),
    ...programsUsed.flatMap((built) => built.files),
  ])
  const imported = importedPackages(tree, trace, output, contributing)
  return {
    text,
    map,
    exports: output.exports,
    files: allFiles,
    imports: importsOf({
      entry: 'file' in entry ? tree.name(entry.file) : entryName,
      entryIsFile: 'file' in entry,
      files: allFiles,
      inputs: metafile.inputs,
      packages: imported.map(([{ name }, importer]) => [name, importer]),
      programs: programsUsed.map((built) => built.imports),
    }),
    assets: uniqueBy([...assets, ...programsUsed.flatMap((built) => built.assets)], ({ path }) => path),
    packages: agree(tree, [
      ...imported,
      ...programsUsed.flatMap((built) => built.packages.map((found) => [found, entryName] as const)),
    ]),
    warnings: sortedUnique([
      ...files.flatMap((file) => trace.warnings.get(tree.path(file)) ?? []),
      ...bundle.warnings,
      ...programsUsed.flatMap((built) => built.warnings),
    ]),
    trace,
  }
}

interface EsbuildBundle {
  readonly text: string
  readonly map: string
  readonly output: Metafile['outputs'][string]
  readonly metafile: Metafile
  readonly warnings: readonly string[]
}

async function runEsbuild(
  tree: SourceTree,
  entry: BundleEntry,
  finish: (options: BuildOptions) => BuildOptions,
): Promise<{ readonly bundle: EsbuildBundle }> {
  const esbuild = await import('esbuild')
  const { version } = esbuild
  if (bundlerName() !== `esbuild ${version}`)
    throw new Error(`esbuild ${version} was loaded, but ${bundlerName()} is installed`)
  const options: BuildOptions = finish({
    ...('file' in entry
      ? { entryPoints: [entry.file] }
      : { stdin: { contents: entry.contents, resolveDir: tree.root, sourcefile: entryName, loader: 'js' } }),
    absWorkingDir: tree.root,
    outfile: join(tree.root, 'step.mjs'),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: bundleTarget,
    conditions: ['zenml-source'],
    mainFields: ['module', 'main'],
    nodePaths: [],
    treeShaking: true,
    minifyWhitespace: true,
    legalComments: 'none',
    charset: 'utf8',
    sourcemap: 'linked',
    sourcesContent: false,
    // The settings of each file were applied when it was made JavaScript; nothing may drop its imports now.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
    logLevel: 'silent',
  })
  const build = async (more: BuildOptions): Promise<EsbuildBundle> => {
    try {
      return unpack(await esbuild.build({ ...options, ...more }))
    } catch (error) {
      throw await bundleError(tree, error, async (file) => await buildExports(esbuild.build, options, file))
    }
  }
  const bundle = await build({})
  const requires = bundle.output.imports.some(({ kind }) => kind === 'require-call' || kind === 'require-resolve')
  return { bundle: requires ? await build({ banner: { js: requireBanner } }) : bundle }
}

/** The names that a local module exports, for suggesting one. */
async function buildExports(
  build: typeof import('esbuild').build,
  options: BuildOptions,
  file: string,
): Promise<readonly string[]> {
  const { stdin: _stdin, ...rest } = options
  try {
    const { metafile } = await build({ ...rest, entryPoints: [file] })
    return Object.values(metafile!.outputs).flatMap((output) => output.exports)
  } catch {
    // It has another fault as well; the first is reported, without a suggestion.
    return []
  }
}

function unpack(result: BuildResult): EsbuildBundle {
  const text = result.outputFiles!.find(({ path }) => path.endsWith('.mjs'))!.text
  const map = result.outputFiles!.find(({ path }) => path.endsWith('.map'))!.text
  const metafile = result.metafile!
  const output = metafile.outputs['step.mjs']!
  const warnings = result.warnings.map(({ text: message, location }) =>
    location === null ? message : `${location.file}:${location.line}:${location.column + 1}: ${message}`,
  )
  return { text, map, output, metafile, warnings }
}

/** Each package that the output imports, with the files that import it. */
function importedPackages(
  tree: SourceTree,
  trace: BundleTrace,
  output: Metafile['outputs'][string],
  contributing: ReadonlySet<string>,
): (readonly [InstalledPackage, string])[] {
  const live = new Set(output.imports.map(({ path }) => path))
  const imported: (readonly [InstalledPackage, string])[] = []
  for (const [importer, edges] of trace.edges) {
    const name = tree.name(importer)
    if (!contributing.has(name) && name !== entryName) continue
    for (const [specifier, { to }] of edges) {
      if (to.kind === 'package' && live.has(specifier)) imported.push([to.package, name])
    }
  }
  return imported
}

/** One directory for each name: a bundle is one program, and one name leads to one place in it. */
function agree(tree: SourceTree, imported: readonly (readonly [InstalledPackage, string])[]): InstalledPackage[] {
  const byName = new Map<string, readonly [InstalledPackage, string]>()
  for (const [found, importer] of imported) {
    const other = byName.get(found.name)
    if (other === undefined) byName.set(found.name, [found, importer])
    else if (other[0].directory !== found.directory) {
      const [a, b] = [other, [found, importer] as const].map(
        ([{ directory, version }, file]) => `${tree.name(directory)} (${version}) for ${file}`,
      )
      throw new ZenmlError('ZEN_PACKAGE_CONFLICT', `Two installations of ${found.name} are reached: ${a}, and ${b}.`, {
        facts: { package: found.name, directories: [tree.name(other[0].directory), tree.name(found.directory)] },
        next: 'Let both ask for one version, so that npm installs it once.',
      })
    }
  }
  return [...byName.values()].map(([found]) => found).sort((a, b) => compareText(a.name, b.name))
}

function adopt(trace: BundleTrace, from: BundleTrace): void {
  for (const directory of from.directories) trace.directories.add(directory)
  for (const file of from.files) trace.files.add(file)
  for (const [key, lookup] of from.lookups) trace.lookups.set(key, lookup)
}

function sortedUnique(items: readonly string[]): string[] {
  return [...new Set(items)].sort(compareText)
}

function uniqueBy<T extends { readonly path: string }>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()].sort((a, b) => compareText(a.path, b.path))
}

/** Keeps `dirname` of a trace's files: every folder whose names can change what an import means. */
export function foldersOf(trace: BundleTrace): string[] {
  return [...new Set([...trace.directories, ...[...trace.files].map((file) => dirname(file))])]
}
