import type { RunStatus } from '../model/run.ts'
import { type SqlValue, select, type Work } from './sql/work.ts'
import { findTypes } from './types.ts'

/** A run by the id of its context and its own. */
export interface RunName {
  readonly id: number
  readonly name: string
}

/** Which runs are on a page. */
export interface RunListOptions {
  readonly limit: number
  /** The context of the pipeline. */
  readonly parent?: number
  readonly status?: RunStatus
  readonly sort?: 'newest' | 'oldest'
  /** The context of the run to go on behind. */
  readonly behind?: number
}

/**
 * A page of runs in the order of their contexts. Every run has its row in `ParentContext`, whose key is in just this order: it is
 * gone through from where the page begins and holds nothing else but verifications. Runs with a status are looked for in that way
 * as far as a window goes, which fills a page where the status is common; where it is rare, the index of the status has few rows.
 */
export function* runPage(options: RunListOptions): Work<readonly RunName[]> {
  const type = (yield* findTypes(['pipeline_run'])).find('context', 'pipeline_run')
  if (type === undefined) return []
  if (options.status === undefined) return yield* walk(type, options)
  const near = yield* walk(type, options)
  return near.length === options.limit ? near : yield* byStatus(type, { ...options, status: options.status })
}

/** How many ids of contexts are gone through before the index of a status is asked. */
const window = 20_000

function* walk(
  type: number,
  { limit, parent, status, behind, sort = 'newest' }: RunListOptions,
): Work<readonly RunName[]> {
  const [after, direction, edge, sign] = sort === 'newest' ? ['<', 'DESC', 'MAX', '-'] : ['>', 'ASC', 'MIN', '+']
  const conditions: string[] = []
  const values: SqlValue[] = [type]
  if (parent !== undefined) {
    // The plus keeps SQLite from the other index, which is not in this order.
    conditions.push('+p.parent_context_id = ?')
    values.push(parent)
  }
  if (behind !== undefined) {
    conditions.push(`p.context_id ${after} ?`)
    values.push(behind)
  }
  if (status !== undefined) {
    const within = after === '<' ? '>=' : '<='
    if (behind === undefined)
      conditions.push(`p.context_id ${within} (SELECT ${edge}(w.context_id) FROM ParentContext w) ${sign} ${window}`)
    else {
      conditions.push(`p.context_id ${within} ?`)
      values.push(sign === '-' ? behind - window : behind + window)
    }
    conditions.push(
      "s.context_id = p.context_id AND s.name = 'status' AND s.is_custom_property = TRUE AND COALESCE(s.string_value, '') = ?",
    )
    values.push(status)
  }
  const text = `SELECT c.id, c.name FROM ParentContext p CROSS JOIN Context c${status === undefined ? '' : ' CROSS JOIN ContextProperty s'}
    WHERE c.id = p.context_id AND c.type_id = ?${conditions.map((condition) => ` AND ${condition}`).join('')}
    ORDER BY p.context_id ${direction} LIMIT ?`
  return yield* select<RunName>(text, [...values, limit])
}

function* byStatus(
  type: number,
  { limit, parent, status, behind, sort = 'newest' }: RunListOptions & { readonly status: RunStatus },
): Work<readonly RunName[]> {
  const values: SqlValue[] = [status, type]
  const conditions: string[] = []
  if (parent !== undefined) {
    conditions.push('p.parent_context_id = ?')
    values.push(parent)
  }
  if (behind !== undefined) {
    conditions.push(`s.context_id ${sort === 'newest' ? '<' : '>'} ?`)
    values.push(behind)
  }
  const text = `SELECT c.id, c.name FROM ContextProperty s CROSS JOIN Context c${parent === undefined ? '' : ' CROSS JOIN ParentContext p'}
    WHERE s.name = 'status' AND s.is_custom_property = TRUE AND s.string_value = ? AND c.id = s.context_id AND c.type_id = ?${
      parent === undefined ? '' : ' AND p.context_id = s.context_id'
    }${conditions.map((condition) => ` AND ${condition}`).join('')}
    ORDER BY c.id ${sort === 'newest' ? 'DESC' : 'ASC'} LIMIT ?`
  return yield* select<RunName>(text, [...values, limit])
}
