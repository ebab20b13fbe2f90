import type { Database } from 'better-sqlite3'
import { type Digest, hexOf } from '../base/digest.ts'
import { executionState, findContext, getProperties, sql } from './nodes.ts'

/** An execution by its place: which run and step it belongs to. */
export interface ExecutionPlace {
  readonly execution: number
  readonly run: string
  readonly step: string
}

/** Which step, and before which execution; without that the newest of all. */
export interface EarlierQuestion {
  readonly pipeline: string
  readonly step: string
  readonly before?: number
}

/**
 * The nearest execution of a step that gave outputs. The context `PIPELINE.STEP` is the index: its executions are gone through
 * backwards by id, and nothing else is looked at.
 */
export function findEarlier(
  database: Database,
  { pipeline, step, before }: EarlierQuestion,
): ExecutionPlace | undefined {
  const context = findContext(database, 'node', `${pipeline}.${step}`)
  if (context === undefined) return undefined
  const text = `SELECT e.id FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = ? AND a.execution_id < ? AND e.last_known_state IN (${executionState.complete}, ${executionState.cached})
    ORDER BY a.execution_id DESC LIMIT 1`
  const id = sql(database, text)
    .pluck()
    .get(context, before ?? Number.MAX_SAFE_INTEGER) as number | undefined
  return id === undefined ? undefined : findExecutions(database, [id]).get(id)
}

/** The places of executions by id; unknown ids are left out. */
export function findExecutions(database: Database, ids: readonly number[]): ReadonlyMap<number, ExecutionPlace> {
  const found = new Map<number, ExecutionPlace>()
  for (const [execution, facts] of getProperties(database, 'Execution', ids)) {
    if (facts['run'] !== undefined)
      found.set(execution, { execution, run: String(facts['run']), step: String(facts['step']) })
  }
  return found
}

/** Executions with a key that failed, newest first. */
export function findFailed(
  database: Database,
  keys: readonly Digest[],
): ReadonlyMap<Digest, readonly ExecutionPlace[]> {
  const text = `SELECT a.execution_id FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = ? AND e.last_known_state = ${executionState.failed} ORDER BY a.execution_id DESC`
  const found = new Map<Digest, readonly ExecutionPlace[]>()
  for (const key of new Set(keys)) {
    const context = findContext(database, 'execution_cache', hexOf(key))
    const ids = context === undefined ? [] : (sql(database, text).pluck().all(context) as number[])
    const places = findExecutions(database, ids)
    found.set(
      key,
      ids.flatMap((id) => places.get(id) ?? []),
    )
  }
  return found
}
