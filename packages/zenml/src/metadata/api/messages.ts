/** A 64-bit whole number: a bigint where a number would not be exact. */
export type Whole = number | bigint

/** A `google.protobuf.Struct`, as plain data. */
export interface Struct {
  readonly [name: string]: StructValue
}
export type StructValue = null | boolean | number | string | readonly StructValue[] | Struct

/** A `google.protobuf.Any`. */
export interface AnyMessage {
  readonly typeUrl?: string
  readonly value?: Uint8Array
}

/** The value of a property: exactly one of the fields is set. */
export interface Value {
  readonly intValue?: Whole
  readonly doubleValue?: number
  readonly stringValue?: string
  readonly structValue?: Struct
  readonly protoValue?: AnyMessage
  readonly boolValue?: boolean
}

export type Values = ReadonlyMap<string, Value>

export type PropertyType = 'UNKNOWN' | 'INT' | 'DOUBLE' | 'STRING' | 'STRUCT' | 'PROTO' | 'BOOLEAN'

export type ArtifactState =
  | 'UNKNOWN'
  | 'PENDING'
  | 'LIVE'
  | 'MARKED_FOR_DELETION'
  | 'DELETED'
  | 'ABANDONED'
  | 'REFERENCE'

export type ExecutionState = 'UNKNOWN' | 'NEW' | 'RUNNING' | 'COMPLETE' | 'FAILED' | 'CACHED' | 'CANCELED'

export type EventType =
  | 'UNKNOWN'
  | 'DECLARED_OUTPUT'
  | 'DECLARED_INPUT'
  | 'INPUT'
  | 'OUTPUT'
  | 'INTERNAL_INPUT'
  | 'INTERNAL_OUTPUT'
  | 'PENDING_OUTPUT'

/** What artifacts, executions and contexts have in common. */
export interface Node {
  readonly id?: Whole
  readonly name?: string
  readonly typeId?: Whole
  /** Name of the type; only read. */
  readonly type?: string
  readonly externalId?: string
  readonly properties?: Values
  readonly customProperties?: Values
  /** Milliseconds since 1970. */
  readonly createTimeSinceEpoch?: Whole
  readonly lastUpdateTimeSinceEpoch?: Whole
  readonly systemMetadata?: AnyMessage
}

export interface Artifact extends Node {
  readonly uri?: string
  readonly state?: ArtifactState
}

export interface Execution extends Node {
  readonly lastKnownState?: ExecutionState
}

export interface Context extends Node {}

/** What the types of artifacts, executions and contexts have in common. */
export interface NodeType {
  readonly id?: Whole
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly externalId?: string
  readonly properties?: ReadonlyMap<string, PropertyType>
  /** `UNSET`, or a simple type: MODEL, TRAIN … */
  readonly baseType?: string
}

export interface ArtifactType extends NodeType {}

export interface ExecutionType extends NodeType {
  readonly inputType?: ArtifactStructType
  readonly outputType?: ArtifactStructType
}

export interface ContextType extends NodeType {}

/** The type of what executions take and give; kept as the JSON of the message. */
export interface ArtifactStructType {
  readonly [field: string]: unknown
}

export interface EventStep {
  readonly index?: Whole
  readonly key?: string
}

export interface Event {
  readonly artifactId?: Whole
  readonly executionId?: Whole
  readonly path?: { readonly steps?: readonly EventStep[] }
  readonly type?: EventType
  readonly millisecondsSinceEpoch?: Whole
  readonly systemMetadata?: AnyMessage
}

export interface Attribution {
  readonly artifactId?: Whole
  readonly contextId?: Whole
}

export interface Association {
  readonly executionId?: Whole
  readonly contextId?: Whole
}

export interface ParentContext {
  readonly childId?: Whole
  readonly parentId?: Whole
}

export type OrderField = 'FIELD_UNSPECIFIED' | 'CREATE_TIME' | 'LAST_UPDATE_TIME' | 'ID'

export interface ListOptions {
  /** Default 20; 100 at most. */
  readonly maxResultSize?: number
  readonly orderByField?: { readonly field?: OrderField; readonly isAsc?: boolean }
  readonly nextPageToken?: string
  readonly filterQuery?: string
}

export interface FieldMask {
  readonly paths?: readonly string[]
}

export type Direction = 'DIRECTION_UNSPECIFIED' | 'UPSTREAM' | 'DOWNSTREAM' | 'BIDIRECTIONAL'

export interface LineageSubgraphOptions {
  readonly startingArtifacts?: { readonly filterQuery?: string }
  readonly startingExecutions?: { readonly filterQuery?: string }
  readonly maxNumHops?: Whole
  readonly direction?: Direction
  readonly endingArtifacts?: { readonly filterQuery?: string; readonly includeEndingNodes?: boolean }
  readonly endingExecutions?: { readonly filterQuery?: string; readonly includeEndingNodes?: boolean }
}

export interface LineageGraph {
  readonly artifactTypes?: readonly ArtifactType[]
  readonly executionTypes?: readonly ExecutionType[]
  readonly contextTypes?: readonly ContextType[]
  readonly artifacts?: readonly Artifact[]
  readonly executions?: readonly Execution[]
  readonly contexts?: readonly Context[]
  readonly events?: readonly Event[]
  readonly attributions?: readonly Attribution[]
  readonly associations?: readonly Association[]
  readonly parentContexts?: readonly ParentContext[]
}
