import { together } from '../sql/together.ts'
import type { Work } from '../sql/work.ts'
import { insertMembers } from './edges.ts'
import { checkEvent, insertEvents, mustExist, type NewEvent } from './events.ts'
import { kinds } from './kinds.ts'
import type { Artifact, Context, Event, Execution, Whole } from './messages.ts'
import { contextsOf } from './put-execution.ts'
import { putArtifacts } from './reuse.ts'
import { invalid, StatusError } from './status.ts'
import { type GivenNode, type Later, type PutOptions, putNodes, typesOf } from './write-nodes.ts'

interface EventEdge {
  readonly executionIndex?: number
  readonly artifactIndex?: number
  readonly event?: Event
}

export interface PutLineageSubgraphRequest {
  readonly executions?: readonly Execution[]
  readonly artifacts?: readonly Artifact[]
  readonly contexts?: readonly Context[]
  readonly eventEdges?: readonly EventEdge[]
  readonly options?: {
    readonly reuseContextIfAlreadyExist?: boolean
    readonly reuseArtifactIfAlreadyExistByExternalId?: boolean
  }
}

export interface PutLineageSubgraphResponse {
  readonly executionIds: readonly number[]
  readonly artifactIds: readonly number[]
  readonly contextIds: readonly number[]
}

/**
 * Stores several executions, artifacts and contexts with the events between them in one transaction, and puts every execution and
 * artifact of the request into every context of it.
 *
 * Throws what storing each of them throws, `OUT_OF_RANGE` for an index that leads nowhere, `INVALID_ARGUMENT` for an edge that names
 * no node or no event.
 */
export function* putLineageSubgraph(
  request: PutLineageSubgraphRequest,
  put: PutOptions,
): Work<PutLineageSubgraphResponse> {
  const { executions = [], artifacts = [], contexts = [], eventEdges = [], options = {} } = request
  for (const edge of eventEdges) checkEdge(edge, executions.length, artifacts.length)
  yield* checkTypes('Context', contexts, put)
  yield* checkTypes('Artifact', artifacts, put)
  yield* checkTypes('Execution', executions, put)

  const reuse = options.reuseArtifactIfAlreadyExistByExternalId === true
  const later: Later = []
  const [contextIds, artifactIds, executionIds] = yield* together([
    contextsOf(contexts, options, put),
    putArtifacts(artifacts, reuse, { ...put, later }),
    putNodes(kinds.Execution, executions, { ...put, later }),
  ])
  const members = (ids: readonly number[]): { context: number; node: number }[] =>
    contextIds.flatMap((context) => ids.map((node) => ({ context, node })))
  const events = eventEdges.map(
    ({ executionIndex, artifactIndex, event = {} }): NewEvent => ({
      execution: nodeOf('execution', executionIds, executionIndex, event.executionId),
      artifact: nodeOf('artifact', artifactIds, artifactIndex, event.artifactId),
      event,
    }),
  )
  yield* together([
    ...later,
    insertMembers('Association', members(executionIds)),
    insertMembers('Attribution', members(artifactIds)),
    mustExist(
      'Artifact',
      events.flatMap(({ artifact }, index) => (eventEdges[index]!.artifactIndex === undefined ? artifact : [])),
    ),
    mustExist(
      'Execution',
      events.flatMap(({ execution }, index) => (eventEdges[index]!.executionIndex === undefined ? execution : [])),
    ),
  ])
  yield* insertEvents(events, put.now)
  return { executionIds, artifactIds, contextIds }
}

function checkEdge({ executionIndex, artifactIndex, event }: EventEdge, executions: number, artifacts: number): void {
  if (event === undefined) throw invalid('An edge needs an event.')
  checkEvent(event)
  for (const [word, index, length, id] of [
    ['execution', executionIndex, executions, event.executionId],
    ['artifact', artifactIndex, artifacts, event.artifactId],
  ] as const) {
    if (index === undefined) {
      if (id === undefined) throw invalid(`An edge needs an ${word}_index, or an event with an ${word}_id.`)
    } else if (index < 0 || index >= length)
      throw new StatusError('OUT_OF_RANGE', `${word}_index is ${index}; there are ${length} ${word}s.`)
  }
}

/** Throws `INVALID_ARGUMENT` where an event names another node than its edge. */
function nodeOf(word: string, ids: readonly number[], index: number | undefined, id: Whole | undefined): number {
  const node = index === undefined ? Number(id) : ids[index]!
  if (id !== undefined && Number(id) !== node) throw invalid(`An event names ${word} ${id}, its edge ${node}.`)
  return node
}

function* checkTypes(kind: keyof typeof kinds, nodes: readonly GivenNode[], put: PutOptions): Work<void> {
  const facts = kinds[kind]
  for (const { typeId } of nodes) if (typeId === undefined) throw invalid(`Each ${facts.word} needs a type_id.`)
  yield* typesOf(
    facts,
    nodes.map(({ typeId }) => Number(typeId)),
    put.types,
  )
}
