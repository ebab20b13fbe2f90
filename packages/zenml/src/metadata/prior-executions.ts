import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import { linkedArtifacts } from './linked-artifacts.ts'
import { executionState } from './nodes.ts'
import { columnValue, type Facts, type PropertyRow } from './properties.ts'
import { type SqlValue, select, type Work } from './sql/work.ts'
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
  const { ids, properties } = yield* factsByKey(keys, options)
  const artifacts = yield* linkedArtifacts([...properties.keys()])
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

/** The ids of the newest executions in a state by key, newest first. */
export function* executionsByKey(
  keys: readonly Digest[],
  state: number,
  options: PriorOptions = {},
): Work<ReadonlyMap<Digest, readonly number[]>> {
  const found = new Map<Digest, number[]>(keys.map((key) => [key, []]))
  for (const { some, text, values } of questions([...found.keys()], state, options))
    for (const { asker, id } of yield* select<{ asker: number; id: number }>(text, values))
      found.get(some[asker]!)!.push(id)
  for (const ids of found.values()) ids.sort((a, b) => b - a)
  return found
}

/** The newest completed executions by key with what is recorded of them: by one statement, since each is a way to the server and back. */
function* factsByKey(
  keys: readonly Digest[],
  options: PriorOptions,
): Work<{ readonly ids: ReadonlyMap<Digest, readonly number[]>; readonly properties: ReadonlyMap<number, Facts> }> {
  const ids = new Map<Digest, Set<number>>(keys.map((key) => [key, new Set()]))
  const properties = new Map<number, { [name: string]: Facts[string] }>()
  for (const { some, text, values } of questions([...ids.keys()], executionState.complete, options)) {
    const withFacts = `SELECT e.asker, e.id, x.name, x.int_value, x.double_value, x.string_value FROM (${text}) e
    JOIN ExecutionProperty x ON x.execution_id = e.id AND x.is_custom_property = TRUE AND x.name IN ('run', 'identity', 'metrics', 'log', 'touches')`
    for (const row of yield* select<PropertyRow & { asker: number; id: number }>(withFacts, values)) {
      ids.get(some[row.asker]!)!.add(row.id)
      const facts = properties.get(row.id) ?? {}
      properties.set(row.id, facts)
      const value = columnValue(row)
      if (value !== null) facts[row.name] = value
    }
  }
  const newestFirst = [...ids].map(([key, some]) => [key, [...some].sort((a, b) => b - a)] as const)
  return { ids: new Map(newestFirst), properties }
}

/**
 * Statements for the ids of the newest executions by key. The context of the key is the index: its executions are gone through
 * backwards by id, and no further than the limit.
 */
function questions(
  keys: readonly Digest[],
  state: number,
  { limit = 100, before }: PriorOptions,
): { readonly some: readonly Digest[]; readonly text: string; readonly values: readonly SqlValue[] }[] {
  const part = (index: number): string => `SELECT * FROM (SELECT ${index} AS asker, a.execution_id AS id
    FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = (SELECT MIN(c.id) FROM Type t JOIN Context c ON c.type_id = t.id
      WHERE t.name = 'execution_cache' AND t.type_kind = 2 AND c.name = ?)${before === undefined ? '' : ' AND a.execution_id < ?'} AND e.last_known_state = ?
    ORDER BY a.execution_id DESC LIMIT ${limit}) q${index}`
  return Array.from({ length: Math.ceil(keys.length / mostTogether) }, (_, group) => {
    const some = keys.slice(group * mostTogether, (group + 1) * mostTogether)
    return {
      some,
      text: some.map((_key, index) => part(index)).join(' UNION ALL '),
      values: some.flatMap((key) => [hexOf(key), ...(before === undefined ? [] : [before]), state]),
    }
  })
}
