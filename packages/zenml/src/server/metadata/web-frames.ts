import { statusCodes } from '../../metadata/api/status.ts'
import { CallError, type CallStatus } from './call-status.ts'

// gRPC-Web (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md): frames of a byte of flags, four bytes of length and
// contents. Text is the same in base64, in which each part may be padded by itself.

const compressedFlag = 1
const trailersFlag = 0x80

/** The one message of a request body. Throws `CallError` where there is another number of them, or a compressed one. */
export function requestMessage(body: Buffer, isText: boolean): Buffer {
  const bytes = isText ? unpadded(body) : body
  if (bytes.length < 5 || bytes.readUInt32BE(1) !== bytes.length - 5)
    throw new CallError(statusCodes.INVALID_ARGUMENT, 'The request is not one frame of gRPC-Web.')
  if (bytes[0] === compressedFlag)
    throw new CallError(statusCodes.UNIMPLEMENTED, 'Compressed messages are not taken here.')
  if (bytes[0] !== 0) throw new CallError(statusCodes.INVALID_ARGUMENT, 'The request has frames that are no message.')
  return bytes.subarray(5)
}

/** The body of a response: a message, unless the call failed, and the status. */
export function responseBody(
  message: Uint8Array | undefined,
  { code, message: words }: CallStatus,
  isText: boolean,
): Buffer {
  const trailers = `grpc-status:${code}\r\n${words === '' ? '' : `grpc-message:${encodeURIComponent(words)}\r\n`}`
  const body = Buffer.concat([
    ...(message === undefined ? [] : frame(0, message)),
    ...frame(trailersFlag, Buffer.from(trailers, 'ascii')),
  ])
  return isText ? Buffer.from(body.toString('base64'), 'ascii') : body
}

function frame(flags: number, contents: Uint8Array): [Uint8Array, Uint8Array] {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(contents.length, 1)
  return [head, contents]
}

function unpadded(body: Buffer): Buffer {
  const text = body.toString('latin1')
  // Each match starts where the last one ended, so that a hostile text costs no more than its length.
  const parts = text.match(/[A-Za-z0-9+/]+={0,2}/gy) ?? []
  let length = 0
  for (const part of parts) length += part.length
  if (length !== text.length) throw new CallError(statusCodes.INVALID_ARGUMENT, 'The request is no base64.')
  return Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')))
}
