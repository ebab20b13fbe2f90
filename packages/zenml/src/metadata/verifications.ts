import type { Verification } from '../model/verification.ts'
import { contextIds, findContext, lockContext } from './contexts.ts'
import { getProperties, setProperties } from './properties.ts'
import { insert, select, selectOne, type Work } from './sql/work.ts'
import { json, parse } from './stored-json.ts'
import { typeIds } from './types.ts'

/**
 * Keeps a verification as a context of its own below the context of the run (`ParentContext`): the record of the run itself stays as it is. False where the store does not have the run.
 */
export function* insertVerification(verification: Verification): Work<boolean> {
  const { run, at, verdict, partial } = verification
  const runContext = yield* findContext('pipeline_run', run)
  if (runContext === undefined) return false
  // Two that verify the same run at once get different numbers.
  yield* lockContext(runContext)
  const text = 'SELECT COUNT(*) AS number FROM ParentContext WHERE parent_context_id = ?'
  const { number } = (yield* selectOne<{ number: number }>(text, [runContext]))!
  const types = yield* typeIds([{ kind: 'context', name: 'verification' }])
  const [context] = yield* contextIds(types, [['verification', `${run}.${number + 1}`]], at)
  yield* insert({
    table: 'ParentContext',
    columns: ['context_id', 'parent_context_id'],
    rows: [[context!, runContext]],
    onConflict: 'ignore',
  })
  const properties = { run, verdict, verified_at: at, partial: partial ? 1 : 0, verification: json(verification) }
  yield* setProperties('Context', [[context!, properties]])
  return true
}

/** The verifications of a run, newest first. */
export function* listVerifications(runContext: number): Work<readonly Verification[]> {
  const text = `SELECT c.id FROM ParentContext p JOIN Context c ON c.id = p.context_id JOIN Type t ON t.id = c.type_id
    WHERE p.parent_context_id = ? AND t.name = 'verification' AND t.type_kind = 2 ORDER BY c.id DESC`
  const ids = (yield* select<{ id: number }>(text, [runContext])).map(({ id }) => id)
  const properties = yield* getProperties('Context', ids, ['verification'])
  return ids.map((id) => parse(properties.get(id)!['verification']) as Verification)
}
