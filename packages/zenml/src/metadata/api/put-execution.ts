import { together } from '../sql/together.ts'
import type { Work } from '../sql/work.ts'
import { insertMembers } from './edges.ts'
import { checkEvent, insertEvents, mustExist, type NewEvent } from './events.ts'
import { kinds } from './kinds.ts'
import type { Artifact, Context, Event, Execution } from './messages.ts'
import { readNodes } from './read-nodes.ts'
import { putArtifacts, reuseContexts } from './reuse.ts'
import { invalid, notFound } from './status.ts'
import { type Later, type PutOptions, putNodes } from './write-nodes.ts'

export interface PutExecutionRequest {
  readonly execution?: Execution
  readonly artifactEventPairs?: readonly { readonly artifact?: Artifact; readonly event?: Event }[]
  readonly contexts?: readonly Context[]
  readonly options?: {
    readonly reuseContextIfAlreadyExist?: boolean
    readonly reuseArtifactIfAlreadyExistByExternalId?: boolean
    readonly forceUpdateTime?: boolean
    readonly forceReuseContext?: boolean
  }
}

export interface PutExecutionResponse {
  readonly executionId: number
  /** One for each pair; -1 for a pair that holds nothing. */
  readonly artifactIds: readonly number[]
  readonly contextIds: readonly number[]
}

/**
 * Stores an execution with its artifacts, events and contexts in one transaction, and puts the execution and all of the artifacts
 * into all of the contexts.
 *
 * Throws what storing each of them throws, and `INVALID_ARGUMENT` where an event names other nodes than those it comes with.
 */
export function* putExecution(request: PutExecutionRequest, put: PutOptions): Work<PutExecutionResponse> {
  const { execution, artifactEventPairs: pairs = [], contexts = [], options = {} } = request
  if (execution === undefined) throw invalid('There is no execution.')
  for (const { artifact, event } of pairs) checkPair(execution, artifact, event)

  const given = pairs.flatMap(({ artifact }) => artifact ?? [])
  const reuse = options.reuseArtifactIfAlreadyExistByExternalId === true
  // Of no importance to what comes next, so it goes along with that.
  const later: Later = []
  const [{ executionId, artifactIds }, contextIds] = yield* together([
    executionWithEvents(execution, pairs, given, reuse, { ...put, later, forceUpdateTime: options.forceUpdateTime }),
    contextsOf(contexts, options, put),
  ])
  const artifacts = [...new Set(artifactIds.filter((id) => id !== -1))]
  yield* together([
    ...later.splice(0),
    insertMembers(
      'Association',
      contextIds.map((context) => ({ context, node: executionId })),
    ),
    insertMembers(
      'Attribution',
      contextIds.flatMap((context) => artifacts.map((node) => ({ context, node }))),
    ),
  ])
  return { executionId, artifactIds, contextIds }
}

type Pairs = NonNullable<PutExecutionRequest['artifactEventPairs']>

/** Stores an execution, the artifacts that its pairs hold, which are `given`, and the events between them. */
function* executionWithEvents(
  execution: Execution,
  pairs: Pairs,
  given: readonly Artifact[],
  reuse: boolean,
  put: PutOptions & { readonly later: Later },
): Work<Pick<PutExecutionResponse, 'executionId' | 'artifactIds'>> {
  const inputs = pairs.flatMap(({ artifact, event }) =>
    artifact === undefined && event !== undefined ? Number(event.artifactId ?? -1) : [],
  )
  const [stored, , [executionId]] = yield* together([
    putArtifacts(given, reuse, { ...put, forceUpdateTime: undefined }),
    mustExist('Artifact', inputs),
    putNodes(kinds.Execution, [execution], put),
  ])
  let next = 0
  const artifactIds = pairs.map(({ artifact, event }) =>
    artifact === undefined ? Number(event?.artifactId ?? -1) : stored[next++]!,
  )
  const events = pairs.flatMap(({ event }, index): NewEvent[] =>
    event === undefined ? [] : [{ artifact: artifactIds[index]!, execution: executionId!, event }],
  )
  yield* together([...put.later.splice(0), insertEvents(events, put.now, put.later)])
  return { executionId: executionId!, artifactIds }
}

function checkPair(execution: Execution, artifact: Artifact | undefined, event: Event | undefined): void {
  if (event === undefined) return
  checkEvent(event)
  if (event.executionId !== undefined && Number(event.executionId) !== Number(execution.id))
    throw invalid(`An event names execution ${event.executionId}, not the one it comes with.`)
  if (artifact === undefined) {
    if (event.artifactId === undefined) throw invalid('An event without an artifact needs an artifact_id.')
  } else if (event.artifactId !== undefined && Number(event.artifactId) !== Number(artifact.id))
    throw invalid(`An event names artifact ${event.artifactId}, not the one it comes with.`)
}

/** Stores contexts, or finds those that are there where the options say so. */
export function* contextsOf(
  contexts: readonly Context[],
  { reuseContextIfAlreadyExist = false, forceReuseContext = false }: NonNullable<PutExecutionRequest['options']>,
  put: PutOptions,
): Work<readonly number[]> {
  if (contexts.length === 0) return []
  const ids: (number | undefined)[] = contexts.map(() => undefined)
  if (forceReuseContext) {
    const named = contexts.flatMap(({ id }) => id ?? [])
    const there = new Set((yield* readNodes(kinds.Context, named)).map(({ id }) => id))
    const missing = named.find((id) => !there.has(Number(id)))
    if (missing !== undefined) throw notFound(`There is no context with the id ${missing}.`)
    for (const [index, { id }] of contexts.entries()) if (id !== undefined) ids[index] = Number(id)
  }
  if (reuseContextIfAlreadyExist) {
    // One that is named by its id is that one, and is changed as it is said.
    const unnamed = contexts.filter(({ id }) => id === undefined)
    const found = yield* reuseContexts(unnamed, put)
    for (const [index, context] of contexts.entries())
      if (context.id === undefined) ids[index] = found[unnamed.indexOf(context)]
  }
  const rest = contexts.filter((_context, index) => ids[index] === undefined)
  const stored = yield* putNodes(kinds.Context, rest, put)
  let next = 0
  return ids.map((id) => id ?? stored[next++]!)
}
