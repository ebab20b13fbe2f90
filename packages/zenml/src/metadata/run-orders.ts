import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { RunStatus } from '../model/run.ts'
import { findContext } from './contexts.ts'
import { getProperties } from './properties.ts'
import {
  few,
  pageFrom,
  type RunName,
  type RunOnPage,
  type RunPageOptions,
  runPage,
  smallestFilter,
} from './run-pages.ts'
import { select, selectOne, type Work } from './sql/work.ts'
import { findTypes } from './types.ts'

/** What runs can be in order by. */
export const runSorts = ['started', 'finished', 'duration', 'pipeline', 'status'] as const
export type RunSort = (typeof runSorts)[number]

/** Where a page ends: what the next one goes on behind. */
export interface RunPosition {
  readonly run: string
  /** What the run had at that time in what the list is in order by: a status changes. Default what it has now. */
  readonly key?: string | number
}

/** Which runs are listed. */
export interface RunQuery {
  readonly pipeline?: string
  readonly status?: RunStatus
  /** Milliseconds since the epoch: only runs that started then or later. */
  readonly since?: number
  /** Milliseconds since the epoch: only runs that started before. */
  readonly until?: number
  /** Default 50. */
  readonly limit?: number
  /**
   * Default `started`. `finished` and `duration` have only runs that ended; of one pipeline or one status the runs are always newest
   * first.
   */
  readonly sort?: RunSort
  /** Default ascending for names, which `pipeline` and `status` are, and else descending: newest or longest first. */
  readonly ascending?: boolean
  /** Only runs behind this one, in the order that is asked for. */
  readonly behind?: RunPosition
}

/** A run in the order of a list. */
export interface ListedRun extends RunName {
  readonly key?: string | number
}

/** Runs in the order that is asked for. Throws `ZEN_RUN_UNKNOWN` where there is no run to go on behind. */
export function* runsInOrder(query: RunQuery): Work<readonly ListedRun[]> {
  const { pipeline, status, since, until, limit = 50, sort = 'started', behind } = query
  const type = (yield* findTypes(['pipeline_run'])).find('context', 'pipeline_run')
  const parent = pipeline === undefined ? undefined : yield* findContext('pipeline', pipeline)
  const id = behind === undefined ? undefined : yield* contextOf(behind.run)
  if (type === undefined || (pipeline !== undefined && parent === undefined)) return []
  const ranged = since !== undefined || until !== undefined
  const options: RunPageOptions = {
    ...{ type, limit, parent, status, ascending: query.ascending ?? false, order: ranged ? 'created' : 'id' },
    ...(ranged ? { between: [since ?? 0, until ?? Number.MAX_SAFE_INTEGER] as const } : {}),
  }
  const place = id === undefined ? undefined : { id, key: behind!.key }
  if (sort === 'pipeline') return yield* byPipeline(options, query.ascending ?? true, place)
  if (sort === 'status') return yield* byStatus(options, query.ascending ?? true, place)
  if (sort === 'started') return yield* runPage({ ...options, behind: yield* startOf(options, id) })
  const order = sort === 'finished' ? 'ended_at' : 'duration'
  const value = place === undefined ? undefined : Number(place.key ?? (yield* propertyOf(place.id, order)))
  // A run that has not ended is in no such list, so nothing is behind it.
  if (Number.isNaN(value)) return []
  const within = order === 'ended_at' && ranged ? yield* endsOf(since, until) : undefined
  const runs = yield* runPage({
    ...options,
    order,
    within,
    behind: value === undefined ? undefined : { id: id!, value },
  })
  return runs.map(({ id: context, name, value: key }) => ({ id: context, name, key }))
}

/** When runs ended that started in a time: no run took longer than the longest. Without that all that ended later would be gone through. */
function* endsOf(since = 0, until: number = Number.MAX_SAFE_INTEGER): Work<readonly [from: number, to: number]> {
  // The first of an order is met at once by every database; of MIN and MAX not all know that.
  const first = (direction: 'ASC' | 'DESC'): string =>
    `(SELECT v.double_value FROM ContextProperty v WHERE v.name = 'duration' AND v.is_custom_property = TRUE AND v.double_value IS NOT NULL ORDER BY v.double_value ${direction} LIMIT 1)`
  const text = `SELECT ${first('ASC')} AS shortest, ${first('DESC')} AS longest`
  const { shortest, longest } = (yield* selectOne<{ shortest: number | null; longest: number | null }>(text))!
  return [since + (shortest ?? 0), until + (longest ?? 0)]
}

interface Place {
  readonly id: number
  readonly key: string | number | undefined
}

/** Pipelines are few: their names are sorted here, the same way whatever the database thinks of names. */
function* byPipeline(
  options: RunPageOptions,
  ascending: boolean,
  place: Place | undefined,
): Work<readonly ListedRun[]> {
  const pipelines = yield* pipelineNames(options.parent)
  const sorted = [...pipelines].sort((a, b) => compareText(a.name, b.name) * (ascending ? 1 : -1))
  const from = place === undefined ? undefined : Number((yield* parentOf(place.id)) ?? -1)
  const small = yield* smallestFilter({ ...options, parent: undefined })
  if (options.parent !== undefined || small === undefined)
    return yield* grouped(
      options,
      sorted.map(({ id }) => ({ key: id, filter: { parent: id } })),
      from,
      place,
    )
  // All that the filter lets through at once, rather than a question a pipeline.
  const all = yield* pageFrom({ ...options, ascending: false, limit: few, withParent: true }, small)
  const rank = new Map(sorted.map(({ id }, index) => [id, index]))
  const rankOf = (run: { readonly parent: number | null }): number => rank.get(run.parent ?? -1) ?? -1
  // The runs of a pipeline keep their order.
  const inOrder = all.filter((run) => rankOf(run) >= 0).sort((a, b) => rankOf(a) - rankOf(b))
  const behind = yield* startOf(options, place?.id)
  const fromRank = behind === undefined ? -1 : rankOf({ parent: from! })
  const isBehind = (run: RunOnPage): boolean =>
    behind === undefined ||
    rankOf(run) > fromRank ||
    (rankOf(run) === fromRank && (run.value < behind.value || (run.value === behind.value && run.id < behind.id)))
  return inOrder
    .filter(isBehind)
    .slice(0, options.limit)
    .map(({ id, name }) => ({ id, name }))
}

const statuses: readonly RunStatus[] = ['canceled', 'complete', 'failed', 'running']

function* byStatus(options: RunPageOptions, ascending: boolean, place: Place | undefined): Work<readonly ListedRun[]> {
  const from = place === undefined ? undefined : String(place.key ?? (yield* propertyOf(place.id, 'status')))
  const sorted = (ascending ? statuses : [...statuses].reverse()).filter(
    (status) => options.status === undefined || status === options.status,
  )
  const groups = sorted.map((status) => ({ key: status, filter: { status } }))
  return yield* grouped(options, groups, from, place, true)
}

/** The runs of one group after another, each newest first, until the page is full. */
function* grouped<Key extends string | number>(
  options: RunPageOptions,
  groups: readonly { readonly key: Key; readonly filter: Partial<RunPageOptions> }[],
  from: Key | undefined,
  place: Place | undefined,
  keyed = false,
): Work<readonly ListedRun[]> {
  const found: ListedRun[] = []
  const start = from === undefined ? 0 : groups.findIndex(({ key }) => key === from)
  for (const { key, filter } of start < 0 ? [] : groups.slice(start)) {
    const own = { ...options, ...filter, ascending: false, limit: options.limit - found.length }
    const behind = key === from ? yield* startOf(own, place!.id) : undefined
    for (const { id, name } of yield* runPage({ ...own, behind })) found.push({ id, name, ...(keyed ? { key } : {}) })
    if (found.length >= options.limit) break
  }
  return found
}

function* contextOf(run: string): Work<number> {
  const id = yield* findContext('pipeline_run', run)
  if (id === undefined)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${run}.`, { next: 'See "zenml pipeline runs".' })
  return id
}

/** Where a run is among those in order by their start. */
function* startOf({ order }: RunPageOptions, id: number | undefined): Work<RunPageOptions['behind']> {
  if (id === undefined) return undefined
  if (order === 'id') return { id, value: id }
  const text = 'SELECT create_time_since_epoch AS value FROM Context WHERE id = ?'
  return { id, value: (yield* selectOne<{ value: number }>(text, [id]))!.value }
}

function* propertyOf(id: number, name: string): Work<string | number | undefined> {
  return (yield* getProperties('Context', [id], [name])).get(id)![name]
}

function* parentOf(id: number): Work<number | undefined> {
  const text = 'SELECT parent_context_id AS id FROM ParentContext WHERE context_id = ?'
  return (yield* selectOne<{ id: number }>(text, [id]))?.id
}

function* pipelineNames(only: number | undefined): Work<readonly RunName[]> {
  const type = (yield* findTypes(['pipeline'])).find('context', 'pipeline')
  if (type === undefined) return []
  const rows = yield* select<RunName>('SELECT id, name FROM Context WHERE type_id = ?', [type])
  return rows.filter(({ id }) => only === undefined || id === only)
}
