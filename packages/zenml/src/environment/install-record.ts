import { readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { InstalledTree } from './installed-packages.ts'

/** What npm itself says that it installed below a folder; it writes that last. */
export interface InstallRecord {
  readonly file: string
  /** Entries by place, as in a lockfile. */
  readonly packages: JsonObject
}

/** Files of packages that steps were seen to load: by the package's folder, relative to it. */
export type LoadedFiles = { readonly [directory: string]: readonly string[] }

/** Where npm keeps its record of what it installed for the lockfile of a folder. */
export function recordFileOf(folder: string): string {
  return join(folder, 'node_modules', '.package-lock.json')
}

/** Undefined where there is none, as npm before version 7 and copies leave it; one that is damaged names nothing. */
export function readInstallRecord(tree: InstalledTree, folder: string): InstallRecord | undefined {
  const file = recordFileOf(folder)
  if (tree.digest(file) === null) return undefined
  try {
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return { file, packages: isJsonObject(record) && isJsonObject(record['packages']) ? record['packages'] : {} }
  } catch {
    // Then nothing is believed, and packages are told by their files.
    return { file, packages: {} }
  }
}

/**
 * Whether a package was installed as the lockfile says, and nothing in its folder is newer than that: a patch, an edit, a rebuild. npm
 * writes its record after the packages, and judges by the time of the folders alone, which an edit in place leaves as it was.
 */
export function isAsInstalled(
  tree: InstalledTree,
  { file, packages }: InstallRecord,
  directory: string,
  locked: JsonObject,
): boolean {
  const place = relative(dirname(dirname(file)), directory)
    .split(sep)
    .join('/')
  const entry = packages[place]
  if (!isJsonObject(entry) || entry['version'] !== locked['version'] || entry['integrity'] !== locked['integrity'])
    return false
  const newest = tree.newest(directory)
  return newest !== undefined && newest <= (tree.modified(file) ?? 0n)
}

/**
 * The same for later runs, by what steps were seen to load and the folders of that: reading all times of all packages would take
 * longer than a run that reuses everything.
 */
export function isStillAsInstalled(tree: InstalledTree, file: string, directory: string, loaded: LoadedFiles): boolean {
  const installed = tree.modified(file) ?? 0n
  const paths = new Set([directory, join(directory, 'package.json')])
  for (const name of loaded[directory] ?? []) {
    const path = join(directory, name)
    paths.add(path).add(dirname(path))
  }
  // What is gone shows in its folder, if it was removed since.
  return [...paths].every((path) => (tree.modified(path) ?? 0n) <= installed)
}
