import type { JsonObject } from '../base/json.ts'
import type { Failure, Outcome, RunRecord, RunStatus } from '../model/run.ts'
import { type ContextName, contextIds, lockContext } from './contexts.ts'
import { executionState } from './nodes.ts'
import { getProperties, setProperties } from './properties.ts'
import { type RunPlace, runPlace } from './run-place.ts'
import { change, insert, select, type Work } from './sql/work.ts'
import { json, parse } from './stored-json.ts'
import { typeIds } from './types.ts'

/** Marks a process: host, process id, and something that tells it from a later one with the same id. */
export interface ProcessMark {
  readonly host: string
  readonly pid: number
  readonly started: string
}

/** A run as it starts. */
export interface RunStart
  extends Pick<RunRecord, 'id' | 'pipeline' | 'seed' | 'startedAt' | 'code' | 'spec' | 'environment'> {
  /** What its datasources are. Default none. */
  readonly sources?: RunRecord['sources']
  /** In the order of the graph. */
  readonly steps: readonly { readonly name: string; readonly source: string }[]
  readonly process: ProcessMark
  /** The run that it makes again. */
  readonly rerunOf?: string
  /** False where the run was told to reuse nothing. Default true. */
  readonly reuse?: boolean
}

/** How a run ended. */
export interface RunEnd {
  readonly status: RunStatus
  readonly endedAt: number
  readonly error: Failure | null
}

/** Records a run as running. */
export function* insertRun(run: RunStart): Work<RunPlace> {
  const types = yield* typeIds(['pipeline', 'pipeline_run', 'node'].map((name) => ({ kind: 'context' as const, name })))
  const nodes = new Set(run.steps.map(({ name }) => `${run.pipeline}.${name}`))
  const names: readonly ContextName[] = [
    ['pipeline', run.pipeline],
    ['pipeline_run', run.id],
    ...[...nodes].map((name) => ['node', name] as const),
  ]
  const [pipeline, context] = yield* contextIds(types, names, run.startedAt)
  yield* insert({
    table: 'ParentContext',
    columns: ['context_id', 'parent_context_id'],
    rows: [[context!, pipeline!]],
    onConflict: 'ignore',
  })
  const properties = {
    pipeline: run.pipeline,
    status: 'running',
    seed: run.seed,
    started_at: { double: run.startedAt },
    code: json(run.code),
    spec: json(run.spec),
    environment: json(run.environment),
    steps: json(run.steps),
    process: json(run.process),
    sources: run.sources === undefined || Object.keys(run.sources).length === 0 ? undefined : json(run.sources),
    rerun_of: run.rerunOf,
    reuse: run.reuse === false ? 0 : undefined,
  }
  yield* setProperties('Context', [[context!, properties]])
  return { run: run.id, pipeline: run.pipeline, context: context! }
}

/** Records how a run ended. */
export function* endRun({ context }: RunPlace, { status, endedAt, error }: RunEnd): Work<void> {
  // First, so that one who thinks this run lost waits, and then sees that it has ended.
  yield* change('UPDATE Context SET last_update_time_since_epoch = ? WHERE id = ?', [endedAt, context])
  const { started_at } = (yield* getProperties('Context', [context], ['started_at'])).get(context)!
  // Kept though it can be computed: only what is kept is in an index, and runs are listed by it.
  const duration = started_at === undefined ? undefined : { double: endedAt - Number(started_at) }
  const properties = {
    status,
    ended_at: { double: endedAt },
    duration,
    error: error === null ? undefined : json(error),
  }
  yield* setProperties('Context', [[context, properties]])
}

/** Records what became of steps that have no execution; earlier ones stay. */
export function* skipSteps(
  run: string,
  steps: readonly { readonly name: string; readonly outcome: Outcome }[],
): Work<void> {
  if (steps.length === 0) return
  const { context } = yield* runPlace(run)
  yield* lockContext(context)
  const facts = (yield* getProperties('Context', [context], ['skipped'])).get(context)!
  const known = parse(facts['skipped'] ?? '{}') as JsonObject
  const skipped = { ...known, ...Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome])) }
  yield* setProperties('Context', [[context, { skipped: json(skipped) }]])
}

/** Ends a run whose process is gone, and its running executions, as failed; a run that has ended by now stays as it is. */
export function* markLost(run: string, endedAt: number, failure: Failure): Work<void> {
  const place = yield* runPlace(run)
  yield* lockContext(place.context)
  const facts = (yield* getProperties('Context', [place.context], ['status'])).get(place.context)!
  if (facts['status'] !== 'running') return
  const text =
    'SELECT e.id FROM Association a JOIN Execution e ON e.id = a.execution_id WHERE a.context_id = ? AND e.last_known_state = ?'
  const rows = yield* select<{ id: number }>(text, [place.context, executionState.running])
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) {
    const update = `UPDATE Execution SET last_known_state = ?, last_update_time_since_epoch = ? WHERE id IN (${ids.map(() => '?').join(', ')})`
    yield* change(update, [executionState.failed, endedAt, ...ids])
    const properties = { outcome: 'failed', ended_at: endedAt, error: json(failure) }
    yield* setProperties(
      'Execution',
      ids.map((id) => [id, properties]),
    )
  }
  yield* endRun(place, { status: 'failed', endedAt, error: failure })
}
