import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { transactionOptionsSpec } from './option-specs.ts'
import { message } from './spec.ts'
import { artifactTypeSpec, contextTypeSpec, executionTypeSpec } from './type-specs.ts'

// ml_metadata, metadata_store_service.proto. Requests for types, and their responses.

const getArtifactTypeRequestSpec: MessageSpec = message('GetArtifactTypeRequest', {
  typeName: [1, 'string'],
  typeVersion: [2, 'string'],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getArtifactTypeResponseSpec: MessageSpec = message('GetArtifactTypeResponse', {
  artifactType: [1, () => artifactTypeSpec],
})
const getArtifactTypesRequestSpec: MessageSpec = message('GetArtifactTypesRequest', {
  transactionOptions: [1, () => transactionOptionsSpec],
})
const getArtifactTypesResponseSpec: MessageSpec = message('GetArtifactTypesResponse', {
  artifactTypes: [1, () => artifactTypeSpec, 'repeated'],
})
const getExecutionTypesRequestSpec: MessageSpec = message('GetExecutionTypesRequest', {
  transactionOptions: [1, () => transactionOptionsSpec],
})
const getExecutionTypesResponseSpec: MessageSpec = message('GetExecutionTypesResponse', {
  executionTypes: [1, () => executionTypeSpec, 'repeated'],
})
const getContextTypesRequestSpec: MessageSpec = message('GetContextTypesRequest', {
  transactionOptions: [1, () => transactionOptionsSpec],
})
const getContextTypesResponseSpec: MessageSpec = message('GetContextTypesResponse', {
  contextTypes: [1, () => contextTypeSpec, 'repeated'],
})
const getArtifactTypesByExternalIdsRequestSpec: MessageSpec = message('GetArtifactTypesByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getArtifactTypesByExternalIdsResponseSpec: MessageSpec = message('GetArtifactTypesByExternalIdsResponse', {
  artifactTypes: [1, () => artifactTypeSpec, 'repeated'],
})
const getExecutionTypesByExternalIdsRequestSpec: MessageSpec = message('GetExecutionTypesByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getExecutionTypesByExternalIdsResponseSpec: MessageSpec = message('GetExecutionTypesByExternalIdsResponse', {
  executionTypes: [1, () => executionTypeSpec, 'repeated'],
})
const getContextTypesByExternalIdsRequestSpec: MessageSpec = message('GetContextTypesByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextTypesByExternalIdsResponseSpec: MessageSpec = message('GetContextTypesByExternalIdsResponse', {
  contextTypes: [1, () => contextTypeSpec, 'repeated'],
})
const getExecutionTypeRequestSpec: MessageSpec = message('GetExecutionTypeRequest', {
  typeName: [1, 'string'],
  typeVersion: [2, 'string'],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getExecutionTypeResponseSpec: MessageSpec = message('GetExecutionTypeResponse', {
  executionType: [1, () => executionTypeSpec],
})
const getArtifactTypesByIDRequestSpec: MessageSpec = message('GetArtifactTypesByIDRequest', {
  typeIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getArtifactTypesByIDResponseSpec: MessageSpec = message('GetArtifactTypesByIDResponse', {
  artifactTypes: [1, () => artifactTypeSpec, 'repeated'],
})
const getExecutionTypesByIDRequestSpec: MessageSpec = message('GetExecutionTypesByIDRequest', {
  typeIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getExecutionTypesByIDResponseSpec: MessageSpec = message('GetExecutionTypesByIDResponse', {
  executionTypes: [1, () => executionTypeSpec, 'repeated'],
})
const getContextTypeRequestSpec: MessageSpec = message('GetContextTypeRequest', {
  typeName: [1, 'string'],
  typeVersion: [2, 'string'],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getContextTypeResponseSpec: MessageSpec = message('GetContextTypeResponse', {
  contextType: [1, () => contextTypeSpec],
})
const getContextTypesByIDRequestSpec: MessageSpec = message('GetContextTypesByIDRequest', {
  typeIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextTypesByIDResponseSpec: MessageSpec = message('GetContextTypesByIDResponse', {
  contextTypes: [1, () => contextTypeSpec, 'repeated'],
})

export const getTypeMessages: readonly MessageSpec[] = [
  getArtifactTypeRequestSpec,
  getArtifactTypeResponseSpec,
  getArtifactTypesRequestSpec,
  getArtifactTypesResponseSpec,
  getExecutionTypesRequestSpec,
  getExecutionTypesResponseSpec,
  getContextTypesRequestSpec,
  getContextTypesResponseSpec,
  getArtifactTypesByExternalIdsRequestSpec,
  getArtifactTypesByExternalIdsResponseSpec,
  getExecutionTypesByExternalIdsRequestSpec,
  getExecutionTypesByExternalIdsResponseSpec,
  getContextTypesByExternalIdsRequestSpec,
  getContextTypesByExternalIdsResponseSpec,
  getExecutionTypeRequestSpec,
  getExecutionTypeResponseSpec,
  getArtifactTypesByIDRequestSpec,
  getArtifactTypesByIDResponseSpec,
  getExecutionTypesByIDRequestSpec,
  getExecutionTypesByIDResponseSpec,
  getContextTypeRequestSpec,
  getContextTypeResponseSpec,
  getContextTypesByIDRequestSpec,
  getContextTypesByIDResponseSpec,
]
