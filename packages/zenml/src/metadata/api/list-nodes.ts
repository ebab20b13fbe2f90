import { compileFilter } from '../filter/compile.ts'
import type { DatabaseType } from '../sql/database.ts'
import { type SqlValue, select, type Work } from '../sql/work.ts'
import type { KindFacts } from './kinds.ts'
import { type Page, pageOf, tokenBehind } from './list-options.ts'
import type { ListOptions } from './messages.ts'
import { readNodes, type StoredNode } from './read-nodes.ts'

/** Which nodes are listed beside what the options say. */
export interface Selection {
  /** The id of their type. */
  readonly type?: number
  /** The context that they are in. */
  readonly context?: number
}

export interface Listed {
  readonly nodes: readonly StoredNode[]
  /** Absent behind the last page. */
  readonly nextPageToken?: string
}

const orderColumns = {
  ID: 'id',
  CREATE_TIME: 'create_time_since_epoch',
  LAST_UPDATE_TIME: 'last_update_time_since_epoch',
} as const

const everything: Page = { size: Number.POSITIVE_INFINITY, field: 'ID', ascending: true, after: undefined }

/**
 * One page of nodes, or all of them where there are no options. Pages are told apart by the value of the order and the id of the last node, so that none is left out or comes
 * twice when many have one time. Throws `INVALID_ARGUMENT` for options and filters that are none.
 */
export function* listNodes(
  facts: KindFacts,
  options: ListOptions | undefined,
  { type, context }: Selection,
  dialect: DatabaseType,
): Work<Listed> {
  const page: Page = options === undefined ? everything : pageOf(options)
  const filter = options?.filterQuery ? compileFilter(facts.kind, options.filterQuery, dialect) : undefined
  const column = orderColumns[page.field as keyof typeof orderColumns]
  const conditions: string[] = []
  const values: SqlValue[] = [...(filter?.values ?? [])]
  if (filter !== undefined) conditions.push(`(${filter.where})`)
  if (type !== undefined) {
    conditions.push('n.type_id = ?')
    values.push(type)
  }
  if (context !== undefined) {
    const [table, key] = facts.kind === 'Artifact' ? ['Attribution', 'artifact_id'] : ['Association', 'execution_id']
    conditions.push(`n.id IN (SELECT m.${key} FROM ${table} m WHERE m.context_id = ?)`)
    values.push(context)
  }
  const [than, order] = page.ascending ? ['>', 'ASC'] : ['<', 'DESC']
  if (page.after !== undefined) {
    if (column === 'id') {
      conditions.push(`n.id ${than} ?`)
      values.push(page.after.id)
    } else {
      conditions.push(`(n.${column} ${than} ? OR (n.${column} = ? AND n.id ${than} ?))`)
      values.push(page.after.value, page.after.value, page.after.id)
    }
  }
  const rows = yield* select<{ id: number; value: number }>(
    `SELECT ${filter?.joins ? 'DISTINCT ' : ''}n.id, n.${column} AS value FROM ${facts.table} n ${filter?.joins ?? ''} ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} ORDER BY n.${column} ${order}, n.id ${order} ${options === undefined ? '' : `LIMIT ${page.size + 1}`}`,
    values,
  )
  const shown = rows.slice(0, page.size)
  const nodes = yield* readNodes(
    facts,
    shown.map(({ id }) => id),
  )
  return options === undefined || rows.length <= page.size
    ? { nodes }
    : { nodes, nextPageToken: tokenBehind(options, page, shown) }
}

/** The ids of all nodes that a filter finds, `limit` at most, in the order of their ids. */
export function* findByFilter(
  facts: KindFacts,
  query: string,
  limit: number,
  dialect: DatabaseType,
): Work<readonly number[]> {
  const filter = compileFilter(facts.kind, query, dialect)
  const rows = yield* select<{ id: number }>(
    `SELECT DISTINCT n.id FROM ${facts.table} n ${filter.joins} WHERE ${filter.where} ORDER BY n.id LIMIT ${limit}`,
    filter.values,
  )
  return rows.map(({ id }) => id)
}
