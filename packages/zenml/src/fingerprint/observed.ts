import { realpathSync } from 'node:fs'
import { digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { isJsonObject } from '../base/json.ts'
import type { ObservedLeaf } from '../model/fingerprint.ts'
import { changedMeanwhile, observeBelow } from './observe-file.ts'

/** Digest of what an execution was seen to depend on. */
export function observedDigest({ seed, files }: ObservedLeaf): Digest {
  return digestOf(['zenml observed 2', { seed, files: { ...files } }])
}

/** What there is now. */
export interface PresentState {
  /** The step's seed. */
  readonly seed: number
  /** Root of the repository that observed paths are relative to. */
  readonly root: string
}

/**
 * Whether what an earlier execution was seen to depend on is the same now: it used no randomness or the seed has not changed, and
 * every file that it read outside of its inputs is as it was, there or not there. Its paths are not trusted.
 */
export function holds(prior: ObservedLeaf, now: PresentState): boolean {
  if (prior.seed !== null && prior.seed !== now.seed) return false
  // Records of format 1, and damaged ones, have none: then it is not known what was read.
  if (!isJsonObject(prior.files)) return false
  const files = Object.entries(prior.files)
  if (files.length === 0) return true
  const base = realpathSync.native(now.root)
  return files.every(([path, digest]) => digest !== changedMeanwhile && presentDigest(base, path) === digest)
}

/**
 * What an execution would be seen to depend on now if it did what an earlier one did: equal to that exactly where `holds`. A path
 * that cannot be looked at, or that changed while the earlier one ran, counts as changed.
 */
export function presentlyObserved(prior: ObservedLeaf, now: PresentState): ObservedLeaf {
  const base = realpathSync.native(now.root)
  // Records of format 1 have no files.
  const files = Object.entries({ ...prior.files }).map(
    ([path, digest]) => [path, digest === changedMeanwhile ? changedMeanwhile : presentDigest(base, path)] as const,
  )
  return { seed: prior.seed === null ? null : now.seed, files: Object.fromEntries(files) }
}

/** A path that cannot be looked at counts as changed. */
function presentDigest(base: string, path: string): Digest | null {
  const found = observeBelow(base, path)
  return found.kind === 'settled' ? found.digest : changedMeanwhile
}
