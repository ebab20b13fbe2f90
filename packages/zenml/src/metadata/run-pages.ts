import type { RunStatus } from '../model/run.ts'
import { type SqlValue, select, selectOne, type Work } from './sql/work.ts'

/** A run by the id of its context and its own. */
export interface RunName {
  readonly id: number
  readonly name: string
}

/** A run on a page. */
export interface RunOnPage extends RunName {
  /** What it is in order by; where that is its id, its id. */
  readonly value: number
  /** The context of its pipeline, where that was asked for. */
  readonly parent: number | null
}

/** What a page is in order by. Of those with equal values the id of the context decides, in the same direction. */
export type PageOrder = 'id' | 'created' | 'ended_at' | 'duration'

/** Which runs are on a page. */
export interface RunPageOptions {
  /** The type `pipeline_run`. */
  readonly type: number
  readonly limit: number
  readonly order: PageOrder
  readonly ascending: boolean
  /** The context of the pipeline. */
  readonly parent?: number | undefined
  readonly status?: RunStatus | undefined
  /** Milliseconds in which the run started: from the first, to just before the second. */
  readonly between?: readonly [since: number, until: number] | undefined
  /** The first and last value, of an order by a property, that runs can have: where they are looked for. */
  readonly within?: readonly [from: number, to: number] | undefined
  /** The run to go on behind. */
  readonly behind?: Pick<RunOnPage, 'id' | 'value'> | undefined
  readonly withParent?: boolean
}

/** From where a statement goes: along an index that has the order, or through all of a filter's few runs. */
type Lead = 'order' | Filter
type Filter = 'parent' | 'status' | 'between'

/**
 * A page of runs. A filter with few runs is gone through and sorted; where each filter lets many through, an index that has the
 * order is followed until the page is full. What is slow is then only filters that each let many through and together almost none.
 */
export function* runPage(options: RunPageOptions): Work<readonly RunOnPage[]> {
  return yield* pageFrom(options, (yield* smallestFilter(options)) ?? 'order')
}

/** How many runs are gone through rather than an index in the right order followed. */
export const few = 2_000

/** A filter that lets only a few runs through; undefined where there is none. */
export function* smallestFilter(options: RunPageOptions): Work<Filter | undefined> {
  let smallest: Filter | undefined
  let least = few + 1
  for (const [filter, text, values] of countable(options)) {
    const counted = `SELECT COUNT(*) AS number FROM (${text} LIMIT ${few + 1}) q0`
    const { number } = (yield* selectOne<{ number: number }>(counted, values))!
    if (number < least) [smallest, least] = [filter, number]
  }
  return smallest
}

function countable({ parent, status, between, order }: RunPageOptions): [Filter, string, SqlValue[]][] {
  const found: [Filter, string, SqlValue[]][] = []
  if (status !== undefined)
    found.push([
      'status',
      `SELECT s.context_id FROM ContextProperty s WHERE ${named('s')} AND ${isStatus}`,
      ['status', status],
    ])
  if (parent !== undefined)
    found.push(['parent', 'SELECT p.context_id FROM ParentContext p WHERE p.parent_context_id = ?', [parent]])
  // In order by start only the runs of that time are gone through anyway.
  if (between !== undefined && order !== 'created')
    // Counted by the start that a run records of itself: a time has ten times as many contexts as runs.
    found.push([
      'between',
      `SELECT v.context_id FROM ContextProperty v WHERE ${named('v')} AND v.double_value >= ? AND v.double_value < ?`,
      ['started_at', ...between],
    ])
  return found
}

const named = (alias: string): string => `${alias}.name = ? AND ${alias}.is_custom_property = TRUE`
const isStatus = 's.string_value = ?'
const isBetween = 'c.create_time_since_epoch >= ? AND c.create_time_since_epoch < ?'

/** A page, found from where `lead` says. */
export function* pageFrom(options: RunPageOptions, lead: Lead): Work<readonly RunOnPage[]> {
  const { type, limit, order, ascending, parent, status, between, within, behind, withParent = false } = options
  const first = { parent: 'p', status: 's', between: 'c', order: { id: 'p', created: 'c' }[order as string] ?? 'v' }[
    lead
  ]
  const conditions: string[] = []
  const values: SqlValue[] = []
  const where = (condition: string, ...bound: readonly SqlValue[]): void => {
    conditions.push(condition)
    values.push(...bound)
  }
  // A plus keeps SQLite from an index that is not the one of the lead.
  where(`${first === 'c' ? '+' : ''}c.type_id = ?`, type)
  const joined: string[] = []
  const join = (alias: string, table: string): void => {
    joined.push(`${table} ${alias}`)
    where(`${alias}.context_id = c.id`)
  }
  if (withParent || parent !== undefined || first === 'p') join('p', 'ParentContext')
  if (parent !== undefined) where(`${first === 'p' && lead === 'order' ? '+' : ''}p.parent_context_id = ?`, parent)
  if (status !== undefined) {
    join('s', 'ContextProperty')
    where(`${named('s')} AND ${lead === 'status' ? isStatus : `COALESCE(s.string_value, '') = ?`}`, 'status', status)
  }
  const id = first === 'c' || lead !== 'order' ? 'c.id' : `${first}.context_id`
  const value = { id, created: 'c.create_time_since_epoch' }[order as string] ?? 'v.double_value'
  if (value === 'v.double_value') {
    join('v', 'ContextProperty')
    where(`${named('v')} AND v.double_value IS NOT NULL`, order)
    if (within !== undefined) where('v.double_value >= ? AND v.double_value <= ?', ...within)
  }
  if (between !== undefined) where(isBetween, ...between)
  const [beyond, direction] = ascending ? ['>', 'ASC'] : ['<', 'DESC']
  if (behind !== undefined) {
    // An index is entered by its first column: both columns at once in an OR would be read from the start.
    if (order === 'id') where(`${id} ${beyond} ?`, behind.id)
    else
      where(
        `${value} ${beyond}= ? AND (${value} ${beyond} ? OR ${id} ${beyond} ?)`,
        behind.value,
        behind.value,
        behind.id,
      )
  }
  const tables = [...joined.filter((table) => table.endsWith(` ${first}`)), 'Context c']
  tables.push(...joined.filter((table) => !tables.includes(table)))
  const text = `SELECT c.id, c.name, ${value} AS value, ${withParent ? 'p.parent_context_id' : 'NULL'} AS parent
    FROM ${tables.join(' CROSS JOIN ')} WHERE ${conditions.join(' AND ')}
    ORDER BY ${order === 'id' ? '' : `${value} ${direction}, `}${id} ${direction} LIMIT ?`
  return yield* select<RunOnPage>(text, [...values, limit])
}
