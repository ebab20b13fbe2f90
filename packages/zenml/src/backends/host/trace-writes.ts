import { constants, statSync } from 'node:fs'

/**
 * What opening a file does to what is there: it can be read; nothing of it is left; it is changed unseen, as by appending; or it
 * must not be there, so that the end of the call tells whether it is.
 */
export type Opening = 'reads' | 'replaces' | 'changes' | 'asks'

/** What flags of `open` do; undefined for what are no flags. */
export function openingOf(flags: unknown): Opening | undefined {
  if (typeof flags === 'number') {
    const { O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } = constants
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return 'asks'
    if ((flags & O_TRUNC) !== 0) return 'replaces'
    return (flags & 3) === O_WRONLY ? 'changes' : 'reads'
  }
  if (typeof flags !== 'string') return undefined
  if (flags.includes('x')) return 'asks'
  if (flags.includes('w')) return 'replaces'
  return /[r+]/.test(flags) ? 'reads' : 'changes'
}

/** What a step wrote itself: what it finds there later is its own. */
export class Writes {
  /** By path: the mark of what was there before. As long as that is there, nothing was written: a call may fail, or not be through yet. */
  private readonly replaced = new Map<string, string>()
  /** The same of files that keep something of what they held, by their path without links. */
  private readonly changed = new Map<string, string>()

  /** Told before a file is written as a whole. */
  replace(path: string): void {
    if (!this.replaced.has(path)) this.replaced.set(path, markOf(path))
  }

  /** Told before a part of a file is written, or something is added to it. */
  change(path: string, real: string): void {
    if (!this.changed.has(real) && !this.isOwn(path)) this.changed.set(real, markOf(real))
  }

  /** Whether all that is there is the step's. */
  isOwn(path: string): boolean {
    const before = this.replaced.get(path)
    return before !== undefined && markOf(path) !== before
  }

  /** Whether what is there is no more what it was before the step, and not the step's alone. */
  isMixed(real: string): boolean {
    const before = this.changed.get(real)
    return before !== undefined && markOf(real) !== before
  }
}

/** Moves whenever a file is written, replaced, removed or made. */
export function markOf(path: string, look: typeof statSync = statSync): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = look(path, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return 'none'
  }
}
