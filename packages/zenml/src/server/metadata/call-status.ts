import { messageOf, ZenmlError } from '../../base/errors.ts'
import { StatusError, statusCodes } from '../../metadata/api/status.ts'

/** How a call ended: a status code of gRPC, 0 for well, and words for the caller. */
export interface CallStatus {
  readonly code: number
  readonly message: string
}

/** Codes that ML Metadata itself never gives. */
export const transportCodes = { RESOURCE_EXHAUSTED: 8, UNAVAILABLE: 14, UNAUTHENTICATED: 16 } as const

/** A call that ends with a status of its own before it reaches the service. */
export class CallError extends Error {
  readonly status: CallStatus

  constructor(code: number, message: string) {
    super(message)
    this.name = 'CallError'
    this.status = { code, message }
  }
}

/**
 * The status of what a call threw. What the caller did not cause is told without particulars, which may name files, hosts or
 * statements; `isOurs` says that the particulars are worth a line in the server's log.
 */
export function statusOf(error: unknown): CallStatus & { readonly isOurs: boolean } {
  if (error instanceof CallError) return { ...error.status, isOurs: false }
  // Whatever the text of a status quotes, it must fit into the header that carries it.
  if (error instanceof StatusError)
    return {
      code: statusCodes[error.status],
      message: clip(error.message),
      isOurs: error.status === 'INTERNAL' || error.status === 'DATA_LOSS',
    }
  if (error instanceof ZenmlError && error.code === 'ZEN_METADATA_BUSY')
    return {
      code: statusCodes.ABORTED,
      message: 'The metadata store is busy with other writers; try again.',
      isOurs: true,
    }
  if (error instanceof ZenmlError && error.code === 'ZEN_METADATA_CONNECTION')
    return {
      code: transportCodes.UNAVAILABLE,
      message: 'The database of the metadata store cannot be reached.',
      isOurs: true,
    }
  return { code: statusCodes.INTERNAL, message: 'The metadata server failed; its log says more.', isOurs: true }
}

/** In bytes, of which a header spends three each at most; clients take no more than 8 KiB of headers. */
const longest = 1000

function clip(message: string): string {
  const bytes = Buffer.from(message.toWellFormed())
  if (bytes.length <= longest) return bytes.toString()
  let end = longest
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return `${bytes.subarray(0, end).toString()}…`
}

/** A line for the server's log about a call that failed through no fault of the caller. */
export function logLine(rpc: string, error: unknown): string {
  const code = error instanceof ZenmlError ? ` ${error.code}` : ''
  const causes: string[] = []
  for (let at: unknown = error; at !== undefined && causes.length < 4; at = at instanceof Error ? at.cause : undefined)
    causes.push(messageOf(at))
  return `${rpc}:${code} ${[...new Set(causes)].join(' <- ').replaceAll(/[\r\n]+/g, ' ')}`
}
