import { decodeMessage } from '../../base/proto/decode.ts'
import { encodeMessage } from '../../base/proto/encode.ts'
import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { statusCodes } from '../../metadata/api/status.ts'
import { serviceName } from '../../metadata/wire/rpcs.ts'
import { CallError } from './call-status.ts'

// grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), asked by orchestrators without a token.

export const healthServiceName = 'grpc.health.v1.Health'

const requestSpec: MessageSpec = { name: 'HealthCheckRequest', syntax: 3, fields: { service: [1, 'string'] } }
const responseSpec: MessageSpec = {
  name: 'HealthCheckResponse',
  syntax: 3,
  fields: { status: [1, { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2 }] },
}

/** Answers `Check`: a server that answers serves. Throws `CallError` for other services and for bytes that are no request. */
export function answerHealth(request: Uint8Array): Uint8Array {
  let service: unknown
  try {
    service = decodeMessage(requestSpec, request)['service'] ?? ''
  } catch (error) {
    throw new CallError(statusCodes.INVALID_ARGUMENT, error instanceof Error ? error.message : '')
  }
  if (service !== '' && service !== serviceName)
    throw new CallError(statusCodes.NOT_FOUND, 'There is no such service here.')
  return encodeMessage(responseSpec, { status: 'SERVING' })
}
