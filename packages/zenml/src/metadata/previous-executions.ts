import { type Digest, hexOf } from '../base/digest.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import { linkedArtifacts } from './linked-artifacts.ts'
import { executionState } from './nodes.ts'
import { type Facts, getProperties } from './properties.ts'
import { select, type Work } from './sql/work.ts'
import type { PartialResults, PreviousExecution } from './step-facts.ts'
import { parse } from './stored-json.ts'

/**
 * The newest executions of an `item_cache` context from which results of items may be taken over, newest first: those that completed,
 * and of the others those that kept what they had made.
 */
export function* findPrevious(increment: Digest, limit: number): Work<readonly PreviousExecution[]> {
  const text = `SELECT e.id, e.last_known_state AS state FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = (SELECT MIN(c.id) FROM Type t JOIN Context c ON c.type_id = t.id
      WHERE t.name = 'item_cache' AND t.type_kind = 2 AND c.name = ?)
    AND (e.last_known_state = ${executionState.complete}
      OR (e.last_known_state IN (${executionState.failed}, ${executionState.canceled}) AND EXISTS (SELECT 1 FROM ExecutionProperty x
        WHERE x.execution_id = e.id AND x.name = 'partial' AND x.is_custom_property = TRUE)))
    ORDER BY a.execution_id DESC LIMIT ?`
  const rows = yield* select<{ id: number; state: number }>(text, [hexOf(increment), limit])
  const ids = rows.map(({ id }) => id)
  const properties = yield* getProperties('Execution', ids, ['run', 'identity', 'touches', 'partial'])
  const complete = rows.filter(({ state }) => state === executionState.complete).map(({ id }) => id)
  const linked = yield* linkedArtifacts(complete)
  return ids.map((execution): PreviousExecution => {
    const facts = properties.get(execution)!
    const outputs = linked.get(execution)?.outputs
    const place = { execution, run: String(facts['run']), complete: outputs !== undefined }
    return outputs === undefined
      ? { ...place, ...(parse(facts['partial']) as PartialResults) }
      : { ...place, outputs, ...madeFrom(facts) }
  })
}

function madeFrom(facts: Facts): Pick<PreviousExecution, 'observed' | 'touches'> {
  return {
    observed: (parse(facts['identity']) as Identity).fingerprint.observed,
    touches: parse(facts['touches'] ?? '[]') as Touch[],
  }
}
