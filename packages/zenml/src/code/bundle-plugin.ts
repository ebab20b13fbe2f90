import { basename, dirname, extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild'
import { type Digest, hexOf, sha256 } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import {
  assetScheme,
  isImportable,
  ModuleError,
  type PreparedModule,
  prepareModule,
  programScheme,
} from './prepare-module.ts'
import { type Resolution, type ResolutionTrace, resolveImport } from './resolve-import.ts'
import type { SourceTree } from './source-tree.ts'

/** A file that stands beside the bundle when it runs. */
export interface AssetSource {
  /** `assets/<digest>/<name>` */
  readonly path: string
  readonly digest: Digest
  /** The local file that it is, or is made from. */
  readonly from: string
  readonly bytes: Uint8Array
}

/** Local modules made ready once for all bundles of one call. */
export type PreparedModules = Map<string, Promise<PreparedModule>>

/** One import of a module. */
export interface ImportEdge {
  readonly to: Resolution
  /** Whether it is loaded with the module that imports it, and not only when an `import()` is reached. */
  readonly eager: boolean
}

/** What one bundle was made of, noted while it was made. */
export interface BundleTrace extends ResolutionTrace {
  /** Every local file that was read, by real path. */
  readonly files: Set<string>
  /** Where each import of each module leads: importing file (real path) to specifier to place. */
  readonly edges: Map<string, Map<string, ImportEdge>>
  /** Assets by the identifier of the module that stands for them. */
  readonly assets: Map<string, AssetSource>
  /** Notes for the author by local file. */
  readonly warnings: Map<string, readonly string[]>
}

/** Starts an empty trace. */
export function bundleTrace(): BundleTrace {
  return {
    directories: new Set(),
    lookups: new Map(),
    files: new Set(),
    edges: new Map(),
    assets: new Map(),
    warnings: new Map(),
  }
}

/** What the plugin needs. */
export interface BundlePluginOptions {
  readonly tree: SourceTree
  readonly trace: BundleTrace
  readonly prepared: PreparedModules
  /** Where the finished file finds assets: `./assets/` from the bundle, `../` from an asset. */
  readonly assetPrefix: string
  /** Bundles a local file that is run as a program of its own (a worker). */
  bundleProgram(path: string): Promise<Uint8Array>
}

const ours = 'zenml'
/** Tells our own plugin to let a resolution of the bundler's pass. */
const pass = Symbol('pass')

/** Local files in, packages out, assets beside: how the bundler resolves and loads here. */
export function bundlePlugin(options: BundlePluginOptions): Plugin {
  const { tree, trace } = options
  return {
    name: ours,
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args): Promise<OnResolveResult | undefined> => {
        if (args.pluginData === pass || args.kind === 'entry-point') return undefined
        if (args.path.startsWith(assetScheme) || args.path.startsWith(programScheme)) return assetModule(tree, args)
        const resolution = await resolveImport(
          tree,
          trace,
          args.path,
          args.resolveDir,
          async (specifier, directory) => {
            const found = await build.resolve(specifier, {
              kind: args.kind,
              importer: args.importer,
              resolveDir: directory,
              pluginData: pass,
            })
            return found.errors.length > 0 || found.external
              ? undefined
              : { path: found.path, sideEffects: found.sideEffects }
          },
        )
        const edges = trace.edges.get(args.importer) ?? new Map<string, ImportEdge>()
        const eager = args.kind !== 'dynamic-import' || edges.get(args.path)?.eager === true
        trace.edges.set(args.importer, edges.set(args.path, { to: resolution, eager }))
        switch (resolution.kind) {
          case 'local':
            return { path: resolution.path, sideEffects: resolution.sideEffects }
          case 'package':
            return { path: args.path, external: true, sideEffects: resolution.package.sideEffects }
          case 'builtin':
            return { path: args.path, external: true, sideEffects: false }
          case 'refused':
            return { errors: [{ text: resolution.message, detail: { code: resolution.code, next: resolution.next } }] }
        }
      })
      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => loadLocal(options, path))
      build.onLoad({ filter: /.*/, namespace: ours }, ({ path }) => loadAsset(options, path))
    },
  }
}

async function loadLocal({ tree, trace, prepared }: BundlePluginOptions, path: string): Promise<OnLoadResult> {
  const file = tree.read(path)
  if (file === undefined) return refusal('ZEN_CODE_IMPORT', `${tree.name(path)} is gone.`, 'Run again.')
  if (!isImportable(path)) {
    const next = `Read it as a file: new URL("./${basename(path)}", import.meta.url).`
    return refusal(
      'ZEN_CODE_IMPORT',
      `${tree.name(path)} is no module: only TypeScript, JavaScript and JSON can be imported.`,
      next,
    )
  }
  trace.files.add(path)
  let ready = prepared.get(path)
  if (ready === undefined) {
    ready = prepareModule(tree, path, file.bytes)
    prepared.set(path, ready)
  }
  try {
    const { contents, loader, tsconfig, warnings, absent } = await ready
    for (const tsconfigFile of tsconfig.files) trace.files.add(tsconfigFile)
    for (const missing of absent) trace.files.add(missing)
    trace.warnings.set(path, warnings)
    return { contents, loader, resolveDir: dirname(path) }
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error
    const detail = { code: 'ZEN_CODE_SYNTAX', next: 'Correct it.', file: tree.name(path) }
    return { errors: error.messages.map(({ text, location }) => ({ text, location, detail })) }
  }
}

function refusal(code: string, text: string, next: string): OnLoadResult {
  return { errors: [{ text, detail: { code, next } }] }
}

/** The module that stands for an asset; its identifier tells the file and whether it is run. */
function assetModule(tree: SourceTree, { path, importer }: OnResolveArgs): OnResolveResult {
  const runs = path.startsWith(programScheme)
  const target = fileURLToPath(
    new URL(path.slice((runs ? programScheme : assetScheme).length), pathToFileURL(importer)),
  )
  if (!tree.isLocal(target)) {
    const next = 'Move the file into the repository, or read it from a package.'
    return {
      errors: [
        {
          text: `"${tree.name(target)}" lies outside of the repository.`,
          detail: { code: 'ZEN_STEP_SOURCE_OUTSIDE', next },
        },
      ],
    }
  }
  return { path: `${runs ? 'program' : 'asset'}:${tree.name(target)}`, namespace: ours, sideEffects: false }
}

async function loadAsset(options: BundlePluginOptions, id: string): Promise<OnLoadResult> {
  const { tree, trace, assetPrefix } = options
  const runs = id.startsWith('program:')
  const from = id.slice(id.indexOf(':') + 1)
  const path = tree.path(from)
  trace.files.add(path)
  const file = tree.read(path)
  if (file === undefined) throw new ZenmlError('ZEN_CODE_IMPORT', `${from} is gone.`)
  const bytes = runs ? await options.bundleProgram(path) : file.bytes
  const digest = runs ? sha256(bytes) : file.digest
  const name = runs ? `${basename(path, extname(path))}.mjs` : basename(path)
  const place = `${hexOf(digest).slice(0, 16)}/${name}`
  trace.assets.set(id, { path: `assets/${place}`, digest, from, bytes })
  const reference = assetPrefix + place.split('/').map(encodeURIComponent).join('/')
  return { contents: `export default ${JSON.stringify(reference)}`, loader: 'js' }
}
