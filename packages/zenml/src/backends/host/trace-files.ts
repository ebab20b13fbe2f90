import fs from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Digest } from '../../base/digest.ts'
import { changedMeanwhile, observeBelow } from '../../fingerprint/observe-file.ts'
import type { Call, Listener, Taps } from './tap.ts'
import type { Ledger } from './trace-ledger.ts'
import type { Places } from './trace-places.ts'

/** What of a path was asked for: what it holds, the names in it, all that is below it, or that it is there. */
type Reading = 'content' | 'names' | 'tree' | 'presence'

const contents = ['readFile', 'readFileSync', 'createReadStream', 'openAsBlob', 'copyFile', 'copyFileSync']
const opens = ['open', 'openSync']
const names = ['readdir', 'readdirSync', 'opendir', 'opendirSync']
const trees = ['cp', 'cpSync']
const presences = ['stat', 'lstat', 'access', 'exists', 'readlink', 'realpath'].flatMap((name) => [name, `${name}Sync`])
const writes = ['writeFile', 'writeFileSync', 'createWriteStream']
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
  /** Names of the packages that are part of the step's identity. */
  readonly packages: ReadonlySet<string>
}

/** Watches readings of files, and observes those of the repository when they are first read. */
export class FileWatch {
  private readonly known: KnownFiles
  private readonly ledger: Ledger
  private readonly places: Places
  /** By path and reading: null where it is known, else what it counts as and whether it was observed. */
  private readonly seen = new Map<string, { readonly what: string; readonly how: Reading; observed: boolean } | null>()
  private readonly written = new Set<string>()
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
        this.read(path, how === 'names' && isRecursive(options) ? 'tree' : how, below)
    const opening =
      (): Listener =>
      ([path, flags], below) => {
        if (truncates(flags)) this.wrote(path)
        else if (reads(flags)) this.read(path, 'content', below)
      }
    taps.methods(process, ['loadEnvFile'], reading('content'))
    for (const owner of [fs.realpath, fs.realpathSync]) taps.methods(owner, ['native'], reading('presence'))
    for (const owner of [fs, fs.promises]) {
      taps.methods(owner, contents, reading('content'))
      taps.methods(owner, names, reading('names'))
      taps.methods(owner, trees, reading('tree'))
      taps.methods(owner, presences, reading('presence'))
      taps.methods(owner, opens, opening)
      taps.methods(owner, moves, reading('tree'))
      taps.methods(owner, links, () => ([target, path], below) => {
        const [to, from] = [pathOf(path), typeof target === 'string' ? target : pathOf(target)]
        if (to !== undefined && from !== undefined) this.read(resolve(dirname(to), from), 'tree', below)
      })
      taps.methods(
        owner,
        writes,
        () =>
          ([path]) =>
            this.wrote(path),
      )
    }
  }

  /** What was read of the repository; a file that is not any more what it was when it was read is marked as equal to nothing. */
  observed(): { [path: string]: Digest | null } {
    const settled = [...this.files].map(([key, { digest, mark }]): [string, Digest | null] => {
      if (markOf(join(this.known.root, key)) === mark) return [key, digest]
      const now = observeBelow(this.known.root, key)
      return [key, now.kind === 'settled' && now.digest === digest ? digest : changedMeanwhile]
    })
    return Object.fromEntries(settled)
  }

  private read(given: unknown, how: Reading, below: Call): void {
    const path = pathOf(given)
    if (path === undefined || isInside(this.known.own, path)) return
    const key = `${how} ${path}`
    let entry = this.seen.get(key)
    let real: string | undefined
    if (entry === undefined) {
      const reading = how === 'tree' && !isFolder(path) ? 'content' : how
      real = realOf(path)
      // The root and the folders above it are there: otherwise nothing would run.
      const known = (how === 'presence' && isInside(path, this.known.root)) || this.isKnown(path, real)
      entry = known ? null : { what: this.nameOf(path, real, reading), how: reading, observed: false }
      this.seen.set(key, entry)
    }
    if (entry === null || this.written.has(path)) return
    const told = this.ledger.hit(this.ledger.counter('file', entry.what), below)
    if (entry.observed) return
    entry.observed = true
    // Node's loader of modules reads for an import() that nobody on the stack tells of.
    if (!told) this.ledger.found('file', entry.what)
    this.observe(path, real ?? realOf(path), entry.how)
  }

  private wrote(given: unknown): void {
    const path = pathOf(given)
    // A file that it had looked at before stays what it was then.
    if (path === undefined || isInside(this.known.own, path)) return
    if (!this.files.has(this.inRepository(path, realOf(path)) ?? '')) this.written.add(path)
  }

  private isKnown(path: string, real: string): boolean {
    if (isInside(this.known.own, real) || isInside(this.places.runtimeDirectory, real)) return true
    if (real === process.execPath || real === '/dev/null') return true
    if (this.known.declared.has(path) || this.known.declared.has(real) || this.inputs().has(real)) return true
    return [path, real].some((spelling) => {
      const owner = this.places.packageAt(spelling)
      return owner !== undefined && this.known.packages.has(owner)
    })
  }

  /** Where the files of the step's input artifacts lie: these are links into a store, and code may ask where they lead. */
  private inputs(): ReadonlySet<string> {
    this.inputFiles ??= new Set(filesBelow(join(this.known.own, 'inputs')).map(realOf))
    return this.inputFiles
  }

  private nameOf(path: string, real: string, how: Reading): string {
    const inside = this.inRepository(path, real)
    return inside === undefined ? real : how === 'names' || how === 'tree' ? listingKey(inside) : inside
  }

  /** Relative to the root, as it was spelled where that is inside; undefined for what lies or leads outside. */
  private inRepository(path: string, real: string): string | undefined {
    const { root } = this.known
    if (!isInside(root, real)) return undefined
    return relative(root, isInside(root, path) ? path : real).replaceAll(sep, '/')
  }

  private observe(path: string, real: string, how: Reading): void {
    const inside = this.inRepository(path, real)
    if (inside === undefined) return
    if (how === 'content' || how === 'presence') return this.keep(inside)
    this.keep(listingKey(inside))
    if (how === 'names') return
    for (const entry of entriesOf(path)) {
      const inner = join(path, entry.name)
      const innerReal = realOf(inner)
      if (entry.isDirectory()) this.observe(inner, innerReal, 'tree')
      else if (!this.isKnown(inner, innerReal)) this.observe(inner, innerReal, 'content')
    }
  }

  private keep(key: string): void {
    if (this.files.has(key)) return
    const mark = markOf(join(this.known.root, key))
    const found = observeBelow(this.known.root, key)
    this.files.set(key, { digest: found.kind === 'settled' ? found.digest : changedMeanwhile, mark })
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

/** Moves whenever a file is written, replaced, removed or made. */
function markOf(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = fs.statSync(path, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return 'none'
  }
}

function isRecursive(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'recursive' in options && options.recursive === true
}

/** Whether flags of `open` let one read what was there. */
function reads(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & 3) !== fs.constants.O_WRONLY
  return typeof flags !== 'string' || /^r|\+/.test(flags)
}

/** Whether flags of `open` leave nothing of what was there. */
function truncates(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & fs.constants.O_TRUNC) !== 0
  return typeof flags === 'string' && flags.startsWith('w')
}
