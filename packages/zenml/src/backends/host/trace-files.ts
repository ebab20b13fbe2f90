import fs from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Digest } from '../../base/digest.ts'
import { changedMeanwhile, leads, observeBelow, pathLed, wayOf } from '../../fingerprint/observe-file.ts'
import type { Call, Listener, Taps } from './tap.ts'
import type { Ledger } from './trace-ledger.ts'
import type { Places } from './trace-places.ts'
import { markOf, type Opening, openingOf, Writes } from './trace-writes.ts'

/**
 * What of a path was asked for: what it holds, the names in it, the names of all that is below it, all of that, that it is there, or
 * where it leads.
 */
type Reading = 'content' | 'names' | 'below' | 'tree' | 'presence' | 'way'

const contents = ['readFile', 'readFileSync', 'createReadStream', 'openAsBlob', 'copyFile', 'copyFileSync']
const opens = ['open', 'openSync']
const names = ['readdir', 'readdirSync', 'opendir', 'opendirSync']
const trees = ['cp', 'cpSync']
const presences = ['stat', 'access', 'exists'].flatMap((name) => [name, `${name}Sync`])
const ways = ['lstat', 'readlink', 'realpath'].flatMap((name) => [name, `${name}Sync`])
const writes = ['writeFile', 'writeFileSync']
/** What makes a file reachable under another name: reading it there is not seen. */
const moves = ['rename', 'renameSync', 'link', 'linkSync']
const links = ['symlink', 'symlinkSync']

/** What is no undeclared file. */
export interface KnownFiles {
  /** The step's own folder, without links. */
  readonly own: string
  /** Root of the repository, without links. */
  readonly root: string
  /** Absolute paths of the files of datasources. */
  readonly declared: ReadonlySet<string>
  /** Folders of the packages that are part of the step's identity, without links. */
  readonly packages: ReadonlySet<string>
}

/** Watches readings of files, and observes those of the repository when they are first read. */
export class FileWatch {
  private readonly known: KnownFiles
  private readonly ledger: Ledger
  private readonly places: Places
  /** By path and reading: null where it is known, else what it counts as and whether it was observed. */
  private readonly seen = new Map<string, { readonly what: string; readonly how: Reading; observed: boolean } | null>()
  private readonly writes = new Writes()
  private readonly ofPackages = new Map<string, Set<string>>()
  private inputFiles: ReadonlySet<string> | undefined
  private readonly files = new Map<string, { readonly digest: Digest | null; readonly mark: string }>()

  constructor(known: KnownFiles, ledger: Ledger, places: Places) {
    this.known = known
    this.ledger = ledger
    this.places = places
  }

  watch(taps: Taps): void {
    const reading =
      (how: Reading) =>
      (): Listener =>
      ([path, options], below) =>
        this.read(path, how === 'names' && isRecursive(options) ? 'below' : how, below)
    const opening =
      (): Listener =>
      ([path, flags], below) => {
        const does = openingOf(flags) ?? 'reads'
        if (does === 'reads') this.read(path, 'content', below)
        else this.write(path, does, below)
      }
    const writing =
      (usual: string, at: number) =>
      (): Listener =>
      ([path, ...more], below) => {
        const does = openingOf(flagsIn(more[at - 1]) ?? usual)
        this.write(path, does === 'reads' || does === undefined ? 'changes' : does, below)
      }
    taps.methods(process, ['loadEnvFile'], reading('content'))
    for (const owner of [fs.realpath, fs.realpathSync]) taps.methods(owner, ['native'], reading('way'))
    for (const owner of [fs, fs.promises]) {
      taps.methods(owner, contents, reading('content'))
      taps.methods(owner, names, reading('names'))
      taps.methods(owner, trees, reading('tree'))
      taps.methods(owner, presences, reading('presence'))
      taps.methods(owner, ways, reading('way'))
      taps.methods(owner, opens, opening)
      taps.methods(owner, moves, reading('tree'))
      taps.methods(owner, links, () => ([target, path], below) => {
        const [to, from] = [pathOf(path), typeof target === 'string' ? target : pathOf(target)]
        if (to !== undefined && from !== undefined) this.read(resolve(dirname(to), from), 'tree', below)
      })
      taps.methods(owner, writes, writing('w', 2))
      taps.methods(owner, ['createWriteStream'], writing('w', 1))
      taps.methods(owner, ['appendFile', 'appendFileSync'], writing('a', 2))
      taps.methods(owner, ['truncate', 'truncateSync'], writing('r+', 2))
    }
  }

  /** What was read of the repository; a file that is not any more what it was when it was read is marked as equal to nothing. */
  observed(): { [path: string]: Digest | null } {
    const settled = [...this.files].map(([key, { digest, mark }]): [string, Digest | null] => {
      if (this.markOf(key) === mark) return [key, digest]
      const now = observeBelow(this.known.root, key)
      return [key, now.kind === 'settled' && now.digest === digest ? digest : changedMeanwhile]
    })
    return Object.fromEntries(settled)
  }

  /** Files of packages that were read or looked for, by the package's folder. */
  loaded(): { [directory: string]: string[] } {
    return Object.fromEntries([...this.ofPackages].map(([folder, files]) => [folder, [...files]]))
  }

  private read(given: unknown, how: Reading, below: Call): void {
    const path = pathOf(given)
    if (path === undefined || isInside(this.known.own, path)) return
    const key = `${how} ${path}`
    let entry = this.seen.get(key)
    let real: string | undefined
    if (entry === undefined) {
      const reading = how === 'tree' && !isFolder(path) ? 'way' : how
      real = realOf(path)
      // The folders above the root and the step's own are there: otherwise nothing would run.
      const isThere =
        (how === 'presence' || how === 'way') &&
        [this.known.root, this.known.own].some((below) => isInside(path, below))
      const known = isThere || this.isKnown(path, real)
      entry = known ? null : { what: this.nameOf(path, real, reading), how: reading, observed: false }
      this.seen.set(key, entry)
    }
    if (entry === null || this.writes.isOwn(path)) return
    const told = this.ledger.hit(this.ledger.counter('file', entry.what), below)
    if (entry.observed) return
    entry.observed = true
    // Node's loader of modules reads for an import() that nobody on the stack tells of.
    if (!told) this.ledger.found('file', entry.what)
    this.observe(path, real ?? realOf(path), entry.how, below)
  }

  private write(given: unknown, does: Exclude<Opening, 'reads'>, below: Call): void {
    const path = pathOf(given)
    if (path === undefined || isInside(this.known.own, path)) return
    if (does === 'asks') return this.read(path, 'presence', below)
    const real = realOf(path)
    // A file that it had looked at before stays what it was then.
    if (this.files.has(this.inRepository(path, real) ?? '')) return
    if (does === 'replaces') this.writes.replace(path)
    else this.writes.change(path, real)
  }

  private isKnown(path: string, real: string): boolean {
    if (isInside(this.known.own, real) || isInside(this.places.runtimeDirectory, real)) return true
    if (real === process.execPath || real === '/dev/null') return true
    if (this.known.declared.has(path) || this.known.declared.has(real) || this.inputs().has(real)) return true
    return this.isOfPackage(real)
  }

  /** Not by the name: another copy of a package may lie elsewhere, and what is installed into a package is none of its files. */
  private isOfPackage(real: string): boolean {
    for (let folder = real; ; folder = dirname(folder)) {
      if (this.known.packages.has(folder)) {
        const files = this.ofPackages.get(folder) ?? new Set()
        this.ofPackages.set(folder, files.add(relative(folder, real)))
        return true
      }
      if (basename(folder) === 'node_modules' || folder === dirname(folder)) return false
    }
  }

  /** Where the files of the step's input artifacts lie: these are links into a store, and code may ask where they lead. */
  private inputs(): ReadonlySet<string> {
    this.inputFiles ??= new Set(filesBelow(join(this.known.own, 'inputs')).map(realOf))
    return this.inputFiles
  }

  private nameOf(path: string, real: string, how: Reading): string {
    const inside = this.inRepository(path, real)
    return inside === undefined ? real : isListing(how) ? listingKey(inside) : inside
  }

  /** Relative to the root, as it was spelled where that is inside; undefined for what lies or leads outside. */
  private inRepository(path: string, real: string): string | undefined {
    const { root } = this.known
    if (!isInside(root, real)) return undefined
    return relative(root, isInside(root, path) ? path : real).replaceAll(sep, '/')
  }

  private observe(path: string, real: string, how: Reading, below: Call): void {
    const inside = this.inRepository(path, real)
    if (inside === undefined) return
    if ((how === 'way' || how === 'tree') && inside !== '') this.keep(wayOf(inside), real)
    if (!isListing(how)) return this.keep(inside, real)
    if (how === 'names') return this.keep(listingKey(inside), real)
    this.observeFolder(path, real, how, below, new Set())
  }

  /** Also what links in it lead to: a copy may hold that, or lead there. They may lead back up. */
  private observeFolder(path: string, real: string, how: 'below' | 'tree', below: Call, done: Set<string>): void {
    this.keep(listingKey(this.inRepository(path, real)!), real)
    done.add(real)
    for (const entry of entriesOf(path)) {
      const inner = join(path, entry.name)
      const innerReal = realOf(inner)
      if (this.isKnown(inner, innerReal)) continue
      const inside = this.inRepository(inner, innerReal)
      const isListed = isFolder(innerReal)
      if (inside === undefined) {
        if (isListed || how === 'tree') this.tell(innerReal, below)
        continue
      }
      if (how === 'tree' && entry.isSymbolicLink()) this.keep(wayOf(inside), innerReal)
      if (!isListed && how === 'tree') this.keep(inside, innerReal)
      else if (isListed && !done.has(innerReal)) this.observeFolder(inner, innerReal, how, below, done)
    }
  }

  /** Outside of the repository, it is told as any file there. */
  private tell(file: string, below: Call): void {
    if (!this.ledger.hit(this.ledger.counter('file', file), below)) this.ledger.found('file', file)
  }

  private keep(key: string, real: string): void {
    if (this.files.has(key)) return
    const mark = this.markOf(key)
    const found = this.writes.isMixed(real) ? undefined : observeBelow(this.known.root, key)
    this.files.set(key, { digest: found?.kind === 'settled' ? found.digest : changedMeanwhile, mark })
  }

  private markOf(key: string): string {
    const path = join(this.known.root, pathLed(key))
    return leads(key) ? `${markOf(path)} ${markOf(path, fs.lstatSync as typeof fs.statSync)}` : markOf(path)
  }
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory()
  } catch {
    // Not there, or not readable: the call itself says so to the step.
    return false
  }
}

/** Empty where there is no such folder. */
function entriesOf(path: string): fs.Dirent[] {
  return isFolder(path) ? fs.readdirSync(path, { withFileTypes: true }) : []
}

function filesBelow(path: string): string[] {
  return entriesOf(path).flatMap((entry) => {
    const inner = join(path, entry.name)
    return entry.isDirectory() ? filesBelow(inner) : [inner]
  })
}

function isListing(how: Reading): how is 'names' | 'below' | 'tree' {
  return how === 'names' || how === 'below' || how === 'tree'
}

function listingKey(inside: string): string {
  return inside === '' ? './' : `${inside}/`
}

/** Absolute and without `..`; undefined for file descriptors and handles. */
function pathOf(given: unknown): string | undefined {
  if (typeof given === 'string') return resolve(given).toWellFormed()
  if (given instanceof Uint8Array) return resolve(Buffer.from(given).toString())
  return given instanceof URL && given.protocol === 'file:' ? fileURLToPath(given) : undefined
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Without links, as far as it exists. */
function realOf(path: string): string {
  try {
    return fs.realpathSync.native(path)
  } catch {
    // Not there, or not readable: its folder decides where it lies.
    const folder = dirname(path)
    return folder === path ? path : join(realOf(folder), basename(path))
  }
}

function isRecursive(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'recursive' in options && options.recursive === true
}

/** The flags that options of a writing name; undefined where the usual ones hold. */
function flagsIn(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return undefined
  const { flag, flags } = options as { readonly flag?: unknown; readonly flags?: unknown }
  return flag ?? flags
}
