import { messageOf } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'

/** An error on its way from a step's process to the command line. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly facts: JsonObject
  readonly next: string | null
  readonly stack: string | null
}

/** Packs anything thrown. `code` is `ZEN_CODE_LOAD` for errors that are not ours. */
export function problemOf(error: unknown): Problem {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    facts?: unknown
    next?: unknown
    stack?: unknown
  }
  const ours = typeof fields.code === 'string' && fields.code.startsWith('ZEN_')
  return {
    code: ours ? (fields.code as string) : 'ZEN_CODE_LOAD',
    message: messageOf(error),
    facts: ours ? ((fields.facts ?? {}) as JsonObject) : {},
    next: ours && typeof fields.next === 'string' ? fields.next : null,
    stack: typeof fields.stack === 'string' ? fields.stack : null,
  }
}
