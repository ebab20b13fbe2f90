import type { Database } from 'better-sqlite3'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { CodePin, Failure, Outcome, RunRecord, RunStatus } from '../model/run.ts'
import {
  contextId,
  executionState,
  findContext,
  getProperties,
  type PropertyValue,
  setExecutionState,
  setProperties,
  sql,
} from './nodes.ts'
import { json, numberOrNull, parse } from './stored-json.ts'

/** Marks a process: host, process id, and something that tells it from a later one with the same id. */
export interface ProcessMark {
  readonly host: string
  readonly pid: number
  readonly started: string
}

/** A run as it starts. */
export interface RunStart
  extends Pick<RunRecord, 'id' | 'pipeline' | 'seed' | 'startedAt' | 'code' | 'spec' | 'environment'> {
  /** In the order of the graph. */
  readonly steps: readonly { readonly name: string; readonly source: string }[]
  readonly process: ProcessMark
  /** The run that it makes again. */
  readonly rerunOf?: string
  /** False where the run was told to reuse nothing. Default true. */
  readonly reuse?: boolean
}

/** A run in a list. */
export interface RunSummary
  extends Pick<RunRecord, 'id' | 'pipeline' | 'status' | 'seed' | 'startedAt' | 'endedAt'>,
    Pick<CodePin, 'commit' | 'tree' | 'dirty'> {}

/** A pipeline as its runs tell of it. */
export interface PipelineSummary {
  readonly name: string
  readonly runs: number
  readonly lastRun: string
  readonly lastStatus: RunStatus
  readonly lastStartedAt: number
}

/** Which runs are listed. */
export interface RunQuery {
  readonly pipeline?: string
  readonly status?: RunStatus
  /** Default 50. */
  readonly limit?: number
  /** The id of the run to go on behind. */
  readonly before?: string
}

/** Records a run as running. */
export function insertRun(database: Database, run: RunStart): void {
  const pipeline = contextId(database, 'pipeline', run.pipeline, run.startedAt)
  const context = contextId(database, 'pipeline_run', run.id, run.startedAt)
  sql(database, 'INSERT OR IGNORE INTO ParentContext (context_id, parent_context_id) VALUES (?, ?)').run(
    context,
    pipeline,
  )
  for (const { name } of run.steps) contextId(database, 'node', `${run.pipeline}.${name}`, run.startedAt)
  setProperties(database, 'Context', context, {
    pipeline: run.pipeline,
    status: 'running',
    seed: run.seed,
    started_at: run.startedAt,
    code: json(run.code),
    spec: json(run.spec),
    environment: json(run.environment),
    steps: json(run.steps),
    process: json(run.process),
    rerun_of: run.rerunOf,
    reuse: run.reuse === false ? 0 : undefined,
  })
}

/** Records how a run ended. */
export function endRun(
  database: Database,
  run: string,
  { status, endedAt, error }: { status: RunStatus; endedAt: number; error: Failure | null },
): void {
  const context = runContext(database, run)
  setProperties(database, 'Context', context, {
    status,
    ended_at: endedAt,
    error: error === null ? undefined : json(error),
  })
  sql(database, 'UPDATE Context SET last_update_time_since_epoch = ? WHERE id = ?').run(endedAt, context)
}

/** Records what became of steps that have no execution; earlier ones stay. */
export function skipSteps(
  database: Database,
  run: string,
  steps: readonly { readonly name: string; readonly outcome: Outcome }[],
): void {
  if (steps.length === 0) return
  const context = runContext(database, run)
  const known = parse(getProperties(database, 'Context', [context]).get(context)!['skipped'] ?? '{}') as JsonObject
  const skipped = { ...known, ...Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome])) }
  setProperties(database, 'Context', context, { skipped: json(skipped) })
}

/** Ends a run whose process is gone, and its running executions, as failed; a run that has ended by now stays as it is. */
export function markLost(database: Database, run: string, endedAt: number, failure: Failure): void {
  const context = runContext(database, run)
  if (getProperties(database, 'Context', [context]).get(context)!['status'] !== 'running') return
  const text =
    'SELECT e.id FROM Execution e JOIN Association a ON a.execution_id = e.id WHERE a.context_id = ? AND e.last_known_state = ?'
  for (const id of sql(database, text).pluck().all(context, executionState.running) as number[]) {
    setExecutionState(database, id, executionState.failed, endedAt)
    setProperties(database, 'Execution', id, { outcome: 'failed', ended_at: endedAt, error: json(failure) })
  }
  endRun(database, run, { status: 'failed', endedAt, error: failure })
}

/** The context of a run. */
export function runContext(database: Database, run: string): number {
  const context = findContext(database, 'pipeline_run', run)
  if (context === undefined)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${run}.`, { next: 'See "zenml pipeline runs".' })
  return context
}

/** The id of a run by a unique prefix or `@latest`. */
export function resolveRun(database: Database, prefix: string): string {
  if (prefix === '@latest') {
    const [newest] = runIds(database, '', [], 1)
    if (newest === undefined)
      throw new ZenmlError('ZEN_RUN_UNKNOWN', 'Nothing has run yet.', { next: 'Start with "zenml pipeline run FILE".' })
    return newest.name
  }
  const found = /^[0-9a-f]+$/.test(prefix)
    ? runIds(database, 'AND c.name >= ? AND c.name < ?', [prefix, `${prefix}g`], 3).map(({ name }) => name)
    : []
  if (found.length === 0)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `No run's id starts with "${prefix}".`, {
      next: 'See "zenml pipeline runs".',
    })
  if (found.length > 1 && !found.includes(prefix))
    throw new ZenmlError('ZEN_RUN_AMBIGUOUS', `Several runs' ids start with "${prefix}": ${found.join(', ')} …`, {
      next: 'Give more digits.',
    })
  return found.includes(prefix) ? prefix : found[0]!
}

/** Runs, newest first. */
export function listRuns(
  database: Database,
  { pipeline, status, limit = 50, before }: RunQuery,
): readonly RunSummary[] {
  let condition = ''
  const values: (string | number)[] = []
  if (pipeline !== undefined) {
    condition += withProperty
    values.push('pipeline', pipeline)
  }
  if (status !== undefined) {
    condition += withProperty
    values.push('status', status)
  }
  if (before !== undefined) {
    condition += ' AND c.id < ?'
    values.push(runContext(database, before))
  }
  return runIds(database, condition, values, limit).map(({ name, properties }) => {
    const code = parse(properties['code']) as CodePin
    return {
      id: name,
      pipeline: String(properties['pipeline']),
      status: properties['status'] as RunStatus,
      seed: Number(properties['seed']),
      startedAt: Number(properties['started_at']),
      endedAt: numberOrNull(properties['ended_at']),
      commit: code.commit,
      tree: code.tree,
      dirty: code.dirty,
    }
  })
}

/** Pipelines in the order of their newest runs. */
export function listPipelines(database: Database): readonly PipelineSummary[] {
  const pipelines = new Map<string, { -readonly [field in keyof PipelineSummary]: PipelineSummary[field] }>()
  for (const { pipeline, id, status, startedAt } of listRuns(database, { limit: 1_000_000 })) {
    const known = pipelines.get(pipeline)
    if (known !== undefined) known.runs++
    else pipelines.set(pipeline, { name: pipeline, runs: 1, lastRun: id, lastStatus: status, lastStartedAt: startedAt })
  }
  return [...pipelines.values()]
}

/** Runs that are running as far as is recorded. */
export function unfinishedRuns(
  database: Database,
): readonly { readonly id: string; readonly pipeline: string; readonly process: ProcessMark }[] {
  return runIds(database, withProperty, ['status', 'running'], 1000).map(({ name, properties }) => ({
    id: name,
    pipeline: String(properties['pipeline']),
    process: parse(properties['process']) as ProcessMark,
  }))
}

/** Reads the index of the property and not all runs. */
const withProperty =
  ' AND c.id IN (SELECT context_id FROM ContextProperty WHERE is_custom_property = 1 AND name = ? AND string_value = ?)'

function runIds(
  database: Database,
  condition: string,
  values: readonly (string | number)[],
  limit: number,
): { id: number; name: string; properties: { readonly [name: string]: PropertyValue } }[] {
  const text = `SELECT c.id, c.name FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = 'pipeline_run' AND t.type_kind = 2 ${condition} ORDER BY c.id DESC LIMIT ?`
  const rows = sql(database, text).all(...values, limit) as { id: number; name: string }[]
  const properties = getProperties(
    database,
    'Context',
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({ ...row, properties: properties.get(row.id)! }))
}
