/** The kinds of nodes that are filtered. */
export type NodeKind = 'Artifact' | 'Execution' | 'Context'

export type Kind = 'int' | 'double' | 'string' | 'bool' | 'artifactState' | 'executionState' | 'eventType'

/** What an attribute is called in a query, and its kind; the column has the same name but for `type`, which `Type` has as `name`. */
export type Attributes = { readonly [name: string]: Kind }

const named: Attributes = { id: 'int', name: 'string', type: 'string' }
const timed: Attributes = { ...named, create_time_since_epoch: 'int', last_update_time_since_epoch: 'int' }
// Google's library documents external_id of these neighbours but fails on it; here it is an attribute like the others.
const artifact: Attributes = { ...timed, uri: 'string', state: 'artifactState', external_id: 'string' }
const execution: Attributes = { ...timed, last_known_state: 'executionState', external_id: 'string' }
const event: Attributes = { type: 'eventType', milliseconds_since_epoch: 'int' }

/** The attributes of a node itself. */
export const nodeAttributes: { readonly [kind in NodeKind]: Attributes } = {
  Artifact: { ...artifact, type_id: 'int' },
  Execution: { ...execution, type_id: 'int' },
  Context: { ...timed, type_id: 'int', external_id: 'string' },
}

/** The columns of a property. */
export const propertyValues: Attributes = {
  int_value: 'int',
  double_value: 'double',
  string_value: 'string',
  bool_value: 'bool',
}

/** A neighbour of a node: reached over the rows of a table, from one of its columns to another. */
export interface Neighbour {
  /** The table with the attributes; undefined where `over` has them itself. */
  readonly table: NodeKind | undefined
  readonly over: 'Attribution' | 'Association' | 'ParentContext' | 'Event'
  readonly here: 'artifact_id' | 'execution_id' | 'context_id' | 'parent_context_id'
  readonly there: 'artifact_id' | 'execution_id' | 'context_id' | 'parent_context_id'
  readonly attributes: Attributes
}

/** The neighbours that a query may name, by the start of the name: `contexts_A` is one that it calls A. */
export const neighbours: { readonly [kind in NodeKind]: { readonly [prefix: string]: Neighbour } } = {
  Artifact: {
    contexts_: { table: 'Context', over: 'Attribution', here: 'artifact_id', there: 'context_id', attributes: timed },
    events_: {
      table: undefined,
      over: 'Event',
      here: 'artifact_id',
      there: 'execution_id',
      attributes: { ...event, execution_id: 'int' },
    },
  },
  Execution: {
    contexts_: { table: 'Context', over: 'Association', here: 'execution_id', there: 'context_id', attributes: timed },
    events_: {
      table: undefined,
      over: 'Event',
      here: 'execution_id',
      there: 'artifact_id',
      attributes: { ...event, artifact_id: 'int' },
    },
  },
  Context: {
    parent_contexts_: {
      table: 'Context',
      over: 'ParentContext',
      here: 'context_id',
      there: 'parent_context_id',
      attributes: named,
    },
    child_contexts_: {
      table: 'Context',
      over: 'ParentContext',
      here: 'parent_context_id',
      there: 'context_id',
      attributes: named,
    },
    artifacts_: {
      table: 'Artifact',
      over: 'Attribution',
      here: 'context_id',
      there: 'artifact_id',
      attributes: artifact,
    },
    executions_: {
      table: 'Execution',
      over: 'Association',
      here: 'context_id',
      there: 'execution_id',
      attributes: execution,
    },
  },
}

/** The values of enums that a query may name. Google's library knows no others, though the messages have some more. */
export const enumValues: { readonly [kind in Kind]?: { readonly [name: string]: number } } = {
  artifactState: { UNKNOWN: 0, PENDING: 1, LIVE: 2, MARKED_FOR_DELETION: 3, DELETED: 4 },
  executionState: { UNKNOWN: 0, NEW: 1, RUNNING: 2, COMPLETE: 3, FAILED: 4, CACHED: 5, CANCELED: 6 },
  eventType: {
    UNKNOWN: 0,
    DECLARED_OUTPUT: 1,
    DECLARED_INPUT: 2,
    INPUT: 3,
    OUTPUT: 4,
    INTERNAL_INPUT: 5,
    INTERNAL_OUTPUT: 6,
  },
}
