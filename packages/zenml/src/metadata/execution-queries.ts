import type { Digest } from '../base/digest.ts'
import { findContexts } from './contexts.ts'
import { executionState } from './nodes.ts'
import { executionsByKey } from './prior-executions.ts'
import { getProperties } from './properties.ts'
import { select, type Work } from './sql/work.ts'

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

/** So many questions are asked by one statement: databases limit how many parts one may have. */
const mostTogether = 64

/**
 * The nearest executions of steps that gave outputs. The context `PIPELINE.STEP` is the index: its executions are gone through
 * backwards by id, and nothing else is looked at.
 */
export function* findEarlier(questions: readonly EarlierQuestion[]): Work<readonly (ExecutionPlace | undefined)[]> {
  const contexts = yield* findContexts(questions.map(({ pipeline, step }) => ['node', `${pipeline}.${step}`] as const))
  const asked = questions.flatMap(({ before }, place) => {
    const context = contexts[place]
    return context === undefined ? [] : [{ place, context, before }]
  })
  const found = new Map<number, number>()
  for (let from = 0; from < asked.length; from += mostTogether) {
    const some = asked.slice(from, from + mostTogether)
    const text = some.map(({ before }, index) => `SELECT * FROM (${earlier(index, before)}) q${index}`)
    const values = some.flatMap(({ context, before }) => (before === undefined ? [context] : [context, before]))
    for (const { asker, id } of yield* select<{ asker: number; id: number }>(text.join(' UNION ALL '), values))
      found.set(some[asker]!.place, id)
  }
  const places = yield* findExecutions([...found.values()])
  return questions.map((_question, place) => places.get(found.get(place) ?? -1))
}

function earlier(asker: number, before: number | undefined): string {
  return `SELECT ${asker} AS asker, a.execution_id AS id FROM Association a JOIN Execution e ON e.id = a.execution_id
    WHERE a.context_id = ?${before === undefined ? '' : ' AND a.execution_id < ?'} AND e.last_known_state IN (${executionState.complete}, ${executionState.cached})
    ORDER BY a.execution_id DESC LIMIT 1`
}

/** The places of executions by id; unknown ids are left out. */
export function* findExecutions(ids: readonly number[]): Work<ReadonlyMap<number, ExecutionPlace>> {
  const found = new Map<number, ExecutionPlace>()
  for (const [execution, facts] of yield* getProperties('Execution', ids, ['run', 'step'])) {
    if (facts['run'] !== undefined)
      found.set(execution, { execution, run: String(facts['run']), step: String(facts['step']) })
  }
  return found
}

/** Executions with a key that failed, newest first. */
export function* findFailed(keys: readonly Digest[]): Work<ReadonlyMap<Digest, readonly ExecutionPlace[]>> {
  const ids = yield* executionsByKey(keys, executionState.failed)
  const places = yield* findExecutions([...ids.values()].flat())
  return new Map([...ids].map(([key, some]) => [key, some.flatMap((id) => places.get(id) ?? [])]))
}
