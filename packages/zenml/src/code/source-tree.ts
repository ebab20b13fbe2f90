import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import { type Digest, sha256 } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'

/** A file as it was when it was first read. */
export interface SourceFile {
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/** A package that a bare import names. */
export interface InstalledPackage {
  readonly name: string
  /** Its real directory. */
  readonly directory: string
  /** From its package.json; empty where it has none. */
  readonly version: string
  /** False where its package.json says that unused imports of it may be dropped. */
  readonly sideEffects: boolean
  /** Digest of its package.json, or null where it has none. */
  readonly manifest: Digest | null
}

/**
 * A project's files as one moment saw them: every file, folder and package is looked at once, so that all bundles of one call
 * are made from the same state. Reading is synchronous: small files come faster so than through the thread pool.
 */
export class SourceTree {
  /** Real path of the project's root. */
  readonly root: string
  private readonly files = new Map<string, SourceFile | undefined>()
  private readonly listings = new Map<string, Digest | null>()
  private readonly packages = new Map<string, InstalledPackage | undefined>()
  private readonly manifests = new Map<string, InstalledPackage>()

  constructor(root: string) {
    this.root = realpathSync(root)
  }

  /** A file's content; undefined where there is no such file. */
  read(path: string): SourceFile | undefined {
    if (this.files.has(path)) return this.files.get(path)
    const file = load(path)
    this.files.set(path, file)
    return file
  }

  /**
   * Digest of the names in a folder, with the targets of links; null where there is no such folder. Hidden names are left
   * out: nothing resolves to them unless it names them, and tools come and go there.
   */
  listing(directory: string): Digest | null {
    const known = this.listings.get(directory)
    if (known !== undefined) return known
    const listing = list(directory)
    this.listings.set(directory, listing)
    return listing
  }

  /** The package that Node would find for a bare name imported from a folder; undefined where none is installed. */
  findPackage(from: string, name: string): InstalledPackage | undefined {
    const key = `${from}\0${name}`
    if (this.packages.has(key)) return this.packages.get(key)
    const found = this.lookUp(from, name)
    this.packages.set(key, found)
    return found
  }

  /** Whether a real path is one of the project's own files: inside of the root and of no installed package. */
  isLocal(path: string): boolean {
    if (!path.startsWith(this.root === sep ? sep : this.root + sep)) return false
    return !path.slice(this.root.length).split(sep).includes('node_modules')
  }

  /** A path as results name it: relative to the root with `/`, or absolute where it lies outside. */
  name(path: string): string {
    if (path === this.root) return '.'
    return path.startsWith(this.root + sep)
      ? path
          .slice(this.root.length + 1)
          .split(sep)
          .join('/')
      : path
  }

  /** The path behind such a name. */
  path(name: string): string {
    return name === '.'
      ? this.root
      : name.startsWith('/') || /^[A-Za-z]:/.test(name)
        ? name
        : join(this.root, ...name.split('/'))
  }

  private lookUp(from: string, name: string): InstalledPackage | undefined {
    for (let current = from; ; current = dirname(current)) {
      if (!current.endsWith(`${sep}node_modules`)) {
        const path = join(current, 'node_modules', ...name.split('/'))
        if (existsSync(path)) return this.describe(name, realpathSync(path))
      }
      if (current === dirname(current)) return undefined
    }
  }

  private describe(name: string, directory: string): InstalledPackage {
    const key = `${name}\0${directory}`
    const known = this.manifests.get(key)
    if (known !== undefined) return known
    const file = this.read(join(directory, 'package.json'))
    const manifest = file === undefined ? {} : parseManifest(file.bytes)
    const described = {
      name,
      directory,
      version: String(manifest['version'] ?? ''),
      sideEffects: manifest['sideEffects'] !== false,
      manifest: file?.digest ?? null,
    }
    this.manifests.set(key, described)
    return described
  }
}

function load(path: string): SourceFile | undefined {
  try {
    const bytes = readFileSync(path)
    return { bytes, digest: sha256(bytes) }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function list(directory: string): Digest | null {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => (entry.isSymbolicLink() ? [entry.name, readlinkSync(join(directory, entry.name))] : [entry.name]))
    return digestOf(entries.sort(([a], [b]) => compareText(a!, b!)))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null
    throw error
  }
}

/** What a package.json says; nothing where it is damaged. */
export function parseManifest(bytes: Uint8Array): JsonObject {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return isJsonObject(parsed) ? parsed : {}
  } catch {
    // Node itself will refuse a package with such a package.json, naming it, when the package is loaded.
    return {}
  }
}
