import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Loader, Message } from 'esbuild'
import { messageOf } from '../base/errors.ts'
import { annotate } from './annotate.ts'
import { bundleTarget } from './bundle-format.ts'
import { parseManifest, type SourceTree } from './source-tree.ts'
import { applyEdits, originalPosition, shiftMappings } from './text-edits.ts'
import { findTsconfig, type Tsconfig } from './tsconfig.ts'

/** A local module as the bundler gets it. */
export interface PreparedModule {
  readonly contents: string
  readonly loader: Loader
  readonly tsconfig: Tsconfig
  /** What its author should know when it becomes part of a bundle: `file:line:column: text`. */
  readonly warnings: readonly string[]
  /** Files that `new URL(…, import.meta.url)` names and that are not there: they become assets once they are. */
  readonly absent: readonly string[]
}

/** A module that cannot be read, at one or more places. */
export class ModuleError extends Error {
  readonly messages: readonly Pick<Message, 'text' | 'location'>[]

  constructor(messages: ModuleError['messages']) {
    super(messages[0]?.text ?? 'syntax error')
    this.messages = messages
  }
}

const loaders: { readonly [extension: string]: Loader } = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.json': 'json',
}

/** Whether a file's name says that it is a module. */
export function isScript(path: string): boolean {
  const loader = loaders[extname(path)]
  return loader !== undefined && loader !== 'json'
}

/** Whether a file's name says that it can be imported. */
export function isImportable(path: string): boolean {
  return loaders[extname(path)] !== undefined
}

/** Prefix of the imports that stand for files named by `new URL(…, import.meta.url)`: `asset:` raw, `program:` bundled. */
export const assetScheme = 'zenml-asset:'
export const programScheme = 'zenml-program:'

/** The package of a local module, and so whose SDK it may call by relative paths. */
const sdkPackages = /^(?:zenml|zod|@zenml\/.*)$/

/**
 * Turns a local module into JavaScript with its declaring calls marked as pure (see annotate.ts). Lines and columns stay right
 * in the source map that goes with it. Throws a `ModuleError` for a syntax error.
 */
export async function prepareModule(tree: SourceTree, path: string, bytes: Uint8Array): Promise<PreparedModule> {
  const loader = loaders[extname(path)]!
  const text = Buffer.from(bytes).toString('utf8')
  const tsconfig = findTsconfig(tree, dirname(path))
  if (loader === 'json') return { contents: text, loader, tsconfig, warnings: [], absent: [] }
  const javascript = await transform(tree, path, text, loader, tsconfig)
  const absent: string[] = []
  const found = await analyse(tree, path, javascript.code, absent)
  const map = javascript.map as { mappings: string; sources: string[] }
  const warnings = found.remarks.map(
    ({ at, kind }) => `${place(tree.name(path), map.mappings, javascript.code, at)}: ${remarks[kind]}`,
  )
  map.sources = [basename(path)]
  map.mappings = shiftMappings(map.mappings, javascript.code, found.edits)
  const data = Buffer.from(JSON.stringify(map)).toString('base64')
  return {
    contents: `${applyEdits(javascript.code, found.edits)}${found.appended}\n//# sourceMappingURL=data:application/json;base64,${data}`,
    loader: found.exportsAgain && (loader === 'ts' || loader === 'tsx') ? 'ts' : 'js',
    tsconfig,
    warnings,
    absent,
  }
}

const remarks = {
  import:
    'import() of a computed name: what it loads is not part of the bundle or of the identity. Import a literal name.',
  place:
    'import.meta tells where the bundle runs, not where this file lies. Name files by new URL("./file", import.meta.url), so that they belong to the step.',
}

async function transform(
  tree: SourceTree,
  path: string,
  text: string,
  loader: Loader,
  tsconfig: Tsconfig,
): Promise<{ readonly code: string; readonly map: unknown }> {
  const esbuild = await import('esbuild')
  try {
    const { code, map } = await esbuild.transform(text, {
      loader,
      sourcefile: tree.name(path),
      sourcemap: 'external',
      sourcesContent: false,
      target: bundleTarget,
      platform: 'node',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: tsconfig.compilerOptions },
    })
    return { code, map: JSON.parse(map) }
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors
    if (messages === undefined) throw error
    throw new ModuleError(messages)
  }
}

async function analyse(
  tree: SourceTree,
  path: string,
  code: string,
  absent: string[],
): Promise<ReturnType<typeof annotate>> {
  const acorn = await import('acorn')
  const pureComments = new Set<number>()
  const options = {
    ecmaVersion: 'latest',
    allowHashBang: true,
    onComment: (_block: boolean, text: string, _start: number, end: number) => {
      if (/[@#]__PURE__/.test(text)) pureComments.add(end)
    },
  } as const
  const parse = (): ReturnType<typeof acorn.parse> => {
    if (extname(path) === '.cjs' || extname(path) === '.cts') {
      return acorn.parse(code, { ...options, sourceType: 'script', allowReturnOutsideFunction: true })
    }
    return acorn.parse(code, { ...options, sourceType: 'module', allowReturnOutsideFunction: true })
  }
  let program: ReturnType<typeof acorn.parse>
  try {
    program = parse()
  } catch (error) {
    throw new ModuleError([{ text: messageOf(error), location: null }])
  }
  const inSdk = sdkPackages.test(packageOf(tree, path))
  return annotate(program, code, pureComments, {
    isPure: (specifier) =>
      /^(?:zenml|zod|@zenml\/[^/]+)(?:\/|$)/.test(specifier) ||
      (inSdk && /(?:^|\/)(?:define|formats|model)\//.test(specifier)),
    asset: (literal, runs) => {
      const target = fileURLToPath(new URL(literal, pathToFileURL(path)))
      if (tree.read(target) === undefined) {
        absent.push(target)
        return undefined
      }
      return (runs && isScript(target) ? programScheme : assetScheme) + literal
    },
  })
}

/** The name in the nearest package.json above a file, inside the root. */
function packageOf(tree: SourceTree, path: string): string {
  for (let current = dirname(path); ; current = dirname(current)) {
    const file = tree.read(join(current, 'package.json'))
    if (file !== undefined) return String(parseManifest(file.bytes)['name'] ?? '')
    if (current === tree.root || current === dirname(current)) return ''
  }
}

/** `file:line:column`, both from 1. */
function place(file: string, mappings: string, code: string, at: number): string {
  const position = originalPosition(mappings, code, at)
  return position === undefined ? file : `${file}:${position.line + 1}:${position.column + 1}`
}
