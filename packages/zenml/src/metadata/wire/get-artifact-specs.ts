import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { artifactSpec } from './node-specs.ts'
import { listOperationOptionsSpec, transactionOptionsSpec } from './option-specs.ts'
import { message } from './spec.ts'
import { artifactTypeSpec } from './type-specs.ts'

// ml_metadata, metadata_store_service.proto. Requests for artifacts, and their responses.

const getArtifactsByTypeRequestSpec: MessageSpec = message('GetArtifactsByTypeRequest', {
  typeName: [1, 'string'],
  typeVersion: [2, 'string'],
  options: [3, () => listOperationOptionsSpec],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getArtifactsByTypeResponseSpec: MessageSpec = message('GetArtifactsByTypeResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getArtifactByTypeAndNameRequestSpec: MessageSpec = message('GetArtifactByTypeAndNameRequest', {
  typeName: [1, 'string'],
  typeVersion: [3, 'string'],
  artifactName: [2, 'string'],
  transactionOptions: [4, () => transactionOptionsSpec],
})
const getArtifactByTypeAndNameResponseSpec: MessageSpec = message('GetArtifactByTypeAndNameResponse', {
  artifact: [1, () => artifactSpec],
})
const getArtifactsByIDRequestSpec: MessageSpec = message('GetArtifactsByIDRequest', {
  artifactIds: [1, 'int64', 'repeated'],
  populateArtifactTypes: [3, 'bool'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getArtifactsByIDResponseSpec: MessageSpec = message('GetArtifactsByIDResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
  artifactTypes: [2, () => artifactTypeSpec, 'repeated'],
})
const getArtifactsRequestSpec: MessageSpec = message('GetArtifactsRequest', {
  options: [1, () => listOperationOptionsSpec],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getArtifactsResponseSpec: MessageSpec = message('GetArtifactsResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
  nextPageToken: [2, 'string'],
})
const getArtifactsByURIRequestSpec: MessageSpec = message('GetArtifactsByURIRequest', {
  uris: [2, 'string', 'repeated'],
  transactionOptions: [3, () => transactionOptionsSpec],
})
const getArtifactsByURIResponseSpec: MessageSpec = message('GetArtifactsByURIResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
})
const getArtifactsByExternalIdsRequestSpec: MessageSpec = message('GetArtifactsByExternalIdsRequest', {
  externalIds: [1, 'string', 'repeated'],
  transactionOptions: [2, () => transactionOptionsSpec],
})
const getArtifactsByExternalIdsResponseSpec: MessageSpec = message('GetArtifactsByExternalIdsResponse', {
  artifacts: [1, () => artifactSpec, 'repeated'],
})

export const getArtifactMessages: readonly MessageSpec[] = [
  getArtifactsByTypeRequestSpec,
  getArtifactsByTypeResponseSpec,
  getArtifactByTypeAndNameRequestSpec,
  getArtifactByTypeAndNameResponseSpec,
  getArtifactsByIDRequestSpec,
  getArtifactsByIDResponseSpec,
  getArtifactsRequestSpec,
  getArtifactsResponseSpec,
  getArtifactsByURIRequestSpec,
  getArtifactsByURIResponseSpec,
  getArtifactsByExternalIdsRequestSpec,
  getArtifactsByExternalIdsResponseSpec,
]
