/** Status codes of ML Metadata, which are gRPC's, by name (https://grpc.io/docs/guides/status-codes). */
export const statusCodes = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  DATA_LOSS: 15,
} as const

export type StatusName = keyof typeof statusCodes

/** A request that ML Metadata answers with another status than OK; nothing has changed then. */
export class StatusError extends Error {
  readonly status: StatusName

  constructor(status: StatusName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StatusError'
    this.status = status
  }
}

export function invalid(message: string): StatusError {
  return new StatusError('INVALID_ARGUMENT', message)
}

export function notFound(message: string): StatusError {
  return new StatusError('NOT_FOUND', message)
}

export function alreadyExists(message: string, cause?: unknown): StatusError {
  return new StatusError('ALREADY_EXISTS', message, cause)
}
