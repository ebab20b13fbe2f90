import type { ArtifactState, EventType, ExecutionState, PropertyType } from './messages.ts'

/** The three kinds of nodes. */
export type Kind = 'Artifact' | 'Execution' | 'Context'

/** How a kind lies in the database (`Type.type_kind`, schema version 10). */
export interface KindFacts {
  readonly kind: Kind
  /** In messages for people. */
  readonly word: string
  readonly typeKind: 0 | 1 | 2
  readonly table: Kind
  readonly propertyTable: `${Kind}Property`
  /** Column of the property table that names the node. */
  readonly key: 'artifact_id' | 'execution_id' | 'context_id'
  /** The column of the state, where the kind has one. */
  readonly state: 'state' | 'last_known_state' | undefined
  /** Names of the base types by the number that the message has for them. */
  readonly baseTypes: { readonly [name: string]: string }
}

export const kinds: { readonly [kind in Kind]: KindFacts } = {
  Artifact: {
    kind: 'Artifact',
    word: 'artifact',
    typeKind: 1,
    table: 'Artifact',
    propertyTable: 'ArtifactProperty',
    key: 'artifact_id',
    state: 'state',
    baseTypes: { DATASET: 'mlmd.Dataset', MODEL: 'mlmd.Model', METRICS: 'mlmd.Metrics', STATISTICS: 'mlmd.Statistics' },
  },
  Execution: {
    kind: 'Execution',
    word: 'execution',
    typeKind: 0,
    table: 'Execution',
    propertyTable: 'ExecutionProperty',
    key: 'execution_id',
    state: 'last_known_state',
    baseTypes: {
      TRAIN: 'mlmd.Train',
      TRANSFORM: 'mlmd.Transform',
      PROCESS: 'mlmd.Process',
      EVALUATE: 'mlmd.Evaluate',
      DEPLOY: 'mlmd.Deploy',
    },
  },
  Context: {
    kind: 'Context',
    word: 'context',
    typeKind: 2,
    table: 'Context',
    propertyTable: 'ContextProperty',
    key: 'context_id',
    state: undefined,
    baseTypes: {},
  },
}

/** States, event types and property types in the order of their numbers (metadata_store.proto). */
export const artifactStates: readonly ArtifactState[] = [
  'UNKNOWN',
  'PENDING',
  'LIVE',
  'MARKED_FOR_DELETION',
  'DELETED',
  'ABANDONED',
  'REFERENCE',
]
export const executionStates: readonly ExecutionState[] = [
  'UNKNOWN',
  'NEW',
  'RUNNING',
  'COMPLETE',
  'FAILED',
  'CACHED',
  'CANCELED',
]
export const eventTypes: readonly EventType[] = [
  'UNKNOWN',
  'DECLARED_OUTPUT',
  'DECLARED_INPUT',
  'INPUT',
  'OUTPUT',
  'INTERNAL_INPUT',
  'INTERNAL_OUTPUT',
  'PENDING_OUTPUT',
]
export const propertyTypes: readonly PropertyType[] = [
  'UNKNOWN',
  'INT',
  'DOUBLE',
  'STRING',
  'STRUCT',
  'PROTO',
  'BOOLEAN',
]
