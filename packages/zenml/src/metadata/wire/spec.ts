import type { MessageSpec } from '../../base/proto/proto-message.ts'

/** A message type of ML Metadata, whose files have the syntax proto2. */
export function message(name: string, fields: MessageSpec['fields']): MessageSpec {
  return { name: `ml_metadata.${name}`, syntax: 2, fields }
}
