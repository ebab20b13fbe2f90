import { dirname, join, resolve } from 'node:path'
import { messageOf, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { SourceTree } from './source-tree.ts'

/** What of a tsconfig.json decides how its files become JavaScript. */
export interface Tsconfig {
  /** The compiler options that change the code, and no others. */
  readonly compilerOptions: JsonObject
  /** Aliases of imports: pattern to candidates, as absolute paths with `*`. */
  readonly paths: readonly (readonly [pattern: string, candidates: readonly string[]])[]
  /** The files that it was read from. */
  readonly files: readonly string[]
}

const none: Tsconfig = { compilerOptions: {}, paths: [], files: [] }

/** Options that change what esbuild prints (its documentation, "TypeScript caveats"). */
const emitting: readonly string[] = [
  'alwaysStrict',
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'strict',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
]

/**
 * The settings of the nearest tsconfig.json between a folder and the root. One above the root is not looked at: it is no part
 * of the repository, and another machine does not have it.
 *
 * Throws `ZEN_TSCONFIG` where it cannot be read.
 */
export function findTsconfig(tree: SourceTree, directory: string): Tsconfig {
  for (let current = directory; ; current = dirname(current)) {
    const path = join(current, 'tsconfig.json')
    if (tree.read(path) !== undefined) return readTsconfig(tree, path, [])
    if (current === tree.root || current === dirname(current)) return none
  }
}

function readTsconfig(tree: SourceTree, path: string, seen: readonly string[]): Tsconfig {
  if (seen.includes(path)) throw wrong(tree, path, 'extends itself')
  const file = tree.read(path)
  if (file === undefined) throw wrong(tree, seen.at(-1) ?? path, `extends ${tree.name(path)}, which does not exist`)
  const config = parse(tree, path, Buffer.from(file.bytes).toString('utf8'))
  const extended = config['extends']
  const bases = (Array.isArray(extended) ? extended : extended === undefined ? [] : [extended]).map((base: Json) => {
    if (typeof base !== 'string') throw wrong(tree, path, 'has an "extends" that is no text')
    return readTsconfig(tree, locate(tree, path, base), [...seen, path])
  })
  const options = isJsonObject(config['compilerOptions']) ? config['compilerOptions'] : {}
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => emitting.includes(name)))
  return {
    compilerOptions: Object.assign({}, ...bases.map((base) => base.compilerOptions), own) as JsonObject,
    paths: pathsOf(dirname(path), options) ?? bases.findLast((base) => base.paths.length > 0)?.paths ?? [],
    files: [...bases.flatMap((base) => base.files), path],
  }
}

function locate(tree: SourceTree, path: string, base: string): string {
  const directory = dirname(path)
  if (/^\.\.?(\/|$)/.test(base)) {
    const target = resolve(directory, base.endsWith('.json') ? base : `${base}.json`)
    if (!tree.isLocal(target)) throw wrong(tree, path, `extends "${base}", which lies outside of the repository`)
    return target
  }
  const parts = base.split('/')
  const name = parts.splice(0, base.startsWith('@') ? 2 : 1).join('/')
  const found = tree.findPackage(directory, name)
  if (found === undefined) throw wrong(tree, path, `extends "${base}", but no package ${name} is installed`)
  const inside = parts.length === 0 ? 'tsconfig.json' : parts.join('/')
  return join(found.directory, inside.endsWith('.json') ? inside : `${inside}.json`)
}

function pathsOf(directory: string, options: JsonObject): Tsconfig['paths'] | undefined {
  const baseUrl = typeof options['baseUrl'] === 'string' ? resolve(directory, options['baseUrl']) : undefined
  const paths = options['paths']
  if (!isJsonObject(paths)) return baseUrl === undefined ? undefined : [['*', [join(baseUrl, '*')]]]
  const list = Object.entries(paths).map(([pattern, candidates]): readonly [string, readonly string[]] => [
    pattern,
    (Array.isArray(candidates) ? candidates : []).map((candidate: Json) =>
      resolve(baseUrl ?? directory, String(candidate)),
    ),
  ])
  return baseUrl === undefined ? list : [...list, ['*', [join(baseUrl, '*')]]]
}

/** Where an alias may lead, best first: the pattern with the longest part before its `*` wins, an exact one above all. */
export function aliasesOf(tsconfig: Tsconfig, specifier: string): string[] {
  const matches = tsconfig.paths.flatMap(([pattern, candidates]) => {
    const star = pattern.indexOf('*')
    if (star < 0) return pattern === specifier ? [{ length: Number.POSITIVE_INFINITY, paths: candidates }] : []
    const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
    if (specifier.length < before.length + after.length || !specifier.startsWith(before) || !specifier.endsWith(after))
      return []
    const matched = specifier.slice(before.length, specifier.length - after.length)
    return [{ length: before.length, paths: candidates.map((candidate) => candidate.replace('*', () => matched)) }]
  })
  return matches.sort((a, b) => b.length - a.length).flatMap(({ paths }) => paths)
}

/** Strings are kept, comments and trailing commas dropped: the JSON that TypeScript reads. */
const tokens = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g

function parse(tree: SourceTree, path: string, text: string): JsonObject {
  const plain = text.replace(/^\uFEFF/, '').replace(tokens, (token) => (token.startsWith('"') ? token : ' '))
  const strict = plain.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (token) => (token === ',' ? '' : token))
  let parsed: unknown
  try {
    parsed = JSON.parse(strict)
  } catch (error) {
    throw wrong(tree, path, `is no JSON: ${messageOf(error)}`)
  }
  if (!isJsonObject(parsed)) throw wrong(tree, path, 'is no object')
  return parsed
}

function wrong(tree: SourceTree, path: string, problem: string): ZenmlError {
  const file = tree.name(path)
  return new ZenmlError('ZEN_TSCONFIG', `${file} ${problem}.`, {
    facts: { file },
    next: 'Correct it: it decides how the steps beside it are compiled.',
  })
}
