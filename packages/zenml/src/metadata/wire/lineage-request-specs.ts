import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { fieldMaskSpec } from '../../base/proto/well-known.ts'
import { lineageGraphSpec } from './node-specs.ts'
import {
  lineageGraphQueryOptionsSpec,
  lineageSubgraphQueryOptionsSpec,
  transactionOptionsSpec,
} from './option-specs.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store_service.proto. Requests for lineage, and their responses.

const getLineageGraphRequestSpec: MessageSpec = message('GetLineageGraphRequest', {
  options: [1, () => lineageGraphQueryOptionsSpec],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getLineageGraphResponseSpec: MessageSpec = message('GetLineageGraphResponse', {
  subgraph: [1, () => lineageGraphSpec],
})
const getLineageSubgraphRequestSpec: MessageSpec = message('GetLineageSubgraphRequest', {
  lineageSubgraphQueryOptions: [1, () => lineageSubgraphQueryOptionsSpec],
  readMask: [3, () => fieldMaskSpec],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getLineageSubgraphResponseSpec: MessageSpec = message('GetLineageSubgraphResponse', {
  lineageSubgraph: [1, () => lineageGraphSpec],
})

export const lineageMessages: readonly MessageSpec[] = [
  getLineageGraphRequestSpec,
  getLineageGraphResponseSpec,
  getLineageSubgraphRequestSpec,
  getLineageSubgraphResponseSpec,
]
