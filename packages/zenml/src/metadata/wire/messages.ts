import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { artifactStructMessages } from './artifact-struct-specs.ts'
import { configMessages } from './config-specs.ts'
import { getArtifactMessages } from './get-artifact-specs.ts'
import { getContextMessages } from './get-context-specs.ts'
import { getExecutionMessages } from './get-execution-specs.ts'
import { getTypeMessages } from './get-type-specs.ts'
import { lineageMessages } from './lineage-request-specs.ts'
import { nodeMessages } from './node-specs.ts'
import { optionMessages } from './option-specs.ts'
import { putMessages } from './put-specs.ts'
import { typeMessages } from './type-specs.ts'

/** Every message type of ML Metadata by its full name: `ml_metadata.Artifact`. */
export const messageSpecs: ReadonlyMap<string, MessageSpec> = new Map(
  [
    ...nodeMessages,
    ...typeMessages,
    ...configMessages,
    ...optionMessages,
    ...artifactStructMessages,
    ...putMessages,
    ...getArtifactMessages,
    ...getExecutionMessages,
    ...getTypeMessages,
    ...getContextMessages,
    ...lineageMessages,
  ].map((spec) => [spec.name, spec]),
)
