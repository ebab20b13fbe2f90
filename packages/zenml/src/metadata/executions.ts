import type { Database } from 'better-sqlite3'
import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { Failure, StepRecord } from '../model/run.ts'
import type { Touch } from '../model/touch.ts'
import { link, linkedArtifacts } from './linked-artifacts.ts'
import {
  contextId,
  eventType,
  executionState,
  getProperties,
  insertExecution,
  type Properties,
  setExecutionState,
  setProperties,
  sql,
} from './nodes.ts'
import { runContext } from './runs.ts'
import { json, parse } from './stored-json.ts'

interface StepFacts {
  readonly name: string
  readonly source: string
  readonly parameters: JsonObject
  readonly identity: Identity
  readonly inputs: { readonly [input: string]: StoredArtifact }
  /** Artifact type to its simple type. */
  readonly bases: { readonly [type: string]: string }
}

/** A step as it starts. */
export interface StepStart extends StepFacts {
  readonly startedAt: number
  /** Why earlier executions of the same identity could not stand for it, a sentence each. Default none. */
  readonly refused?: readonly string[]
}

/** How a step ended. */
export interface StepEnd {
  readonly outcome: 'executed' | 'failed' | 'canceled'
  readonly endedAt: number
  /** With what was observed. */
  readonly identity: Identity
  readonly outputs: { readonly [output: string]: StoredArtifact }
  readonly bases: { readonly [type: string]: string }
  readonly log: Digest | null
  readonly metrics: JsonObject
  /** What it touched outside of its declared inputs. */
  readonly touches: readonly Touch[]
  readonly error: Failure | null
}

/** A step for which an earlier execution stands. */
export interface ReusedStep extends StepFacts {
  readonly outputs: { readonly [output: string]: StoredArtifact }
  /** Id of the earlier execution. */
  readonly from: number
  readonly at: number
  readonly metrics: JsonObject
  readonly log: Digest | null
  readonly touches: readonly Touch[]
}

/** An earlier execution that completed. */
export interface PriorExecution extends Pick<StepRecord, 'outputs' | 'metrics' | 'log' | 'touches'> {
  readonly execution: number
  readonly run: string
  readonly identity: Identity
}

/** A step as runs have used it. */
export interface StepUse {
  readonly name: string
  readonly source: string
  readonly pipelines: readonly string[]
  readonly executions: number
  readonly lastRun: string
}

/** Records a running execution with its inputs. */
export function startStep(database: Database, run: string, step: StepStart): number {
  const execution = insertStep(database, run, step, executionState.running, step.startedAt, {
    started_at: step.startedAt,
    refused: listProperty(step.refused ?? []),
  })
  link(database, execution, step.inputs, eventType.input, step.bases, step.startedAt)
  return execution
}

/** Records how an execution ended, and what it gave. */
export function endStep(database: Database, execution: number, end: StepEnd): void {
  const state = {
    executed: executionState.complete,
    failed: executionState.failed,
    canceled: executionState.canceled,
  }[end.outcome]
  setExecutionState(database, execution, state, end.endedAt)
  setProperties(database, 'Execution', execution, {
    outcome: end.outcome,
    ended_at: end.endedAt,
    identity: json(end.identity),
    log: end.log ?? undefined,
    metrics: json(end.metrics),
    touches: listProperty(end.touches),
    error: end.error === null ? undefined : json(end.error),
  })
  link(database, execution, end.outputs, eventType.output, end.bases, end.endedAt)
}

/** Records steps for which earlier executions stand. */
export function insertReused(database: Database, run: string, steps: readonly ReusedStep[]): void {
  for (const step of steps) {
    const execution = insertStep(database, run, step, executionState.cached, step.at, {
      started_at: step.at,
      ended_at: step.at,
      outcome: 'reused',
      reused_from: step.from,
      metrics: json(step.metrics),
      log: step.log ?? undefined,
      touches: listProperty(step.touches),
    })
    link(database, execution, step.inputs, eventType.input, step.bases, step.at)
    link(database, execution, step.outputs, eventType.output, step.bases, step.at)
  }
}

function insertStep(
  database: Database,
  run: string,
  step: StepFacts,
  state: number,
  now: number,
  more: Properties,
): number {
  const context = runContext(database, run)
  const pipeline = String(getProperties(database, 'Context', [context]).get(context)!['pipeline'])
  const cache = contextId(database, 'execution_cache', hexOf(step.identity.key), now)
  const contexts = [
    contextId(database, 'pipeline', pipeline, now),
    context,
    contextId(database, 'node', `${pipeline}.${step.name}`, now),
    cache,
  ]
  const properties = { run, step: step.name, parameters: json(step.parameters), identity: json(step.identity), ...more }
  return insertExecution(database, { type: step.source, state, contexts, properties, now })
}

/** Completed executions by key, newest first. */
export function findByKeys(
  database: Database,
  keys: readonly Digest[],
): ReadonlyMap<Digest, readonly PriorExecution[]> {
  const text = `SELECT e.id FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'execution_cache' AND t.type_kind = 2
    JOIN Association a ON a.context_id = c.id JOIN Execution e ON e.id = a.execution_id
    WHERE c.name = ? AND e.last_known_state = ${executionState.complete} ORDER BY e.id DESC`
  const found = new Map<Digest, readonly PriorExecution[]>()
  for (const key of keys) {
    const ids = sql(database, text).pluck().all(hexOf(key)) as number[]
    const properties = getProperties(database, 'Execution', ids)
    const artifacts = linkedArtifacts(database, ids)
    found.set(
      key,
      ids.map((id) => {
        const facts = properties.get(id)!
        return {
          execution: id,
          run: String(facts['run']),
          identity: parse(facts['identity']) as Identity,
          outputs: artifacts.get(id)?.outputs ?? {},
          metrics: parse(facts['metrics'] ?? '{}') as JsonObject,
          log: (facts['log'] ?? null) as Digest | null,
          touches: parse(facts['touches'] ?? '[]') as Touch[],
        }
      }),
    )
  }
  return found
}

/** Steps as the runs have used them. */
export function listSteps(database: Database): readonly StepUse[] {
  const text = `SELECT t.name AS source, s.string_value AS step, r.string_value AS run, pp.string_value AS pipeline, e.id
    FROM Execution e JOIN Type t ON t.id = e.type_id
    JOIN ExecutionProperty s ON s.execution_id = e.id AND s.name = 'step' JOIN ExecutionProperty r ON r.execution_id = e.id AND r.name = 'run'
    JOIN Context c ON c.name = r.string_value JOIN Type ct ON ct.id = c.type_id AND ct.name = 'pipeline_run'
    JOIN ContextProperty pp ON pp.context_id = c.id AND pp.name = 'pipeline' ORDER BY e.id`
  const uses = new Map<
    string,
    { name: string; source: string; pipelines: Set<string>; executions: number; lastRun: string }
  >()
  for (const { source, step, run, pipeline } of sql(database, text).all() as {
    source: string
    step: string
    run: string
    pipeline: string
  }[]) {
    const key = `${step}\n${source}`
    const use = uses.get(key) ?? { name: step, source, pipelines: new Set<string>(), executions: 0, lastRun: run }
    use.pipelines.add(pipeline)
    use.executions++
    use.lastRun = run
    uses.set(key, use)
  }
  return [...uses.values()].map(({ pipelines, ...use }) => ({ ...use, pipelines: [...pipelines].sort() }))
}

/** Most lists are empty: then there is no property. */
function listProperty(list: readonly (Touch | string)[]): string | undefined {
  return list.length === 0 ? undefined : json(list)
}
