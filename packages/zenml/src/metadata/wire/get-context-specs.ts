import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { artifactSpec, contextSpec, executionSpec } from './node-specs.ts'
import { listOperationOptionsSpec, transactionOptionsSpec } from './option-specs.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store_service.proto. Requests for contexts, and for what is in them, and their responses.

const getContextsByExternalIdsRequestSpec: MessageSpec = message('GetContextsByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextsByExternalIdsResponseSpec: MessageSpec = message('GetContextsByExternalIdsResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getContextsRequestSpec: MessageSpec = message('GetContextsRequest', {
  options: [1, () => listOperationOptionsSpec],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextsResponseSpec: MessageSpec = message('GetContextsResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getContextsByTypeRequestSpec: MessageSpec = message('GetContextsByTypeRequest', {
  typeName: [1, 'string'],
  options: [2, () => listOperationOptionsSpec],
  typeVersion: [3, 'string'],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getContextsByTypeResponseSpec: MessageSpec = message('GetContextsByTypeResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getContextByTypeAndNameRequestSpec: MessageSpec = message('GetContextByTypeAndNameRequest', {
  typeName: [1, 'string'],
  typeVersion: [3, 'string'],
  contextName: [2, 'string'],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getContextByTypeAndNameResponseSpec: MessageSpec = message('GetContextByTypeAndNameResponse', {
  context: [1, () => contextSpec],
})
const getContextsByIDRequestSpec: MessageSpec = message('GetContextsByIDRequest', {
  contextIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextsByIDResponseSpec: MessageSpec = message('GetContextsByIDResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getContextsByArtifactRequestSpec: MessageSpec = message('GetContextsByArtifactRequest', {
  artifactId: [1, 'int64'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextsByArtifactResponseSpec: MessageSpec = message('GetContextsByArtifactResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getContextsByExecutionRequestSpec: MessageSpec = message('GetContextsByExecutionRequest', {
  executionId: [1, 'int64'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getContextsByExecutionResponseSpec: MessageSpec = message('GetContextsByExecutionResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getParentContextsByContextRequestSpec: MessageSpec = message('GetParentContextsByContextRequest', {
  contextId: [1, 'int64'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getParentContextsByContextResponseSpec: MessageSpec = message('GetParentContextsByContextResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getChildrenContextsByContextRequestSpec: MessageSpec = message('GetChildrenContextsByContextRequest', {
  contextId: [1, 'int64'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getChildrenContextsByContextResponseSpec: MessageSpec = message('GetChildrenContextsByContextResponse', {
  contexts: [1, () => contextSpec, 'repeated'],
})
const getParentContextsByContextsRequestSpec: MessageSpec = message('GetParentContextsByContextsRequest', {
  contextIds: [1, 'int64', 'packed'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getParentContextsByContextsResponseSpec: MessageSpec = message('GetParentContextsByContextsResponse', {
  contexts: [2, () => getParentContextsByContextsResponseParentContextsPerChildSpec, 'map:int64'],
})
const getParentContextsByContextsResponseParentContextsPerChildSpec: MessageSpec = message(
  'GetParentContextsByContextsResponse.ParentContextsPerChild',
  { parentContexts: [1, () => contextSpec, 'repeated'] },
)
const getChildrenContextsByContextsRequestSpec: MessageSpec = message('GetChildrenContextsByContextsRequest', {
  contextIds: [1, 'int64', 'packed'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getChildrenContextsByContextsResponseSpec: MessageSpec = message('GetChildrenContextsByContextsResponse', {
  contexts: [2, () => getChildrenContextsByContextsResponseChildrenContextsPerParentSpec, 'map:int64'],
})
const getChildrenContextsByContextsResponseChildrenContextsPerParentSpec: MessageSpec = message(
  'GetChildrenContextsByContextsResponse.ChildrenContextsPerParent',
  { childrenContexts: [1, () => contextSpec, 'repeated'] },
)
const getArtifactsByContextRequestSpec: MessageSpec = message('GetArtifactsByContextRequest', {
  contextId: [1, 'int64'],
  options: [2, () => listOperationOptionsSpec],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getArtifactsByContextResponseSpec: MessageSpec = message('GetArtifactsByContextResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getExecutionsByContextRequestSpec: MessageSpec = message('GetExecutionsByContextRequest', {
  contextId: [1, 'int64'],
  options: [2, () => listOperationOptionsSpec],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getExecutionsByContextResponseSpec: MessageSpec = message('GetExecutionsByContextResponse', {
  executions: [1, () => executionSpec, 'repeated'],
  nextPageToken: [2, 'string'],
  transactionOptions: [3, () => transactionOptionsSpec],
})

export const getContextMessages: readonly MessageSpec[] = [
  getContextsByExternalIdsRequestSpec,
  getContextsByExternalIdsResponseSpec,
  getContextsRequestSpec,
  getContextsResponseSpec,
  getContextsByTypeRequestSpec,
  getContextsByTypeResponseSpec,
  getContextByTypeAndNameRequestSpec,
  getContextByTypeAndNameResponseSpec,
  getContextsByIDRequestSpec,
  getContextsByIDResponseSpec,
  getContextsByArtifactRequestSpec,
  getContextsByArtifactResponseSpec,
  getContextsByExecutionRequestSpec,
  getContextsByExecutionResponseSpec,
  getParentContextsByContextRequestSpec,
  getParentContextsByContextResponseSpec,
  getChildrenContextsByContextRequestSpec,
  getChildrenContextsByContextResponseSpec,
  getParentContextsByContextsRequestSpec,
  getParentContextsByContextsResponseSpec,
  getParentContextsByContextsResponseParentContextsPerChildSpec,
  getChildrenContextsByContextsRequestSpec,
  getChildrenContextsByContextsResponseSpec,
  getChildrenContextsByContextsResponseChildrenContextsPerParentSpec,
  getArtifactsByContextRequestSpec,
  getArtifactsByContextResponseSpec,
  getExecutionsByContextRequestSpec,
  getExecutionsByContextResponseSpec,
]
