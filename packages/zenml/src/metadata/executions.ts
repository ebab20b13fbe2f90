import { hexOf } from '../base/digest.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import { type ContextName, contextIds } from './contexts.ts'
import { artifactTypes, link } from './linked-artifacts.ts'
import { eventType, executionState } from './nodes.ts'
import { getProperties, insertProperties, type Properties, setProperties } from './properties.ts'
import { type RunPlace, runPlace } from './run-place.ts'
import { change, insert, select, type Work } from './sql/work.ts'
import type { ReusedStep, StepEnd, StepFacts, StepStart } from './step-facts.ts'
import { json, parse } from './stored-json.ts'
import { type TypeName, typeIds } from './types.ts'

/** Records a running execution with its inputs. */
export function* startStep(run: string, step: StepStart): Work<number> {
  const { startedAt, refused = [] } = step
  const more = { started_at: startedAt, refused: listProperty(refused) }
  const place = yield* runPlace(run)
  const [execution] = yield* insertSteps(place, executionState.running, [{ step, now: startedAt, more, outputs: {} }])
  return execution!
}

/** Records steps of a run for which earlier executions stand. */
export function* insertReused(place: RunPlace, steps: readonly ReusedStep[]): Work<void> {
  yield* insertSteps(
    place,
    executionState.cached,
    steps.map((step) => ({
      step,
      now: step.at,
      outputs: step.outputs,
      more: {
        started_at: step.at,
        ended_at: step.at,
        outcome: 'reused',
        reused_from: step.from,
        metrics: json(step.metrics),
        log: step.log ?? undefined,
        touches: listProperty(step.touches),
      },
    })),
  )
}

/** Records how an execution ended, and what it gave; once more changes nothing. */
export function* endStep(execution: number, end: StepEnd): Work<void> {
  const state = {
    executed: executionState.complete,
    failed: executionState.failed,
    canceled: executionState.canceled,
  }[end.outcome]
  const now = end.endedAt
  const update = 'UPDATE Execution SET last_known_state = ?, last_update_time_since_epoch = ? WHERE id = ?'
  const ended = yield* change(`${update} AND last_known_state = ?`, [state, now, execution, executionState.running])
  const facts = (yield* getProperties(
    'Execution',
    [execution],
    ['run', 'step', 'identity', 'outcome', 'ended_at'],
  )).get(execution)!
  if (facts['run'] === undefined) throw new Error(`there is no execution ${execution}`)
  if (ended === 0) {
    // A server that went away as it was told may have recorded it all the same.
    if (facts['outcome'] === end.outcome && facts['ended_at'] === now) return
    yield* change(update, [state, now, execution])
  }
  const properties = {
    outcome: end.outcome,
    ended_at: now,
    identity: json(end.identity),
    log: end.log ?? undefined,
    metrics: json(end.metrics),
    touches: listProperty(end.touches),
    error: end.error === null ? undefined : json(end.error),
    // A property and no event: partial results are no outputs, and nothing that looks for artifacts may meet them.
    partial: end.partial === undefined ? undefined : json(end.partial),
  }
  yield* setProperties('Execution', [[execution, properties]])
  if (Object.keys(end.outputs).length === 0) return
  const { pipeline, run } = yield* runPlace(String(facts['run']))
  const types = yield* typeIds([...contextTypes, ...artifactTypes(end.outputs, end.bases)])
  const { key } = parse(facts['identity']) as Identity
  const contexts = yield* contextIds(types, contextsOf({ pipeline, run }, String(facts['step']), key), now)
  yield* link(types, [{ execution, event: eventType.output, artifacts: end.outputs, contexts, now }])
}

interface NewStep {
  readonly step: StepFacts
  readonly now: number
  readonly more: Properties
  readonly outputs: { readonly [output: string]: StoredArtifact }
}

/** The types of the contexts that an execution is in, in the order in which a new database gets them. */
const contextTypes: readonly TypeName[] = (['pipeline', 'pipeline_run', 'node', 'execution_cache'] as const).map(
  (name) => ({ kind: 'context', name }),
)

const itemCache: TypeName = { kind: 'context', name: 'item_cache' }

function contextsOf(
  { pipeline, run }: Pick<RunPlace, 'pipeline' | 'run'>,
  step: string,
  key: Identity['key'],
  increment?: StepFacts['increment'],
): readonly ContextName[] {
  const items: readonly ContextName[] = increment === undefined ? [] : [['item_cache', hexOf(increment)]]
  return [
    ['pipeline', pipeline],
    ['pipeline_run', run],
    ['node', `${pipeline}.${step}`],
    ['execution_cache', hexOf(key)],
    ...items,
  ]
}

/** Records executions of a run in one state, as many statements for one as for many; gives their ids. */
function* insertSteps(place: RunPlace, state: number, all: readonly NewStep[]): Work<readonly number[]> {
  const known = yield* recorded(place.context, state)
  const idOf = ({ step, now }: NewStep): number | undefined => known.get(`${now} ${step.name}`)
  const steps = all.filter((step) => idOf(step) === undefined)
  if (steps.length === 0) return all.map((step) => idOf(step)!)
  const types = yield* typeIds([
    ...contextTypes,
    ...(steps.some(({ step }) => step.increment !== undefined) ? [itemCache] : []),
    ...steps.flatMap(({ step, outputs }): readonly TypeName[] => [
      { kind: 'execution', name: step.source },
      ...artifactTypes(step.inputs, step.bases),
      ...artifactTypes(outputs, step.bases),
    ]),
  ])
  const names = steps.map(({ step }) => {
    const all = contextsOf(place, step.name, step.identity.key, step.increment)
    // A context of a key has what may stand for others: what was reused would fill it, run by run, and hide the few that count.
    return state === executionState.cached ? all.filter(([type]) => type !== 'execution_cache') : all
  })
  const contextOf = yield* contextLookup(types, names.flat(), steps[0]!.now)
  const contexts = names.map((some) => some.map(contextOf))
  const ids = yield* insert({
    table: 'Execution',
    columns: ['type_id', 'last_known_state', 'create_time_since_epoch', 'last_update_time_since_epoch'],
    rows: steps.map(({ step, now }) => [types.get('execution', step.source), state, now, now]),
    ids: true,
  })
  yield* insertProperties(
    'Execution',
    steps.map(({ step, more }, index) => {
      const { name, parameters, identity } = step
      const own = { run: place.run, step: name, parameters: json(parameters), identity: json(identity) }
      return [ids[index]!, { ...own, ...more }]
    }),
  )
  yield* insert({
    table: 'Association',
    columns: ['context_id', 'execution_id'],
    rows: contexts.flatMap((some, index) => some.map((context) => [context, ids[index]!])),
  })
  yield* link(
    types,
    steps.flatMap(({ step, now, outputs }, index) => {
      const facts = { execution: ids[index]!, contexts: contexts[index]!, now }
      return [
        { ...facts, event: eventType.input, artifacts: step.inputs },
        { ...facts, event: eventType.output, artifacts: outputs },
      ]
    }),
  )
  const made = new Map(steps.map((step, index) => [step, ids[index]!]))
  return all.map((step) => idOf(step) ?? made.get(step)!)
}

/**
 * The executions of a run in a state, by start and step. A run has each step once: where one is found, a server went away as it was
 * told and recorded it all the same.
 */
function* recorded(context: number, state: number): Work<ReadonlyMap<string, number>> {
  const text = `SELECT e.id, e.create_time_since_epoch AS created, s.string_value AS step
    FROM Association a JOIN Execution e ON e.id = a.execution_id
    JOIN ExecutionProperty s ON s.execution_id = e.id AND s.name = 'step' AND s.is_custom_property = TRUE
    WHERE a.context_id = ? AND e.last_known_state = ?`
  const rows = yield* select<{ id: number; created: number; step: string }>(text, [context, state])
  return new Map(rows.map(({ id, created, step }) => [`${created} ${step}`, id]))
}

function* contextLookup(
  types: Parameters<typeof contextIds>[0],
  names: readonly ContextName[],
  now: number,
): Work<(context: ContextName) => number> {
  const key = ([type, name]: ContextName): string => `${type} ${name}`
  const wanted = new Map(names.map((context) => [key(context), context]))
  const ids = yield* contextIds(types, [...wanted.values()], now)
  const byKey = new Map([...wanted.keys()].map((name, index) => [name, ids[index]!]))
  return (context) => byKey.get(key(context))!
}

/** Most lists are empty: then there is no property. */
function listProperty(list: readonly (Touch | string)[]): string | undefined {
  return list.length === 0 ? undefined : json(list)
}
