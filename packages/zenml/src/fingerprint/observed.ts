import { digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import type { ObservedLeaf } from '../model/fingerprint.ts'

/** Digest of what an execution was seen to depend on. */
export function observedDigest(observed: ObservedLeaf): Digest {
  return digestOf(['zenml observed 1', { seed: observed.seed }])
}

/**
 * Whether what an earlier execution was seen to depend on is the same now: it used no randomness, or the seed has not changed.
 */
export function holds(prior: ObservedLeaf, now: { readonly seed: number }): boolean {
  return prior.seed === null || prior.seed === now.seed
}
