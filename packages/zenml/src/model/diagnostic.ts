import type { ErrorCode } from '../base/errors.ts'

/** One thing that is wrong with a configuration, where it is, and what to do. */
export interface Diagnostic {
  readonly code: ErrorCode
  /** What is wrong and what was expected, in one or two sentences. */
  readonly message: string
  /** The file, relative to where the command was given, where there is one. */
  readonly file?: string
  /** From 1. */
  readonly line?: number
  /** From 1. */
  readonly column?: number
  /** Path in the configuration: `steps.train.parameters.epochs`. */
  readonly path?: string
}
