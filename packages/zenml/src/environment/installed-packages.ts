import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import { type Digest, sha256 } from '../base/digest.ts'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'

/** What of a package.json decides what is loaded with it. */
export interface PackageManifest {
  readonly version: string
  /** Names that it can load at run time: dependencies, optional ones and peers. */
  readonly needed: readonly string[]
  /** Those of them that may be missing. */
  readonly optional: ReadonlySet<string>
}

/** Reads a package's package.json; throws `ZEN_PACKAGE_DAMAGED` where it is missing or no JSON object. */
export function readManifest(directory: string, name: string): PackageManifest {
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  } catch (error) {
    throw damaged(name, messageOf(error))
  }
  if (!isJsonObject(manifest)) throw damaged(name, 'it is no object')
  const names = (field: string): string[] => Object.keys(objectIn(manifest, field))
  const meta = objectIn(manifest, 'peerDependenciesMeta')
  const optionalPeers = Object.keys(meta).filter((peer) => objectIn(meta, peer)['optional'] === true)
  return {
    version: typeof manifest['version'] === 'string' ? manifest['version'] : '',
    needed: [...new Set(['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(names))].sort(compareText),
    optional: new Set([...names('optionalDependencies'), ...names('peerDependencies'), ...optionalPeers]),
  }
}

/** The real directory of a package as Node finds it from a folder: the nearest `node_modules` upwards that holds it. */
function findInstalled(from: string, name: string): string | undefined {
  for (let current = from; ; current = dirname(current)) {
    if (!current.endsWith(`${sep}node_modules`)) {
      const path = join(current, 'node_modules', ...name.split('/'))
      if (existsSync(path)) return realpathSync(path)
    }
    if (current === dirname(current)) return undefined
  }
}

/** A file of a package, with what tells cheaply that it has not changed. */
interface PackageFile {
  readonly path: string
  readonly mark: string
}

/** A package as it lies there. */
interface PackageFolder {
  readonly files: readonly PackageFile[]
  /** When the last of its files and folders was written, in nanoseconds. */
  readonly newest: bigint
}

/** The files of a package, without what is installed into it; in the order of their paths' bytes. */
export function packageFiles(directory: string): readonly PackageFile[] {
  return walk(directory).files
}

function walk(directory: string): PackageFolder {
  const files: PackageFile[] = []
  let newest = 0n
  const note = (time: bigint): void => {
    if (time > newest) newest = time
  }
  // Hundreds of files are looked at before every run, so their paths are put together by hand.
  const visit = (folder: string, within: string): void => {
    note(lstatSync(folder, { bigint: true }).mtimeNs)
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === '.git') continue
      const place = `${folder}${sep}${entry.name}`
      const path = `${within}${entry.name}`
      if (entry.isDirectory()) {
        visit(place, `${path}/`)
        continue
      }
      const { size, mtimeNs, ctimeNs, ino } = lstatSync(place, { bigint: true })
      note(mtimeNs)
      files.push({ path, mark: `${size} ${mtimeNs} ${ctimeNs} ${ino}` })
    }
  }
  visit(directory, '')
  return { files: files.sort((a, b) => compareText(a.path, b.path)), newest }
}

/** What is installed, as one moment saw it: every place, file and package is looked at once, however many closures ask. */
export class InstalledTree {
  private readonly found = new Map<string, string | undefined>()
  private readonly digests = new Map<string, Digest | null>()
  private readonly walked = new Map<string, PackageFolder | undefined>()
  private readonly times = new Map<string, bigint | undefined>()

  /** As `findInstalled`. */
  find(from: string, name: string): string | undefined {
    return once(this.found, `${from}\0${name}`, () => findInstalled(from, name))
  }

  /** Digest of a file; null where there is none. */
  digest(path: string): Digest | null {
    return once(this.digests, path, () => digestOfFile(path))
  }

  /** The files of a package; undefined where it is gone. */
  files(directory: string): readonly PackageFile[] | undefined {
    return this.folder(directory)?.files
  }

  /** When the last of a package's files and folders was written, in nanoseconds; undefined where it is gone. */
  newest(directory: string): bigint | undefined {
    return this.folder(directory)?.newest
  }

  /** When a file or folder was written, in nanoseconds; undefined where there is none. */
  modified(path: string): bigint | undefined {
    return once(this.times, path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs)
  }

  private folder(directory: string): PackageFolder | undefined {
    return once(this.walked, directory, () => {
      try {
        return walk(directory)
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined
        throw error
      }
    })
  }
}

function once<T>(known: Map<string, T>, key: string, find: () => T): T {
  if (!known.has(key)) known.set(key, find())
  return known.get(key) as T
}

function digestOfFile(path: string): Digest | null {
  try {
    return sha256(readFileSync(path))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
    throw error
  }
}

/** Digest that changes whenever a file of the package is written, added or removed. Of this machine only. */
export function stateOf(files: readonly PackageFile[]): Digest {
  // No path holds a NUL, and no mark anything but digits and spaces.
  return sha256(files.map(({ path, mark }) => `${path}\0${mark}\0`).join(''))
}

/** Digest of the contents of a package's files: the same on every machine. A link counts as where it points. */
export function contentOf(directory: string, files: readonly PackageFile[]): Digest {
  return digestOf(
    files.map(({ path }) => {
      const file = join(directory, ...path.split('/'))
      try {
        return [path, sha256(readFileSync(file))]
      } catch (error) {
        // A link to nowhere or to a folder, as some packages ship.
        if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EISDIR') return [path, readlinkSync(file)]
        throw error
      }
    }),
  )
}

function objectIn(object: JsonObject, field: string): JsonObject {
  const value = object[field]
  return isJsonObject(value) ? value : {}
}

function damaged(name: string, why: string): ZenmlError {
  return new ZenmlError(
    'ZEN_PACKAGE_DAMAGED',
    `The package.json of the installed package ${name} cannot be read: ${why}.`,
    {
      facts: { package: name },
      next: 'Run "npm ci".',
    },
  )
}
