import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { fieldMaskSpec } from '../../base/proto/well-known.ts'
import {
  artifactSpec,
  associationSpec,
  attributionSpec,
  contextSpec,
  eventSpec,
  executionSpec,
  parentContextSpec,
} from './node-specs.ts'
import { transactionOptionsSpec } from './option-specs.ts'
import { message } from './spec.ts'
import { artifactTypeSpec, contextTypeSpec, executionTypeSpec } from './type-specs.ts'

// ml_metadata, metadata_store_service.proto. Requests that write, and their responses.

const putArtifactsRequestSpec: MessageSpec = message('PutArtifactsRequest', {
  artifacts: [1, () => artifactSpec, 'repeated'],
  options: [2, () => putArtifactsRequestOptionsSpec],
  transactionOptions: [3, () => transactionOptionsSpec],
  updateMask: [4, () => fieldMaskSpec],
})
const putArtifactsRequestOptionsSpec: MessageSpec = message('PutArtifactsRequest.Options', {
  abortIfLatestUpdatedTimeChanged: [1, 'bool'],
})
const putArtifactsResponseSpec: MessageSpec = message('PutArtifactsResponse', {
  artifactIds: [1, 'int64', 'repeated'],
})
const putArtifactTypeRequestSpec: MessageSpec = message('PutArtifactTypeRequest', {
  artifactType: [1, () => artifactTypeSpec],
  canAddFields: [2, 'bool'],
  canOmitFields: [5, 'bool'],
  canDeleteFields: [3, 'bool'],
  allFieldsMatch: [4, 'bool'],
  transactionOptions: [6, () => transactionOptionsSpec],
})
const putArtifactTypeResponseSpec: MessageSpec = message('PutArtifactTypeResponse', {
  typeId: [1, 'int64'],
})
const putExecutionsRequestSpec: MessageSpec = message('PutExecutionsRequest', {
  executions: [1, () => executionSpec, 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
  updateMask: [3, () => fieldMaskSpec],
})
const putExecutionsResponseSpec: MessageSpec = message('PutExecutionsResponse', {
  executionIds: [1, 'int64', 'repeated'],
})
const putExecutionTypeRequestSpec: MessageSpec = message('PutExecutionTypeRequest', {
  executionType: [1, () => executionTypeSpec],
  canAddFields: [2, 'bool'],
  canOmitFields: [5, 'bool'],
  canDeleteFields: [3, 'bool'],
  allFieldsMatch: [4, 'bool'],
  transactionOptions: [6, () => transactionOptionsSpec],
})
const putExecutionTypeResponseSpec: MessageSpec = message('PutExecutionTypeResponse', {
  typeId: [1, 'int64'],
})
const putEventsRequestSpec: MessageSpec = message('PutEventsRequest', {
  events: [1, () => eventSpec, 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const putEventsResponseSpec: MessageSpec = message('PutEventsResponse', {})
const putExecutionRequestSpec: MessageSpec = message('PutExecutionRequest', {
  execution: [1, () => executionSpec],
  artifactEventPairs: [2, () => putExecutionRequestArtifactAndEventSpec, 'repeated'],
  contexts: [3, () => contextSpec, 'repeated'],
  options: [4, () => putExecutionRequestOptionsSpec],
  transactionOptions: [5, () => transactionOptionsSpec],
})
const putExecutionRequestArtifactAndEventSpec: MessageSpec = message('PutExecutionRequest.ArtifactAndEvent', {
  artifact: [1, () => artifactSpec],
  event: [2, () => eventSpec],
})
const putExecutionRequestOptionsSpec: MessageSpec = message('PutExecutionRequest.Options', {
  reuseContextIfAlreadyExist: [1, 'bool'],
  reuseArtifactIfAlreadyExistByExternalId: [2, 'bool'],
  forceUpdateTime: [3, 'bool'],
  forceReuseContext: [4, 'bool'],
})
const putExecutionResponseSpec: MessageSpec = message('PutExecutionResponse', {
  executionId: [1, 'int64'],
  artifactIds: [2, 'int64', 'repeated'],
  contextIds: [3, 'int64', 'repeated'],
})
const putLineageSubgraphRequestSpec: MessageSpec = message('PutLineageSubgraphRequest', {
  executions: [1, () => executionSpec, 'repeated'],
  artifacts: [2, () => artifactSpec, 'repeated'],
  contexts: [3, () => contextSpec, 'repeated'],
  eventEdges: [4, () => putLineageSubgraphRequestEventEdgeSpec, 'repeated'],
  options: [5, () => putLineageSubgraphRequestOptionsSpec],
  transactionOptions: [6, () => transactionOptionsSpec],
})
const putLineageSubgraphRequestEventEdgeSpec: MessageSpec = message('PutLineageSubgraphRequest.EventEdge', {
  executionIndex: [1, 'int32'],
  artifactIndex: [2, 'int32'],
  event: [3, () => eventSpec],
})
const putLineageSubgraphRequestOptionsSpec: MessageSpec = message('PutLineageSubgraphRequest.Options', {
  reuseContextIfAlreadyExist: [1, 'bool'],
  reuseArtifactIfAlreadyExistByExternalId: [2, 'bool'],
})
const putLineageSubgraphResponseSpec: MessageSpec = message('PutLineageSubgraphResponse', {
  executionIds: [1, 'int64', 'packed'],
  artifactIds: [2, 'int64', 'packed'],
  contextIds: [3, 'int64', 'packed'],
})
const putTypesRequestSpec: MessageSpec = message('PutTypesRequest', {
  artifactTypes: [1, () => artifactTypeSpec, 'repeated'],
  executionTypes: [2, () => executionTypeSpec, 'repeated'],
  contextTypes: [3, () => contextTypeSpec, 'repeated'],
  canAddFields: [4, 'bool'],
  canOmitFields: [7, 'bool'],
  canDeleteFields: [5, 'bool'],
  allFieldsMatch: [6, 'bool'],
  transactionOptions: [8, () => transactionOptionsSpec],
})
const putTypesResponseSpec: MessageSpec = message('PutTypesResponse', {
  artifactTypeIds: [1, 'int64', 'repeated'],
  executionTypeIds: [2, 'int64', 'repeated'],
  contextTypeIds: [3, 'int64', 'repeated'],
})
const putContextTypeRequestSpec: MessageSpec = message('PutContextTypeRequest', {
  contextType: [1, () => contextTypeSpec],
  canAddFields: [2, 'bool'],
  canOmitFields: [5, 'bool'],
  canDeleteFields: [3, 'bool'],
  allFieldsMatch: [4, 'bool'],
  transactionOptions: [6, () => transactionOptionsSpec],
})
const putContextTypeResponseSpec: MessageSpec = message('PutContextTypeResponse', {
  typeId: [1, 'int64'],
})
const putContextsRequestSpec: MessageSpec = message('PutContextsRequest', {
  contexts: [1, () => contextSpec, 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
  updateMask: [3, () => fieldMaskSpec],
})
const putContextsResponseSpec: MessageSpec = message('PutContextsResponse', {
  contextIds: [1, 'int64', 'repeated'],
})
const putAttributionsAndAssociationsRequestSpec: MessageSpec = message('PutAttributionsAndAssociationsRequest', {
  attributions: [1, () => attributionSpec, 'repeated'],
  associations: [2, () => associationSpec, 'repeated'],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const putAttributionsAndAssociationsResponseSpec: MessageSpec = message('PutAttributionsAndAssociationsResponse', {})
const putParentContextsRequestSpec: MessageSpec = message('PutParentContextsRequest', {
  parentContexts: [1, () => parentContextSpec, 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const putParentContextsResponseSpec: MessageSpec = message('PutParentContextsResponse', {})

export const putMessages: readonly MessageSpec[] = [
  putArtifactsRequestSpec,
  putArtifactsRequestOptionsSpec,
  putArtifactsResponseSpec,
  putArtifactTypeRequestSpec,
  putArtifactTypeResponseSpec,
  putExecutionsRequestSpec,
  putExecutionsResponseSpec,
  putExecutionTypeRequestSpec,
  putExecutionTypeResponseSpec,
  putEventsRequestSpec,
  putEventsResponseSpec,
  putExecutionRequestSpec,
  putExecutionRequestArtifactAndEventSpec,
  putExecutionRequestOptionsSpec,
  putExecutionResponseSpec,
  putLineageSubgraphRequestSpec,
  putLineageSubgraphRequestEventEdgeSpec,
  putLineageSubgraphRequestOptionsSpec,
  putLineageSubgraphResponseSpec,
  putTypesRequestSpec,
  putTypesResponseSpec,
  putContextTypeRequestSpec,
  putContextTypeResponseSpec,
  putContextsRequestSpec,
  putContextsResponseSpec,
  putAttributionsAndAssociationsRequestSpec,
  putAttributionsAndAssociationsResponseSpec,
  putParentContextsRequestSpec,
  putParentContextsResponseSpec,
]
