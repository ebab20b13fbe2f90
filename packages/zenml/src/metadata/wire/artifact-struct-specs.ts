import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { artifactSpec } from './node-specs.ts'
import { message } from './spec.ts'
import { artifactTypeSpec } from './type-specs.ts'

// ml_metadata, metadata_store_service.proto. Artifacts in structures.

const artifactAndTypeSpec: MessageSpec = message('ArtifactAndType', {
  artifact: [1, () => artifactSpec],
  type: [2, () => artifactTypeSpec],
})
const artifactStructMapSpec: MessageSpec = message('ArtifactStructMap', {
  properties: [1, () => artifactStructSpec, 'map'],
})
const artifactStructListSpec: MessageSpec = message('ArtifactStructList', {
  elements: [1, () => artifactStructSpec, 'repeated'],
})
const artifactStructSpec: MessageSpec = message('ArtifactStruct', {
  artifact: [1, () => artifactAndTypeSpec, 'oneof:value'],
  map: [2, () => artifactStructMapSpec, 'oneof:value'],
  list: [3, () => artifactStructListSpec, 'oneof:value'],
})

export const artifactStructMessages: readonly MessageSpec[] = [
  artifactAndTypeSpec,
  artifactStructMapSpec,
  artifactStructListSpec,
  artifactStructSpec,
]
