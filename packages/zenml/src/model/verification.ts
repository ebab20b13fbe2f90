import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { FingerprintChange } from './fingerprint.ts'

/** Whether a run, or a step of it, gives the same again. */
export type Verdict = 'reproduced' | 'differs' | 'cannot'

/** What kept a step from giving the same, as far as it can be told. */
export interface Cause {
  readonly kind: 'code' | 'packages' | 'environment' | 'data' | 'nondeterminism'
  /** One or two sentences for people: what moved, where, and what to do. */
  readonly message: string
  /** The leaves of the fingerprint that moved. */
  readonly changes: readonly FingerprintChange[]
  /** For nondeterminism: the calls that can have caused it, the user's own first. */
  readonly calls: readonly Call[]
}

/** A call that can give another result each time. */
export interface Call {
  /** `clock`, `randomness`, `network`, `file`, `variable`, `process`, `threads` or `host`. */
  readonly kind: string
  /** `Date.now`, a path, a host … */
  readonly what: string
  /** `steps/train.ts:12:5`, or null where only a package's code is on the stack. */
  readonly at: string | null
  readonly package: string | null
}

/** How far apart the numbers of two versions of a file are. */
export interface NumericDifference {
  /** File of the artifact; for examples with the feature: `Split-train/…#features.x`. */
  readonly path: string
  /** How many numbers were compared, and how many are not the same. */
  readonly values: number
  readonly differing: number
  /** Largest absolute difference; null where a number stands against NaN or an infinity. */
  readonly maxAbsolute: number | null
  /** Largest distance in units in the last place of the format (float32 or float64); null as above. */
  readonly maxUlp: number | null
}

/** One output, as recorded and as made again. */
export interface VerifiedOutput {
  readonly recorded: Digest
  /** Null where it was not made again. */
  readonly observed: Digest | null
  /** Beside the exact verdict, where the bytes differ and numbers can be compared. */
  readonly numeric?: readonly NumericDifference[]
}

/** A step of a verification. */
export interface VerifiedStep {
  readonly name: string
  readonly verdict: Verdict
  readonly outputs: { readonly [output: string]: VerifiedOutput }
  readonly cause: Cause | null
  /** Why it could not be executed, where it could not. */
  readonly error: { readonly code: string; readonly message: string } | null
  /** What is not as it was although the outputs are the same: Node, a package … */
  readonly differences: readonly FingerprintChange[]
  /** How many times it was executed. */
  readonly executions: number
}

/** A run that was executed again and compared with its record. */
export interface Verification {
  readonly run: string
  readonly verdict: Verdict
  /** Milliseconds since the epoch. */
  readonly at: number
  /** True where only some of the steps were asked for. */
  readonly partial: boolean
  /** How each step was executed again: Node, platform … */
  readonly environment: JsonObject
  /** What could not be brought back as it was, in sentences: the Node version, the packages … */
  readonly notes: readonly string[]
  readonly steps: readonly VerifiedStep[]
}

/** The verdict of a whole from those of its parts: one that differs decides, then one that cannot be told. */
export function verdictOf(parts: readonly Verdict[]): Verdict {
  return parts.includes('differs') ? 'differs' : parts.includes('cannot') ? 'cannot' : 'reproduced'
}
