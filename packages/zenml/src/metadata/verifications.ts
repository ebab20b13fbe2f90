import type { Database } from 'better-sqlite3'
import type { Verification } from '../model/verification.ts'
import { contextId, findContext, getProperties, setProperties, sql } from './nodes.ts'
import { json, parse } from './stored-json.ts'

/**
 * Keeps a verification as a context of its own below the context of the run (`ParentContext`): the record of the run itself stays as it is. False where the store does not have the run.
 */
export function insertVerification(database: Database, verification: Verification): boolean {
  const { run, at, verdict, partial } = verification
  const runContext = findContext(database, 'pipeline_run', run)
  if (runContext === undefined) return false
  const count = sql(database, 'SELECT count(*) FROM ParentContext WHERE parent_context_id = ?').pluck().get(runContext)
  const context = contextId(database, 'verification', `${run}.${Number(count) + 1}`, at)
  sql(database, 'INSERT INTO ParentContext (context_id, parent_context_id) VALUES (?, ?)').run(context, runContext)
  setProperties(database, 'Context', context, {
    run,
    verdict,
    verified_at: at,
    partial: partial ? 1 : 0,
    verification: json(verification),
  })
  return true
}

/** The verifications of a run, newest first. */
export function listVerifications(database: Database, runContext: number): readonly Verification[] {
  const text = `SELECT c.id FROM ParentContext p JOIN Context c ON c.id = p.context_id JOIN Type t ON t.id = c.type_id
    WHERE p.parent_context_id = ? AND t.name = 'verification' AND t.type_kind = 2 ORDER BY c.id DESC`
  const ids = sql(database, text).pluck().all(runContext) as number[]
  const properties = getProperties(database, 'Context', ids)
  return ids.map((id) => parse(properties.get(id)!['verification']) as Verification)
}
