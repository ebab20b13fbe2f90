import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'

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
 * fixed digest for any folder, and with `/` at its end the sorted names in a folder (`./` is the root's own). Links are followed
 * while they stay inside of the root.
 */
export function observeFile(root: string, path: string): Observation {
  const listed = path.endsWith('/')
  const parts = path === './' ? [] : (listed ? path.slice(0, -1) : path).split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\0\\]/.test(part))) return unsettled
  try {
    const base = realpathSync(root)
    const real = realpathSync(join(base, ...parts))
    if (real !== base && !real.startsWith(base.endsWith(sep) ? base : base + sep)) return unsettled
    const found = lstatSync(real)
    if (listed) {
      if (!found.isDirectory()) return { kind: 'settled', digest: null }
      return { kind: 'settled', digest: digestOf(['zenml observed names 1', ...readdirSync(real).sort(compareText)]) }
    }
    if (found.isDirectory()) return { kind: 'settled', digest: folderDigest }
    return found.isFile() ? { kind: 'settled', digest: digestFile(real) } : unsettled
  } catch (error) {
    const code = systemCode(error)
    if (missing.has(code)) return { kind: 'settled', digest: null }
    if (unreadable.has(code)) return unsettled
    throw error
  }
}

function digestFile(path: string): Digest {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1 << 18)
  const file = openSync(path, 'r')
  try {
    for (let size = readSync(file, buffer); size > 0; size = readSync(file, buffer))
      hash.update(buffer.subarray(0, size))
  } finally {
    closeSync(file)
  }
  return `sha256:${hash.digest('hex')}` as Digest
}
