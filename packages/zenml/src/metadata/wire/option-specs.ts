import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store.proto. Options of requests.

const orderFields = { FIELD_UNSPECIFIED: 0, CREATE_TIME: 1, LAST_UPDATE_TIME: 2, ID: 3 }
const directions = { DIRECTION_UNSPECIFIED: 0, UPSTREAM: 1, DOWNSTREAM: 2, BIDIRECTIONAL: 3 }

export const listOperationOptionsSpec: MessageSpec = message('ListOperationOptions', {
  maxResultSize: [1, 'int32'],
  orderByField: [2, () => orderByFieldSpec],
  nextPageToken: [3, 'string'],
  filterQuery: [4, 'string'],
})
const orderByFieldSpec: MessageSpec = message('ListOperationOptions.OrderByField', {
  field: [1, orderFields],
  isAsc: [2, 'bool'],
})
const listOperationNextPageTokenSpec: MessageSpec = message('ListOperationNextPageToken', {
  idOffset: [1, 'int64'],
  fieldOffset: [2, 'int64'],
  setOptions: [3, () => listOperationOptionsSpec],
  listedIds: [4, 'int64', 'repeated'],
})
export const transactionOptionsSpec: MessageSpec = message('TransactionOptions', { tag: [1, 'string'] })
export const lineageGraphQueryOptionsSpec: MessageSpec = message('LineageGraphQueryOptions', {
  artifactsOptions: [1, () => listOperationOptionsSpec, 'oneof:query_nodes'],
  stopConditions: [2, () => boundaryConstraintSpec],
  maxNodeSize: [3, 'int64'],
})
const boundaryConstraintSpec: MessageSpec = message('LineageGraphQueryOptions.BoundaryConstraint', {
  maxNumHops: [1, 'int64'],
  boundaryArtifacts: [2, 'string'],
  boundaryExecutions: [3, 'string'],
})
export const lineageSubgraphQueryOptionsSpec: MessageSpec = message('LineageSubgraphQueryOptions', {
  startingArtifacts: [1, () => startingNodesSpec, 'oneof:starting_nodes'],
  startingExecutions: [2, () => startingNodesSpec, 'oneof:starting_nodes'],
  maxNumHops: [3, 'int64'],
  direction: [4, directions],
  endingArtifacts: [5, () => endingNodesSpec],
  endingExecutions: [6, () => endingNodesSpec],
})
const startingNodesSpec: MessageSpec = message('LineageSubgraphQueryOptions.StartingNodes', {
  filterQuery: [1, 'string'],
})
const endingNodesSpec: MessageSpec = message('LineageSubgraphQueryOptions.EndingNodes', {
  filterQuery: [1, 'string'],
  includeEndingNodes: [2, 'bool'],
})

export const optionMessages: readonly MessageSpec[] = [
  listOperationOptionsSpec,
  orderByFieldSpec,
  listOperationNextPageTokenSpec,
  transactionOptionsSpec,
  lineageGraphQueryOptionsSpec,
  boundaryConstraintSpec,
  lineageSubgraphQueryOptionsSpec,
  startingNodesSpec,
  endingNodesSpec,
]
