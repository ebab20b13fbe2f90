import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { eventSpec, executionSpec } from './node-specs.ts'
import { listOperationOptionsSpec, transactionOptionsSpec } from './option-specs.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store_service.proto. Requests for executions and events, and their responses.

const getExecutionsRequestSpec: MessageSpec = message('GetExecutionsRequest', {
  options: [1, () => listOperationOptionsSpec],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getExecutionsResponseSpec: MessageSpec = message('GetExecutionsResponse', {
  executions: [1, () => executionSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getExecutionsByExternalIdsRequestSpec: MessageSpec = message('GetExecutionsByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getExecutionsByExternalIdsResponseSpec: MessageSpec = message('GetExecutionsByExternalIdsResponse', {
  executions: [1, () => executionSpec, 'repeated'],
})
const getExecutionsByTypeRequestSpec: MessageSpec = message('GetExecutionsByTypeRequest', {
  typeName: [1, 'string'],
  typeVersion: [2, 'string'],
  options: [3, () => listOperationOptionsSpec],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getExecutionsByTypeResponseSpec: MessageSpec = message('GetExecutionsByTypeResponse', {
  executions: [1, () => executionSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getExecutionByTypeAndNameRequestSpec: MessageSpec = message('GetExecutionByTypeAndNameRequest', {
  typeName: [1, 'string'],
  typeVersion: [3, 'string'],
  executionName: [2, 'string'],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getExecutionByTypeAndNameResponseSpec: MessageSpec = message('GetExecutionByTypeAndNameResponse', {
  execution: [1, () => executionSpec],
})
const getExecutionsByIDRequestSpec: MessageSpec = message('GetExecutionsByIDRequest', {
  executionIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getExecutionsByIDResponseSpec: MessageSpec = message('GetExecutionsByIDResponse', {
  executions: [1, () => executionSpec, 'repeated'],
})
const getEventsByExecutionIDsRequestSpec: MessageSpec = message('GetEventsByExecutionIDsRequest', {
  executionIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getEventsByExecutionIDsResponseSpec: MessageSpec = message('GetEventsByExecutionIDsResponse', {
  events: [1, () => eventSpec, 'repeated'],
})
const getEventsByArtifactIDsRequestSpec: MessageSpec = message('GetEventsByArtifactIDsRequest', {
  artifactIds: [1, 'int64', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getEventsByArtifactIDsResponseSpec: MessageSpec = message('GetEventsByArtifactIDsResponse', {
  events: [1, () => eventSpec, 'repeated'],
})

export const getExecutionMessages: readonly MessageSpec[] = [
  getExecutionsRequestSpec,
  getExecutionsResponseSpec,
  getExecutionsByExternalIdsRequestSpec,
  getExecutionsByExternalIdsResponseSpec,
  getExecutionsByTypeRequestSpec,
  getExecutionsByTypeResponseSpec,
  getExecutionByTypeAndNameRequestSpec,
  getExecutionByTypeAndNameResponseSpec,
  getExecutionsByIDRequestSpec,
  getExecutionsByIDResponseSpec,
  getEventsByExecutionIDsRequestSpec,
  getEventsByExecutionIDsResponseSpec,
  getEventsByArtifactIDsRequestSpec,
  getEventsByArtifactIDsResponseSpec,
]
