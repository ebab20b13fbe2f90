import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import { linkedArtifacts } from './linked-artifacts.ts'
import { executionState } from './nodes.ts'
import { getProperties } from './properties.ts'
import { select, type Work } from './sql/work.ts'
import type { PriorExecution } from './step-facts.ts'
import { parse } from './stored-json.ts'

/** Which executions with a key are read. */
export interface PriorOptions {
  /** How many of a key at the most; default 100. A step that is never reused has one for each run. */
  readonly limit?: number
  /** Only executions older than this one. */
  readonly before?: number
}

/** The newest completed executions by key, newest first. */
export function* findByKeys(
  keys: readonly Digest[],
  options: PriorOptions = {},
): Work<ReadonlyMap<Digest, readonly PriorExecution[]>> {
  const ids = yield* executionsByKey(keys, executionState.complete, options)
  const all = [...ids.values()].flat()
  const properties = yield* getProperties('Execution', all, ['run', 'identity', 'metrics', 'log', 'touches'])
  const artifacts = yield* linkedArtifacts(all)
  const prior = (execution: number): PriorExecution => {
    const facts = properties.get(execution)!
    return {
      execution,
      run: String(facts['run']),
      identity: parse(facts['identity']) as Identity,
      outputs: artifacts.get(execution)!.outputs,
      metrics: parse(facts['metrics'] ?? '{}') as JsonObject,
      log: (facts['log'] ?? null) as Digest | null,
      touches: parse(facts['touches'] ?? '[]') as Touch[],
    }
  }
  return new Map([...ids].map(([key, some]) => [key, some.map(prior)]))
}

/** So many keys are asked for by one statement: databases limit how many parts one may have. */
const mostTogether = 64

/**
 * The ids of the newest executions in a state by key, newest first. The context of the key is the index: its executions are gone
 * through backwards by id, and no further than the limit.
 */
export function* executionsByKey(
  keys: readonly Digest[],
  state: number,
  { limit = 100, before }: PriorOptions = {},
): Work<ReadonlyMap<Digest, readonly number[]>> {
  const found = new Map<Digest, number[]>(keys.map((key) => [key, []]))
  const asked = [...found.keys()]
  for (let from = 0; from < asked.length; from += mostTogether) {
    const some = asked.slice(from, from + mostTogether)
    const parts = some.map(
      (_one, index) => `SELECT * FROM (SELECT ${index} AS asker, a.execution_id AS id
    FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = (SELECT MIN(c.id) FROM Type t JOIN Context c ON c.type_id = t.id
      WHERE t.name = 'execution_cache' AND t.type_kind = 2 AND c.name = ?)${before === undefined ? '' : ' AND a.execution_id < ?'} AND e.last_known_state = ?
    ORDER BY a.execution_id DESC LIMIT ${limit}) q${index}`,
    )
    const values = some.flatMap((key) => [hexOf(key), ...(before === undefined ? [] : [before]), state])
    for (const { asker, id } of yield* select<{ asker: number; id: number }>(parts.join(' UNION ALL '), values))
      found.get(some[asker]!)!.push(id)
  }
  for (const ids of found.values()) ids.sort((a, b) => b - a)
  return found
}
