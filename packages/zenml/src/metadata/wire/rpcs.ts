import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { messageSpecs } from './messages.ts'

/** The gRPC service that ML Metadata is. */
export const serviceName = 'ml_metadata.MetadataStoreService'

/** What a remote procedure takes and gives. */
export interface Rpc {
  readonly request: MessageSpec
  readonly response: MessageSpec
}

const names = [
  'PutArtifactType',
  'PutExecutionType',
  'PutContextType',
  'PutTypes',
  'PutArtifacts',
  'PutExecutions',
  'PutEvents',
  'PutExecution',
  'PutLineageSubgraph',
  'PutContexts',
  'PutAttributionsAndAssociations',
  'PutParentContexts',
  'GetArtifactType',
  'GetArtifactTypesByID',
  'GetArtifactTypes',
  'GetExecutionType',
  'GetExecutionTypesByID',
  'GetExecutionTypes',
  'GetContextType',
  'GetContextTypesByID',
  'GetContextTypes',
  'GetArtifacts',
  'GetExecutions',
  'GetContexts',
  'GetArtifactsByID',
  'GetExecutionsByID',
  'GetContextsByID',
  'GetArtifactsByType',
  'GetExecutionsByType',
  'GetContextsByType',
  'GetArtifactByTypeAndName',
  'GetExecutionByTypeAndName',
  'GetContextByTypeAndName',
  'GetArtifactsByURI',
  'GetEventsByExecutionIDs',
  'GetEventsByArtifactIDs',
  'GetArtifactsByExternalIds',
  'GetExecutionsByExternalIds',
  'GetContextsByExternalIds',
  'GetArtifactTypesByExternalIds',
  'GetExecutionTypesByExternalIds',
  'GetContextTypesByExternalIds',
  'GetContextsByArtifact',
  'GetContextsByExecution',
  'GetParentContextsByContext',
  'GetChildrenContextsByContext',
  'GetParentContextsByContexts',
  'GetChildrenContextsByContexts',
  'GetArtifactsByContext',
  'GetExecutionsByContext',
  'GetLineageGraph',
  'GetLineageSubgraph',
] as const

/** Name of a remote procedure of ML Metadata. */
export type RpcName = (typeof names)[number]

/** The remote procedures of ML Metadata by name, all of them of one request and one response. */
export const rpcs: ReadonlyMap<string, Rpc> = new Map(
  names.map((name) => [
    name,
    {
      request: messageSpecs.get(`ml_metadata.${name}Request`)!,
      response: messageSpecs.get(`ml_metadata.${name}Response`)!,
    },
  ]),
)
