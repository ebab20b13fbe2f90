import type { DatabaseType } from '../sql/database.ts'
import { selectIn, type Work } from '../sql/work.ts'
import { eventsOf } from './events.ts'
import { kinds } from './kinds.ts'
import { findByFilter } from './list-nodes.ts'
import type { Event, EventType, FieldMask, LineageGraph, LineageSubgraphOptions } from './messages.ts'
import { invalid, notFound } from './status.ts'
import { allTypes } from './types.ts'

export interface LineageSubgraphRequest {
  readonly lineageSubgraphQueryOptions?: LineageSubgraphOptions
  readonly readMask?: FieldMask
}

/** Starting nodes at most, and hops at most. */
const mostStarting = 100
const mostHops = 100

/** Which end of an event is the earlier one. */
const inputs: ReadonlySet<EventType> = new Set(['DECLARED_INPUT', 'INPUT', 'INTERNAL_INPUT'])

/** What a mask may name. */
const lists: ReadonlySet<string> = new Set([
  ...['artifact_types', 'execution_types', 'context_types', 'artifacts', 'executions', 'contexts'],
  ...['events', 'attributions', 'associations', 'parent_contexts'],
])

type Side = 'artifact' | 'execution'

/** Nodes by kind. */
interface Nodes {
  readonly artifact: Set<number>
  readonly execution: Set<number>
}

/**
 * The nodes around starting ones, hop by hop over events and in the order in which they are reached, with the events between them and the contexts that they are in. Nodes
 * carry their ids only, as the real core gives them; the mask says which lists are wanted.
 *
 * Throws `INVALID_ARGUMENT` without a filter of starting nodes, for a negative number of hops and a mask of other lists, `NOT_FOUND` where nothing starts.
 */
export function* lineageSubgraph(request: LineageSubgraphRequest, dialect: DatabaseType): Work<LineageGraph> {
  const options = request.lineageSubgraphQueryOptions ?? {}
  const hops = Math.min(Number(options.maxNumHops ?? mostHops), mostHops)
  if (hops < 0) throw invalid(`max_num_hops is ${hops}; it must be 0 or more.`)
  const start: Side = options.startingExecutions === undefined ? 'artifact' : 'execution'
  const query = (options.startingExecutions ?? options.startingArtifacts)?.filterQuery
  if (!query) throw invalid('Starting artifacts or executions need a filter_query.')
  const found = yield* findByFilter(
    start === 'artifact' ? kinds.Artifact : kinds.Execution,
    query,
    mostStarting,
    dialect,
  )
  const wanted = request.readMask?.paths ?? []
  const unknown = wanted.find((path) => !lists.has(path))
  if (unknown !== undefined) throw invalid(`read_mask names "${unknown}", which is no list of a lineage graph.`)
  if (found.length === 0) throw notFound('No node is found by the filter of the starting nodes.')

  const ending = yield* endingNodes(options, dialect)
  const nodes: Nodes = { artifact: new Set(), execution: new Set() }
  for (const id of found) nodes[start].add(id)
  const events: Event[] = []
  const seen = new Set<string>()
  let side = start
  let frontier: readonly number[] = found
  for (let hop = 0; hop < hops && frontier.length > 0; hop++) {
    const other: Side = side === 'artifact' ? 'execution' : 'artifact'
    const next = new Set<number>()
    for (const event of yield* eventsOf(`${side}_id`, frontier)) {
      if (!leads(event, side, options.direction ?? 'BIDIRECTIONAL')) continue
      const reached = Number(other === 'artifact' ? event.artifactId : event.executionId)
      const ends = ending[other].nodes.has(reached)
      if (ends && !ending[other].included) continue
      const key = `${event.artifactId} ${event.executionId} ${event.type}`
      if (!seen.has(key)) {
        seen.add(key)
        events.push(event)
      }
      if (nodes[other].has(reached)) continue
      nodes[other].add(reached)
      if (!ends) next.add(reached)
    }
    frontier = [...next]
    side = other
  }
  return yield* graphOf(nodes, events, wanted)
}

/** Whether an event leads from one of its ends in a direction. */
function leads(event: Event, from: Side, direction: NonNullable<LineageSubgraphOptions['direction']>): boolean {
  if (direction === 'BIDIRECTIONAL' || direction === 'DIRECTION_UNSPECIFIED') return true
  // An input leads down from an artifact to an execution, an output from an execution to an artifact.
  const down = inputs.has(event.type!) === (from === 'artifact')
  return direction === 'DOWNSTREAM' ? down : !down
}

function* endingNodes(
  { endingArtifacts, endingExecutions }: LineageSubgraphOptions,
  dialect: DatabaseType,
): Work<{ readonly [side in Side]: { readonly nodes: ReadonlySet<number>; readonly included: boolean } }> {
  const sides: { [side in Side]: { nodes: ReadonlySet<number>; included: boolean } } = {
    artifact: { nodes: new Set(), included: endingArtifacts?.includeEndingNodes === true },
    execution: { nodes: new Set(), included: endingExecutions?.includeEndingNodes === true },
  }
  if (endingArtifacts?.filterQuery)
    sides.artifact.nodes = new Set(
      yield* findByFilter(kinds.Artifact, endingArtifacts.filterQuery, mostEnding, dialect),
    )
  if (endingExecutions?.filterQuery)
    sides.execution.nodes = new Set(
      yield* findByFilter(kinds.Execution, endingExecutions.filterQuery, mostEnding, dialect),
    )
  return sides
}

const mostEnding = 1_000_000

function* graphOf(nodes: Nodes, events: readonly Event[], paths: readonly string[]): Work<LineageGraph> {
  const wants = (...names: readonly string[]): boolean =>
    paths.length === 0 || names.some((name) => paths.includes(name))
  const attributions = wants('attributions', 'contexts')
    ? yield* selectIn<{ context_id: number; artifact_id: number }>(
        'SELECT context_id, artifact_id FROM Attribution WHERE artifact_id IN (??) ORDER BY artifact_id, context_id',
        [...nodes.artifact],
      )
    : []
  const associations = wants('associations', 'contexts')
    ? yield* selectIn<{ context_id: number; execution_id: number }>(
        'SELECT context_id, execution_id FROM Association WHERE execution_id IN (??) ORDER BY execution_id, context_id',
        [...nodes.execution],
      )
    : []
  const contexts = new Set([...attributions, ...associations].map(({ context_id }) => context_id))
  const ids = (some: Iterable<number>): readonly { readonly id: number }[] => [...some].map((id) => ({ id }))
  return {
    ...(wants('artifacts') ? { artifacts: ids(nodes.artifact) } : {}),
    ...(wants('executions') ? { executions: ids(nodes.execution) } : {}),
    ...(wants('contexts') ? { contexts: ids(contexts) } : {}),
    ...(wants('events') ? { events } : {}),
    ...(wants('attributions')
      ? { attributions: attributions.map((row) => ({ artifactId: row.artifact_id, contextId: row.context_id })) }
      : {}),
    ...(wants('associations')
      ? { associations: associations.map((row) => ({ executionId: row.execution_id, contextId: row.context_id })) }
      : {}),
    ...(wants('artifact_types') ? { artifactTypes: yield* allTypes(kinds.Artifact) } : {}),
    ...(wants('execution_types') ? { executionTypes: yield* allTypes(kinds.Execution) } : {}),
    ...(wants('context_types') ? { contextTypes: yield* allTypes(kinds.Context) } : {}),
  }
}
