import { type Dirent, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'
import { digestFile } from '../environment/file-digest.ts'

/** What a path of the repository holds, or that it cannot be said. */
export type Observation =
  | { readonly kind: 'settled'; readonly digest: Digest | null }
  /** It leads out of the repository, may not be read, is no path, or is neither file nor folder. */
  | { readonly kind: 'unsettled' }

const unsettled: Observation = { kind: 'unsettled' }

/** That a folder is there, whatever it holds. */
const folderDigest: Digest = digestOf('zenml observed folder 1')

/** Stands for a file that changed while the step ran: it equals nothing, so that such an execution is never reused. */
export const changedMeanwhile: Digest = digestOf('zenml observed change 1')

const missing: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR'])
const unreadable: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG'])

/**
 * Digests what `path` (relative to `root`, parts joined by `/`) holds: the bytes of a file, null where nothing is there, one
 * fixed digest for any folder, and with `/` at its end the sorted names in a folder, each with whether it is a file, folder or link
 * (`./` is the root's own). With `/.` at its end it is the way that the path leads: its text where it is a link, and where it ends.
 * Links are followed while they stay inside of the root.
 *
 * @example
 * observeFile('/repo', 'data/limits.json') // { kind: 'settled', digest: 'sha256:…' }
 */
export function observeFile(root: string, path: string): Observation {
  return observeBelow(realpathSync.native(root), path)
}

/** The same where the root is known to be without links: of many files, the root is looked up once. */
export function observeBelow(base: string, path: string): Observation {
  const [listed, led] = [path.endsWith('/'), leads(path)]
  const parts = path === './' ? [] : (listed ? path.slice(0, -1) : pathLed(path)).split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\0\\]/.test(part))) return unsettled
  const spelled = join(base, ...parts)
  try {
    if (led) return observeWay(base, spelled)
    const real = realpathSync.native(spelled)
    if (!isInside(base, real)) return unsettled
    const found = lstatSync(real)
    if (listed) return { kind: 'settled', digest: found.isDirectory() ? digestNames(real) : null }
    if (found.isDirectory()) return { kind: 'settled', digest: folderDigest }
    return found.isFile() ? { kind: 'settled', digest: digestFile(real) } : unsettled
  } catch (error) {
    const code = systemCode(error)
    if (missing.has(code)) return leadsOut(base, spelled) ? unsettled : { kind: 'settled', digest: null }
    if (unreadable.has(code)) return unsettled
    throw error
  }
}

/** The key of the way that a path leads. */
export function wayOf(path: string): string {
  return `${path}/.`
}

/** Whether a key is of the way that a path leads. */
export function leads(key: string): boolean {
  return key.endsWith('/.')
}

/** The path that a key is of, where that is one of a way; any other is the path itself. */
export function pathLed(key: string): string {
  return leads(key) ? key.slice(0, -2) : key
}

/** Who asks where something lies depends on that, whatever bytes are there: a link may lead to another file that holds the same. */
function observeWay(base: string, spelled: string): Observation {
  const folder = realpathSync.native(dirname(spelled))
  if (!isInside(base, folder)) return unsettled
  const place = join(folder, basename(spelled))
  const text = lstatSync(place).isSymbolicLink() ? readlinkSync(place) : null
  const end = endOf(place)
  if (end !== null && !isInside(base, end)) return unsettled
  const inside = end === null ? null : relative(base, end).split(sep).join('/')
  return { kind: 'settled', digest: digestOf(['zenml observed way 1', text, inside]) }
}

/** Null for a link to nowhere. */
function endOf(place: string): string | null {
  try {
    return realpathSync.native(place)
  } catch (error) {
    if (missing.has(systemCode(error))) return null
    throw error
  }
}

function isInside(base: string, real: string): boolean {
  return real === base || real.startsWith(base.endsWith(sep) ? base : base + sep)
}

/** Whether something missing would lie outside of the root: a folder above it is a link that leads there. */
function leadsOut(base: string, path: string): boolean {
  try {
    return !isInside(base, realpathSync.native(dirname(path)))
  } catch (error) {
    if (missing.has(systemCode(error))) return leadsOut(base, dirname(path))
    if (unreadable.has(systemCode(error))) return true
    throw error
  }
}

function digestNames(path: string): Digest {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => compareText(a.name, b.name))
  return digestOf(['zenml observed names 1', ...entries.map((entry) => [entry.name, kindOf(entry)])])
}

function kindOf(entry: Dirent): string {
  if (entry.isSymbolicLink()) return 'link'
  if (entry.isDirectory()) return 'folder'
  return entry.isFile() ? 'file' : 'other'
}
