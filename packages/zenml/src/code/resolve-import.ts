import { readdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import type { ErrorCode } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { InstalledPackage, SourceTree } from './source-tree.ts'
import { aliasesOf, findTsconfig } from './tsconfig.ts'

/** Where an import leads. */
export type Resolution =
  /** A module of the project: becomes part of the bundle. `linked` where a bare name leads to it (a workspace package). */
  | { readonly kind: 'local'; readonly path: string; readonly sideEffects: boolean; readonly linked: boolean }
  /** A module of an installed package: stays an import. */
  | { readonly kind: 'package'; readonly package: InstalledPackage }
  | { readonly kind: 'builtin' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string; readonly next: string }

/** The bundler's own resolution of files: extensions, folders, `exports` and `imports` of local packages. */
export type FileResolver = (
  specifier: string,
  directory: string,
) => Promise<{ readonly path: string; readonly sideEffects: boolean } | undefined>

/** What resolving looked at, so that a cached bundle can tell whether it would resolve the same way again. */
export interface ResolutionTrace {
  /** Folders whose names decided. */
  readonly directories: Set<string>
  /** Packages looked up: `[from, name]` by `from\0name`. */
  readonly lookups: Map<string, readonly [from: string, name: string]>
}

/**
 * Resolves an import of a local module: local files in, packages out. Never follows one out of the repository.
 */
export async function resolveImport(
  tree: SourceTree,
  trace: ResolutionTrace,
  specifier: string,
  directory: string,
  resolveFile: FileResolver,
): Promise<Resolution> {
  if (isBuiltin(specifier)) return { kind: 'builtin' }
  if (isAbsolute(specifier) || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(specifier)) {
    return refused(
      'ZEN_STEP_SOURCE_OUTSIDE',
      `"${specifier}" is no part of the repository.`,
      'Import local files by relative paths and packages by their names.',
    )
  }
  if (/^\.\.?(\/|$)/.test(specifier)) return await relative(tree, trace, specifier, directory, resolveFile)
  if (specifier.startsWith('#'))
    return local(tree, await resolveFile(specifier, directory), false) ?? missing(specifier)

  for (const alias of aliasesOf(findTsconfig(tree, directory), specifier)) {
    // As a folder too: one that holds nothing to import yet may get it.
    trace.directories.add(dirname(alias)).add(alias)
    const found = await resolveFile(`./${basename(alias)}`, dirname(alias))
    if (found !== undefined) return local(tree, found, false)!
  }
  const name = packageName(specifier)
  trace.lookups.set(`${directory}\0${name}`, [directory, name])
  const found = tree.findPackage(directory, name)
  if (found !== undefined && !tree.isLocal(found.directory)) return { kind: 'package', package: found }
  const resolved = await resolveFile(specifier, directory)
  if (resolved === undefined) return found === undefined ? missing(name) : noSuchModule(found, specifier)
  return local(tree, resolved, true)!
}

/** The package that a bare import names: its first part, or two for a scoped one. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

async function relative(
  tree: SourceTree,
  trace: ResolutionTrace,
  specifier: string,
  directory: string,
  resolveFile: FileResolver,
): Promise<Resolution> {
  const wanted = resolve(directory, specifier)
  if (wanted !== tree.root && !wanted.startsWith(tree.root === sep ? sep : tree.root + sep)) return outside(specifier)
  trace.directories.add(dirname(wanted)).add(wanted)
  const resolved = await resolveFile(specifier, directory)
  if (resolved !== undefined) return local(tree, resolved, false)!
  const names = namesIn(dirname(wanted))
  return refused(
    'ZEN_CODE_IMPORT',
    `There is no file ${tree.name(wanted)}.${didYouMean(basename(wanted), names)}`,
    'Correct the import, or add the file.',
  )
}

function local(
  tree: SourceTree,
  found: { readonly path: string; readonly sideEffects: boolean } | undefined,
  linked: boolean,
): Resolution | undefined {
  if (found === undefined) return undefined
  if (tree.isLocal(found.path)) return { kind: 'local', path: found.path, sideEffects: found.sideEffects, linked }
  if (!found.path.includes(`${sep}node_modules${sep}`)) return outside(tree.name(found.path))
  return refused(
    'ZEN_CODE_IMPORT',
    `${tree.name(found.path)} belongs to an installed package.`,
    'Import it by the name of the package.',
  )
}

function outside(specifier: string): Resolution {
  return refused(
    'ZEN_STEP_SOURCE_OUTSIDE',
    `"${specifier}" lies outside of the repository.`,
    'Move the file into the repository, or install it as a package.',
  )
}

function missing(specifier: string): Resolution {
  return refused(
    'ZEN_PACKAGE_MISSING',
    `"${specifier}" is not installed.`,
    `Run "npm install ${packageName(specifier)}", or correct the import.`,
  )
}

function noSuchModule({ name }: InstalledPackage, specifier: string): Resolution {
  return refused(
    'ZEN_PACKAGE_MISSING',
    `Package ${name} has no module "${specifier}".`,
    'Correct the import, or the "exports" in its package.json.',
  )
}

function refused(code: ErrorCode, message: string, next: string): Resolution {
  return { kind: 'refused', code, message, next }
}

/** Names of the files in a folder, in a fixed order; none where there is no such folder. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort(compareText)
  } catch {
    // The message then suggests nothing.
    return []
  }
}

/** The folders from a file or folder up to the root, both included. */
export function foldersUpTo(tree: SourceTree, directory: string): string[] {
  const folders: string[] = []
  for (let current = directory; ; current = dirname(current)) {
    folders.push(current)
    if (current === tree.root || current === join(current, '..')) return folders
  }
}
