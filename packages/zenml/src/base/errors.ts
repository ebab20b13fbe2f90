import type { JsonObject } from './json.ts'

/** Stable code of an error: `ZEN_` and upper-case words. Scripts match on it. */
export type ErrorCode = `ZEN_${string}`

/** What an error carries beside its message. */
export interface ErrorDetails {
  /** The facts as fields, for `--json` and for tests. */
  readonly facts?: JsonObject
  /** What to do next, in one sentence; shown after the message. */
  readonly next?: string
  readonly cause?: unknown
  /** 1: a run or check failed. 2: the command, configuration or project is wrong. Default 2. */
  readonly exitCode?: 1 | 2
}

/**
 * An error that a user can act on: a stable code, the place and what was expected in the message, the next action.
 *
 * @example
 * const error = new ZenmlError('ZEN_CODE_DIRTY', '2 files differ from 4f1c09a: train.ts, data.yaml.', {
 *   facts: { files: ['train.ts', 'data.yaml'] },
 *   next: 'Commit them, or leave out --require-clean.',
 * })
 * error.code // 'ZEN_CODE_DIRTY'
 */
export class ZenmlError extends Error {
  readonly code: ErrorCode
  readonly facts: JsonObject
  readonly next: string | undefined
  readonly exitCode: 1 | 2

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ZenmlError'
    this.code = code
    this.facts = details.facts ?? {}
    this.next = details.next
    this.exitCode = details.exitCode ?? 2
  }
}

/** The code of a system error (`ENOENT` …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
