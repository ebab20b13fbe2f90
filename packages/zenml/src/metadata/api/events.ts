import { SqlError } from '../sql/database.ts'
import { insert, type SqlValue, selectIn, type Work } from '../sql/work.ts'
import { eventTypes, kinds } from './kinds.ts'
import type { Event, EventStep, Whole } from './messages.ts'
import { existing, possibleIds } from './read-nodes.ts'
import { alreadyExists, invalid } from './status.ts'
import { checkedText } from './stored-values.ts'
import type { Later } from './write-nodes.ts'

/** An event whose nodes are known to be there. */
export interface NewEvent {
  readonly artifact: number
  readonly execution: number
  readonly event: Event
}

/** Checks what an event says by itself. Throws `INVALID_ARGUMENT` without a type. */
export function checkEvent(event: Event): void {
  if (event.type === undefined || event.type === 'UNKNOWN') throw invalid('An event needs a type.')
}

/**
 * Stores events between artifacts and executions that exist.
 *
 * Throws `INVALID_ARGUMENT` for a missing or unknown node and a missing type, `ALREADY_EXISTS` where the two have an event of this type.
 */
export function* putEvents(events: readonly Event[], now: number): Work<void> {
  const wanted = events.map((event): NewEvent => {
    if (event.artifactId === undefined) throw invalid('An event needs an artifact_id.')
    if (event.executionId === undefined) throw invalid('An event needs an execution_id.')
    checkEvent(event)
    return { artifact: Number(event.artifactId), execution: Number(event.executionId), event }
  })
  yield* mustExist(
    'Artifact',
    wanted.map(({ artifact }) => artifact),
  )
  yield* mustExist(
    'Execution',
    wanted.map(({ execution }) => execution),
  )
  yield* insertEvents(wanted, now)
}

/** Throws `INVALID_ARGUMENT` where a node is missing. */
export function* mustExist(kind: keyof typeof kinds, ids: readonly number[]): Work<void> {
  if (ids.length === 0) return
  const facts = kinds[kind]
  const there = yield* existing(facts, ids)
  const missing = ids.find((id) => !there.has(id))
  if (missing !== undefined) throw invalid(`There is no ${facts.word} with the id ${missing}.`)
}

/** Stores events whose nodes are there, their paths `later` where that is given. Throws `ALREADY_EXISTS` as `putEvents` does. */
export function* insertEvents(events: readonly NewEvent[], now: number, later?: Later): Work<void> {
  let ids: readonly number[]
  try {
    ids = yield* insert({
      table: 'Event',
      columns: ['artifact_id', 'execution_id', 'type', 'milliseconds_since_epoch'],
      rows: events.map(({ artifact, execution, event }) => [
        artifact,
        execution,
        eventTypes.indexOf(event.type!),
        event.millisecondsSinceEpoch ?? now,
      ]),
      ids: true,
    })
  } catch (error) {
    if (error instanceof SqlError && error.kind === 'unique')
      throw alreadyExists('The artifact and the execution have an event of this type.', error)
    throw error
  }
  const paths = insertPaths(events, ids)
  if (later === undefined) yield* paths
  else later.push(paths)
}

function* insertPaths(events: readonly NewEvent[], ids: readonly number[]): Work<void> {
  // The order of the rows is the order of the path: the table has no column for it.
  yield* insert({
    table: 'EventPath',
    columns: ['event_id', 'is_index_step', 'step_index', 'step_key'],
    rows: events.flatMap(({ event }, index) =>
      (event.path?.steps ?? []).map((step): SqlValue[] => {
        if ((step.index === undefined) === (step.key === undefined))
          throw invalid('A step of a path has either an index or a key.')
        return step.index === undefined
          ? [ids[index]!, false, null, checkedText('A step of the path', step.key!)]
          : [ids[index]!, true, step.index, null]
      }),
    ),
  })
}

interface EventRow {
  readonly id: number
  readonly artifact_id: number
  readonly execution_id: number
  readonly type: number
  readonly milliseconds_since_epoch: Whole | null
}

/** The events of artifacts or of executions, by node and then in the order in which they were stored. */
export function* eventsOf(key: 'artifact_id' | 'execution_id', ids: readonly Whole[]): Work<readonly Event[]> {
  if (ids.length === 0) return []
  const rows = yield* exactly<EventRow>(
    `SELECT id, artifact_id, execution_id, type, milliseconds_since_epoch FROM Event WHERE ${key} IN (??) ORDER BY ${key}, id`,
    possibleIds(ids),
  )
  return yield* withPaths(rows)
}

/** Rows of a query about ids, which is asked again where numbers came that were not exact: asking for those at once costs time. */
function* exactly<R extends object>(text: string, ids: readonly number[]): Work<readonly R[]> {
  const rows = yield* selectIn<R>(text, ids)
  const rough = (value: unknown): boolean => typeof value === 'number' && !Number.isSafeInteger(value)
  if (!rows.some((row) => Object.values(row).some(rough))) return rows
  return yield* selectIn<R>(text, ids, { wide: true })
}

function* withPaths(rows: readonly EventRow[]): Work<readonly Event[]> {
  const steps = yield* exactly<{
    readonly event_id: number
    readonly is_index_step: number
    readonly step_index: Whole | null
    readonly step_key: string | null
  }>(
    'SELECT event_id, is_index_step, step_index, step_key FROM EventPath WHERE event_id IN (??)',
    rows.map(({ id }) => id),
  )
  const paths = new Map<number, EventStep[]>()
  for (const { event_id, is_index_step, step_index, step_key } of steps) {
    const step = is_index_step === 0 ? { key: step_key ?? '' } : { index: step_index ?? 0 }
    const path = paths.get(event_id)
    if (path === undefined) paths.set(event_id, [step])
    else path.push(step)
  }
  return rows.map((row): Event => {
    const path = paths.get(row.id)
    return {
      artifactId: row.artifact_id,
      executionId: row.execution_id,
      type: eventTypes[row.type] ?? 'UNKNOWN',
      ...(row.milliseconds_since_epoch === null ? {} : { millisecondsSinceEpoch: row.milliseconds_since_epoch }),
      ...(path === undefined ? {} : { path: { steps: path } }),
    }
  })
}
