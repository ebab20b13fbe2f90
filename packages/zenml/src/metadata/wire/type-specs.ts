import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store.proto. Types, and types of structures of artifacts.

const propertyTypes = { UNKNOWN: 0, INT: 1, DOUBLE: 2, STRING: 3, STRUCT: 4, PROTO: 5, BOOLEAN: 6 }
const artifactBaseTypes = { UNSET: 0, DATASET: 1, MODEL: 2, METRICS: 3, STATISTICS: 4 }
const executionBaseTypes = { UNSET: 0, TRAIN: 1, TRANSFORM: 2, PROCESS: 3, EVALUATE: 4, DEPLOY: 5 }
const contextBaseTypes = { UNSET: 0 }

export const artifactTypeSpec: MessageSpec = message('ArtifactType', {
  id: [1, 'int64'],
  name: [2, 'string'],
  version: [4, 'string'],
  description: [5, 'string'],
  externalId: [7, 'string'],
  properties: [3, propertyTypes, 'map'],
  baseType: [6, artifactBaseTypes],
})
export const executionTypeSpec: MessageSpec = message('ExecutionType', {
  id: [1, 'int64'],
  name: [2, 'string'],
  version: [6, 'string'],
  description: [7, 'string'],
  externalId: [9, 'string'],
  properties: [3, propertyTypes, 'map'],
  inputType: [4, () => artifactStructTypeSpec],
  outputType: [5, () => artifactStructTypeSpec],
  baseType: [8, executionBaseTypes],
})
export const contextTypeSpec: MessageSpec = message('ContextType', {
  id: [1, 'int64'],
  name: [2, 'string'],
  version: [4, 'string'],
  description: [5, 'string'],
  externalId: [7, 'string'],
  properties: [3, propertyTypes, 'map'],
  baseType: [6, contextBaseTypes],
})
const artifactStructTypeSpec: MessageSpec = message('ArtifactStructType', {
  simple: [1, () => artifactTypeSpec, 'oneof:kind'],
  unionType: [2, () => unionArtifactStructTypeSpec, 'oneof:kind'],
  intersection: [3, () => intersectionArtifactStructTypeSpec, 'oneof:kind'],
  list: [4, () => listArtifactStructTypeSpec, 'oneof:kind'],
  none: [5, () => noneArtifactStructTypeSpec, 'oneof:kind'],
  any: [6, () => anyArtifactStructTypeSpec, 'oneof:kind'],
  tuple: [7, () => tupleArtifactStructTypeSpec, 'oneof:kind'],
  dict: [8, () => dictArtifactStructTypeSpec, 'oneof:kind'],
})
const unionArtifactStructTypeSpec: MessageSpec = message('UnionArtifactStructType', {
  candidates: [1, () => artifactStructTypeSpec, 'repeated'],
})
const intersectionArtifactStructTypeSpec: MessageSpec = message('IntersectionArtifactStructType', {
  constraints: [1, () => artifactStructTypeSpec, 'repeated'],
})
const listArtifactStructTypeSpec: MessageSpec = message('ListArtifactStructType', {
  element: [1, () => artifactStructTypeSpec],
})
const noneArtifactStructTypeSpec: MessageSpec = message('NoneArtifactStructType', {})
const anyArtifactStructTypeSpec: MessageSpec = message('AnyArtifactStructType', {})
const tupleArtifactStructTypeSpec: MessageSpec = message('TupleArtifactStructType', {
  elements: [1, () => artifactStructTypeSpec, 'repeated'],
})
const dictArtifactStructTypeSpec: MessageSpec = message('DictArtifactStructType', {
  properties: [1, () => artifactStructTypeSpec, 'map'],
  noneTypeNotRequired: [2, 'bool'],
  extraPropertiesType: [3, () => artifactStructTypeSpec],
})

export const typeMessages: readonly MessageSpec[] = [
  artifactTypeSpec,
  executionTypeSpec,
  contextTypeSpec,
  artifactStructTypeSpec,
  unionArtifactStructTypeSpec,
  intersectionArtifactStructTypeSpec,
  listArtifactStructTypeSpec,
  noneArtifactStructTypeSpec,
  anyArtifactStructTypeSpec,
  tupleArtifactStructTypeSpec,
  dictArtifactStructTypeSpec,
]
