import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { canonical, compareText, digestOf } from '../base/canonical.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import { messageOf, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { PackageLeaf } from '../model/fingerprint.ts'
import {
  type InstallRecord,
  isAsInstalled,
  isStillAsInstalled,
  type LoadedFiles,
  readInstallRecord,
  recordFileOf,
} from './install-record.ts'
import { contentOf, InstalledTree, packageFiles, readManifest, stateOf } from './installed-packages.ts'
import { keepAnswer, readAnswer } from './kept-answer.ts'

/** What is asked: the packages that a bundle imports itself. */
export interface ClosureOptions {
  /** Root of the repository; only names in the cache depend on it. */
  readonly root: string
  readonly packages: readonly { readonly name: string; readonly directory: string }[]
  /** Where answers are kept; none are without it. */
  readonly cacheDirectory?: string
  /** Shared by the questions of one moment, so that nothing is looked at twice; a new one is the default. */
  readonly tree?: InstalledTree
}

/** Version of this module's cache files. */
const cacheFormat = 5

/** A closure and what it was made from. */
interface CachedClosure {
  /** Lockfiles by path: digest, or null where there was none. */
  readonly locks: { readonly [path: string]: Digest | null }
  /** The package.json of each package asked for, by directory. */
  readonly manifests: { readonly [directory: string]: Digest | null }
  /** Packages that are as npm says that it installed them, by directory: the file that says so. */
  readonly installed: { readonly [directory: string]: string }
  /** State of the files of each package that no lockfile pins, by directory. */
  readonly states: { readonly [directory: string]: Digest }
  /** Where each name that a package needs was found: only npm tells of its installs by a file. */
  readonly lookups: readonly (readonly [from: string, name: string, directory: string | null])[]
  readonly leaves: readonly PackageLeaf[]
  readonly places: readonly PackagePlace[]
}

/** Where a package is installed on this machine. */
export interface PackagePlace {
  readonly name: string
  readonly version: string
  /** Its real directory. */
  readonly directory: string
}

/**
 * Every package that some packages can load at run time, themselves included: dependencies, and optional ones and peers that
 * are installed, found as Node finds them. Sorted by name, version and integrity.
 *
 * The integrity is the one in the nearest package-lock.json (version 2 or 3) above a package, where that pins the version that
 * is installed and npm's own record agrees; otherwise (linked, bundled, patched or git packages, pnpm, Yarn) it is a digest of the
 * package's files. A kept answer is believed while the lockfiles, that record, the places where packages are found, and the files of
 * those without a pin are the same, and nothing that steps load of the others is newer than the record.
 *
 * Throws `ZEN_PACKAGE_MISSING` for a dependency that is not installed, `ZEN_PACKAGE_DAMAGED` and `ZEN_LOCK_DAMAGED`.
 *
 * @example
 * await packageClosure({ root, packages: bundle.packages, cacheDirectory })
 * // [{ name: 'zod', version: '4.6.7', integrity: 'sha512-…' }]
 */
export async function packageClosure(options: ClosureOptions): Promise<PackageLeaf[]> {
  return [...(await installedClosure(options)).leaves]
}

/** The same packages, and the folders that they are in, for one look at the kept answer. Throws as `packageClosure`. */
export async function installedClosure({
  root,
  packages,
  cacheDirectory,
  tree = new InstalledTree(),
}: ClosureOptions): Promise<Pick<CachedClosure, 'leaves' | 'places'>> {
  if (packages.length === 0) return { leaves: [], places: [] }
  const asked = inOrder(packages)
  if (cacheDirectory === undefined) return new Closure(tree, asked).find()
  const key = keyOf(root, asked)
  const file = join(cacheDirectory, 'packages', `${key}.json`)
  const [known, loaded] = await Promise.all([
    readAnswer<CachedClosure>(file),
    readAnswer<LoadedFiles>(loadedFile(cacheDirectory, key)),
  ])
  if (known !== undefined && stillHolds(tree, known, loaded ?? {})) return known
  const found = new Closure(tree, asked).find()
  await keepAnswer(file, found)
  return found
}

/** Steps that end together add to one list. */
let turn: Promise<void> = Promise.resolve()

/** Keeps which files of its packages a step loaded: these are looked at before a kept answer is believed. */
export function keepLoaded(
  options: Required<Pick<ClosureOptions, 'root' | 'packages' | 'cacheDirectory'>>,
  loaded: LoadedFiles,
): Promise<void> {
  const done = turn.then(() => addLoaded(options, loaded))
  turn = done.catch(() => undefined)
  return done
}

async function addLoaded(
  { root, packages, cacheDirectory }: Required<Pick<ClosureOptions, 'root' | 'packages' | 'cacheDirectory'>>,
  loaded: LoadedFiles,
): Promise<void> {
  const file = loadedFile(cacheDirectory, keyOf(root, inOrder(packages)))
  const before = (await readAnswer<LoadedFiles>(file)) ?? {}
  const union = Object.entries(loaded).map(([directory, files]): [string, string[]] => [
    directory,
    [...new Set([...(before[directory] ?? []), ...files])].sort(compareText),
  ])
  const grown = union.some(([directory, files]) => files.length > (before[directory]?.length ?? 0))
  if (grown) await keepAnswer(file, { ...before, ...Object.fromEntries(union) })
}

function inOrder(packages: ClosureOptions['packages']): ClosureOptions['packages'] {
  return [...packages].sort((a, b) => compareText(a.name, b.name) || compareText(a.directory, b.directory))
}

function keyOf(root: string, asked: ClosureOptions['packages']): string {
  return hexOf(digestOf([cacheFormat, root, asked.map(({ name, directory }) => [name, directory])]))
}

function loadedFile(cacheDirectory: string, key: string): string {
  return join(cacheDirectory, 'packages', `${key}-loaded.json`)
}

/** One search: everything is read once. */
class Closure {
  private readonly tree: InstalledTree
  private readonly asked: ClosureOptions['packages']
  private readonly locks = new Map<string, Digest | null>()
  private readonly parsed = new Map<string, JsonObject>()
  private readonly records = new Map<string, InstallRecord | undefined>()
  private readonly installed = new Map<string, string>()
  private readonly manifests = new Map<string, Digest | null>()
  private readonly states = new Map<string, Digest>()
  private readonly lookups: (readonly [from: string, name: string, directory: string | null])[] = []

  constructor(tree: InstalledTree, asked: ClosureOptions['packages']) {
    this.tree = tree
    this.asked = asked
  }

  find(): CachedClosure {
    const leaves = new Map<string, { readonly leaf: PackageLeaf; readonly directory: string }>()
    const neededBy = new Map<string, Set<string>>()
    const places: PackagePlace[] = []
    const seen = new Set<string>()
    const open = this.asked.map(({ name, directory }) => ({ name, directory: realpathSync(directory) }))
    for (const { directory } of this.asked)
      this.manifests.set(directory, this.tree.digest(join(directory, 'package.json')))
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { name, directory } = next
      if (seen.has(`${name}\0${directory}`)) continue
      seen.add(`${name}\0${directory}`)
      const manifest = readManifest(directory, name)
      const leaf = { name, version: manifest.version, integrity: this.integrity(directory, manifest.version) }
      places.push({ name, version: leaf.version, directory })
      leaves.set(canonical([leaf.name, leaf.version, leaf.integrity]), { leaf, directory })
      for (const needed of manifest.needed) {
        const found = this.tree.find(directory, needed)
        this.lookups.push([directory, needed, found ?? null])
        if (found !== undefined) {
          open.push({ name: needed, directory: found })
          neededBy.set(found, (neededBy.get(found) ?? new Set()).add(name))
        } else if (!manifest.optional.has(needed)) throw missing(name, needed)
      }
    }
    return {
      locks: Object.fromEntries(this.locks),
      manifests: Object.fromEntries(this.manifests),
      installed: Object.fromEntries(this.installed),
      states: Object.fromEntries(this.states),
      lookups: this.lookups,
      leaves: [...leaves.values()]
        .map(({ leaf, directory }): PackageLeaf => {
          const by = [...(neededBy.get(directory) ?? [])].filter((name) => name !== leaf.name).sort(compareText)
          return by.length === 0 ? leaf : { ...leaf, neededBy: by }
        })
        .sort(
          (a, b) =>
            compareText(a.name, b.name) || compareText(a.version, b.version) || compareText(a.integrity, b.integrity),
        ),
      places,
    }
  }

  /** From the lockfile where it pins what is installed, else of the files themselves. */
  private integrity(directory: string, version: string): string {
    const lock = this.lockAbove(directory)
    const entry = lock?.packages[relative(lock.directory, directory).split(sep).join('/')]
    if (lock !== undefined && isJsonObject(entry) && entry['version'] === version) {
      const integrity = entry['integrity']
      if (typeof integrity === 'string' && this.isAsInstalled(lock.directory, directory, entry)) return integrity
    }
    // A package that vanished this moment throws as a missing folder does.
    const files = this.tree.files(directory) ?? packageFiles(directory)
    this.states.set(directory, stateOf(files))
    return contentOf(directory, files)
  }

  /** Believed where npm tells nothing of its installs. */
  private isAsInstalled(folder: string, directory: string, locked: JsonObject): boolean {
    const record = this.records.get(folder)
    if (record === undefined) return true
    if (!isAsInstalled(this.tree, record, directory, locked)) return false
    this.installed.set(directory, record.file)
    return true
  }

  private lockAbove(directory: string): { readonly directory: string; readonly packages: JsonObject } | undefined {
    for (let current = directory; ; current = dirname(current)) {
      const path = join(current, 'package-lock.json')
      if (!this.locks.has(path)) this.readLock(path)
      const packages = this.parsed.get(path)
      if (packages !== undefined) return { directory: current, packages }
      if (current === dirname(current)) return undefined
    }
  }

  private readLock(path: string): void {
    const digest = this.tree.digest(path)
    this.locks.set(path, digest)
    if (digest === null) return
    // Tells of every `npm install`, also one that leaves the lockfile as it was.
    const installed = recordFileOf(dirname(path))
    this.locks.set(installed, this.tree.digest(installed))
    this.records.set(dirname(path), readInstallRecord(this.tree, dirname(path)))
    this.parsed.set(path, parseLock(path))
  }
}

function parseLock(path: string): JsonObject {
  let lock: unknown
  try {
    lock = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ZenmlError('ZEN_LOCK_DAMAGED', `package-lock.json is no JSON: ${messageOf(error)}.`, {
      next: 'Resolve what is left of a merge in it, or run "npm install".',
    })
  }
  // Version 1 has no map of places: its packages are then told by their files.
  return isJsonObject(lock) && isJsonObject(lock['packages']) ? lock['packages'] : {}
}

function stillHolds(
  tree: InstalledTree,
  { locks, manifests, installed, states, lookups }: CachedClosure,
  loaded: LoadedFiles,
): boolean {
  return (
    Object.entries(locks).every(([path, digest]) => tree.digest(path) === digest) &&
    Object.entries(manifests).every(([directory, digest]) => tree.digest(join(directory, 'package.json')) === digest) &&
    Object.entries(installed).every(([directory, record]) => isStillAsInstalled(tree, record, directory, loaded)) &&
    lookups.every(([from, name, directory]) => (tree.find(from, name) ?? null) === directory) &&
    Object.entries(states).every(([directory, state]) => {
      const files = tree.files(directory)
      return files !== undefined && stateOf(files) === state
    })
  )
}

function missing(name: string, needed: string): ZenmlError {
  return new ZenmlError('ZEN_PACKAGE_MISSING', `Package ${name} needs ${needed}, which is not installed.`, {
    facts: { package: name, needs: needed },
    next: 'Run "npm ci".',
  })
}
