import { ZenmlError } from '../../base/errors.ts'
import { decodeMessage } from '../../base/proto/decode.ts'
import { encodeMessage } from '../../base/proto/encode.ts'
import type { MessageValue } from '../../base/proto/proto-message.ts'
import type { MetadataService } from '../../metadata/api/service.ts'
import { statusCodes } from '../../metadata/api/status.ts'
import { rpcs } from '../../metadata/wire/rpcs.ts'
import { CallError } from './call-status.ts'

/**
 * Answers a call from bytes to bytes, whatever carries them. Throws `CallError` for a procedure that there is not and for bytes
 * that are no request, and what the service throws.
 */
export async function answerCall(service: MetadataService, rpc: string, request: Uint8Array): Promise<Uint8Array> {
  const types = rpcs.get(rpc)
  if (types === undefined) throw new CallError(statusCodes.UNIMPLEMENTED, 'There is no such procedure.')
  let message: MessageValue
  try {
    message = decodeMessage(types.request, request)
  } catch (error) {
    if (!(error instanceof ZenmlError)) throw error
    throw new CallError(statusCodes.INVALID_ARGUMENT, error.message)
  }
  return encodeMessage(types.response, (await service.call(rpc, message)) as MessageValue)
}
