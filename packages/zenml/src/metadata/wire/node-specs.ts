import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { anySpec, structSpec } from '../../base/proto/well-known.ts'
import { message } from './spec.ts'
import { artifactTypeSpec, contextTypeSpec, executionTypeSpec } from './type-specs.ts'

// ml_metadata, metadata_store.proto. Values, nodes and what joins them.

const artifactStates = {
  UNKNOWN: 0,
  PENDING: 1,
  LIVE: 2,
  MARKED_FOR_DELETION: 3,
  DELETED: 4,
  ABANDONED: 5,
  REFERENCE: 6,
}
const eventTypes = {
  UNKNOWN: 0,
  DECLARED_OUTPUT: 1,
  DECLARED_INPUT: 2,
  INPUT: 3,
  OUTPUT: 4,
  INTERNAL_INPUT: 5,
  INTERNAL_OUTPUT: 6,
  PENDING_OUTPUT: 7,
}
const executionStates = { UNKNOWN: 0, NEW: 1, RUNNING: 2, COMPLETE: 3, FAILED: 4, CACHED: 5, CANCELED: 6 }

const systemTypeExtensionSpec: MessageSpec = message('SystemTypeExtension', { typeName: [1, 'string'] })
const valueSpec: MessageSpec = message('Value', {
  intValue: [1, 'int64', 'oneof:value'],
  doubleValue: [2, 'double', 'oneof:value'],
  stringValue: [3, 'string', 'oneof:value'],
  structValue: [4, () => structSpec, 'oneof:value'],
  protoValue: [5, () => anySpec, 'oneof:value'],
  boolValue: [6, 'bool', 'oneof:value'],
})
export const artifactSpec: MessageSpec = message('Artifact', {
  id: [1, 'int64'],
  name: [7, 'string'],
  typeId: [2, 'int64'],
  type: [8, 'string'],
  uri: [3, 'string'],
  externalId: [11, 'string'],
  properties: [4, () => valueSpec, 'map'],
  customProperties: [5, () => valueSpec, 'map'],
  state: [6, artifactStates],
  createTimeSinceEpoch: [9, 'int64'],
  lastUpdateTimeSinceEpoch: [10, 'int64'],
  systemMetadata: [12, () => anySpec],
})
export const eventSpec: MessageSpec = message('Event', {
  artifactId: [1, 'int64'],
  executionId: [2, 'int64'],
  path: [3, () => eventPathSpec],
  type: [4, eventTypes],
  millisecondsSinceEpoch: [5, 'int64'],
  systemMetadata: [6, () => anySpec],
})
const eventPathSpec: MessageSpec = message('Event.Path', {
  steps: [1, () => eventPathStepSpec, 'repeated'],
})
const eventPathStepSpec: MessageSpec = message('Event.Path.Step', {
  index: [1, 'int64', 'oneof:value'],
  key: [2, 'string', 'oneof:value'],
})
export const executionSpec: MessageSpec = message('Execution', {
  id: [1, 'int64'],
  name: [6, 'string'],
  typeId: [2, 'int64'],
  type: [7, 'string'],
  externalId: [10, 'string'],
  lastKnownState: [3, executionStates],
  properties: [4, () => valueSpec, 'map'],
  customProperties: [5, () => valueSpec, 'map'],
  createTimeSinceEpoch: [8, 'int64'],
  lastUpdateTimeSinceEpoch: [9, 'int64'],
  systemMetadata: [11, () => anySpec],
})
export const contextSpec: MessageSpec = message('Context', {
  id: [1, 'int64'],
  name: [3, 'string'],
  typeId: [2, 'int64'],
  type: [6, 'string'],
  externalId: [9, 'string'],
  properties: [4, () => valueSpec, 'map'],
  customProperties: [5, () => valueSpec, 'map'],
  createTimeSinceEpoch: [7, 'int64'],
  lastUpdateTimeSinceEpoch: [8, 'int64'],
  systemMetadata: [10, () => anySpec],
})
export const attributionSpec: MessageSpec = message('Attribution', {
  artifactId: [1, 'int64'],
  contextId: [2, 'int64'],
  systemMetadata: [3, () => anySpec],
})
export const associationSpec: MessageSpec = message('Association', {
  executionId: [1, 'int64'],
  contextId: [2, 'int64'],
  systemMetadata: [3, () => anySpec],
})
export const parentContextSpec: MessageSpec = message('ParentContext', {
  childId: [1, 'int64'],
  parentId: [2, 'int64'],
  systemMetadata: [3, () => anySpec],
})
export const lineageGraphSpec: MessageSpec = message('LineageGraph', {
  artifactTypes: [1, () => artifactTypeSpec, 'repeated'],
  executionTypes: [2, () => executionTypeSpec, 'repeated'],
  contextTypes: [3, () => contextTypeSpec, 'repeated'],
  artifacts: [4, () => artifactSpec, 'repeated'],
  executions: [5, () => executionSpec, 'repeated'],
  contexts: [6, () => contextSpec, 'repeated'],
  events: [7, () => eventSpec, 'repeated'],
  attributions: [8, () => attributionSpec, 'repeated'],
  associations: [9, () => associationSpec, 'repeated'],
  parentContexts: [10, () => parentContextSpec, 'repeated'],
})

export const nodeMessages: readonly MessageSpec[] = [
  systemTypeExtensionSpec,
  valueSpec,
  artifactSpec,
  eventSpec,
  eventPathSpec,
  eventPathStepSpec,
  executionSpec,
  contextSpec,
  attributionSpec,
  associationSpec,
  parentContextSpec,
  lineageGraphSpec,
]
