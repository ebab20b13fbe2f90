import { ZenmlError } from '../../base/errors.ts'
import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { messageSpecs } from './messages.ts'

/** The message type of ML Metadata that the type address of an Any names, if it names one. */
export function knownType(typeUrl: unknown): MessageSpec | undefined {
  return typeof typeUrl === 'string' ? messageSpecs.get(typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) : undefined
}

/** JSON that is no message, or a message that is no JSON. `place` is a path such as `artifacts[0].uri`. */
export function jsonError(place: string, reason: string): ZenmlError {
  return new ZenmlError('ZEN_PROTO_JSON', `${place === '' ? 'The message' : place}: ${reason}.`, {
    facts: { place, reason },
    next: 'See the message types of ML Metadata.',
    exitCode: 1,
  })
}
