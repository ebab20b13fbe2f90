import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import { linkedArtifacts } from './linked-artifacts.ts'
import { executionState } from './nodes.ts'
import { getProperties } from './properties.ts'
import { select, selectIn, type Work } from './sql/work.ts'
import type { PriorExecution } from './step-facts.ts'
import { parse } from './stored-json.ts'

/** Completed executions by key, newest first. */
export function* findByKeys(keys: readonly Digest[]): Work<ReadonlyMap<Digest, readonly PriorExecution[]>> {
  const ids = yield* executionsByKey(keys, executionState.complete)
  const priors = yield* priorExecutions([...ids.values()].flat())
  return new Map([...ids].map(([key, some]) => [key, some.map((id) => priors.get(id)!)]))
}

/** The newest completed executions that differ in nothing but their items, at most `limit`, newest first. */
export function* findByIncrement(increment: Digest, limit: number): Work<readonly PriorExecution[]> {
  const text = `SELECT e.id FROM Type t JOIN Context c ON c.type_id = t.id
    JOIN Association a ON a.context_id = c.id JOIN Execution e ON e.id = a.execution_id
    WHERE t.name = 'item_cache' AND t.type_kind = 2 AND c.name = ? AND e.last_known_state = ?
    ORDER BY e.id DESC LIMIT ?`
  const found = yield* select<{ id: number }>(text, [hexOf(increment), executionState.complete, limit])
  const priors = yield* priorExecutions(found.map(({ id }) => id))
  return found.map(({ id }) => priors.get(id)!)
}

function* priorExecutions(ids: readonly number[]): Work<ReadonlyMap<number, PriorExecution>> {
  if (ids.length === 0) return new Map()
  const properties = yield* getProperties('Execution', ids, ['run', 'identity', 'metrics', 'log', 'touches'])
  const artifacts = yield* linkedArtifacts(ids)
  return new Map(
    ids.map((execution) => {
      const facts = properties.get(execution)!
      const prior: PriorExecution = {
        execution,
        run: String(facts['run']),
        identity: parse(facts['identity']) as Identity,
        outputs: artifacts.get(execution)!.outputs,
        metrics: parse(facts['metrics'] ?? '{}') as JsonObject,
        log: (facts['log'] ?? null) as Digest | null,
        touches: parse(facts['touches'] ?? '[]') as Touch[],
      }
      return [execution, prior]
    }),
  )
}

/** The ids of executions in a state by key, newest first. The context of the key is the index. */
export function* executionsByKey(keys: readonly Digest[], state: number): Work<ReadonlyMap<Digest, readonly number[]>> {
  const text = `SELECT c.name, e.id FROM Type t JOIN Context c ON c.type_id = t.id
    JOIN Association a ON a.context_id = c.id JOIN Execution e ON e.id = a.execution_id
    WHERE t.name = 'execution_cache' AND t.type_kind = 2 AND c.name IN (??) AND e.last_known_state = ?`
  const found = new Map<Digest, number[]>(keys.map((key) => [key, []]))
  const asked = new Map([...found.keys()].map((key) => [hexOf(key), key]))
  for (const { name, id } of yield* selectIn<{ name: string; id: number }>(text, [...asked.keys()], {
    after: [state],
  })) {
    const key = asked.get(name)
    if (key !== undefined) found.get(key)!.push(id)
  }
  for (const ids of found.values()) ids.sort((a, b) => b - a)
  return found
}
