import type { Database } from 'better-sqlite3'
import { canonicalJson } from '../base/canonical.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { CodePin, Failure, Outcome, RunRecord, RunStatus, StepRecord } from '../model/run.ts'
import {
  type ArtifactSummary,
  findLineage,
  getArtifactSummaries,
  type Lineage,
  listArtifactSummaries,
  resolveArtifactDigest,
} from './artifact-queries.ts'
import {
  artifactState,
  contextId,
  eventType,
  executionState,
  findContext,
  getProperties,
  insertEvent,
  insertExecution,
  type Properties,
  type PropertyValue,
  setProperties,
  sql,
  typeId,
} from './nodes.ts'
import type { MetadataStore } from './open.ts'

/** Marks a process: host, process id, and something that tells it from a later one with the same id. */
export interface ProcessMark {
  readonly host: string
  readonly pid: number
  readonly started: string
}

/** A run as it starts. */
export interface RunStart {
  readonly id: string
  readonly pipeline: string
  readonly seed: number
  readonly startedAt: number
  readonly code: CodePin
  readonly spec: PipelineSpec
  readonly environment: JsonObject
  /** In the order of the graph. */
  readonly steps: readonly { readonly name: string; readonly source: string }[]
  readonly process: ProcessMark
}

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
}

/** An earlier execution that completed. */
export interface PriorExecution {
  readonly execution: number
  readonly run: string
  readonly identity: Identity
  readonly outputs: { readonly [output: string]: StoredArtifact }
  readonly metrics: JsonObject
  readonly log: Digest | null
}

/** A run in a list. */
export interface RunSummary {
  readonly id: string
  readonly pipeline: string
  readonly status: RunStatus
  readonly seed: number
  readonly startedAt: number
  readonly endedAt: number | null
  readonly commit: string | null
  readonly tree: string | null
  readonly dirty: boolean
}

/** A step as runs have used it. */
export interface StepUse {
  readonly name: string
  readonly source: string
  readonly pipelines: readonly string[]
  readonly executions: number
  readonly lastRun: string
}

/** Our nouns in ML Metadata. */
export interface RunRecords {
  startRun(run: RunStart): Promise<void>
  /** Records a running execution and returns its id. */
  startStep(run: string, step: StepStart): Promise<number>
  endStep(execution: number, end: StepEnd): Promise<void>
  reuseSteps(run: string, steps: readonly ReusedStep[]): Promise<void>
  skipSteps(run: string, steps: readonly { readonly name: string; readonly outcome: Outcome }[]): Promise<void>
  endRun(
    run: string,
    end: { readonly status: RunStatus; readonly endedAt: number; readonly error: Failure | null },
  ): Promise<void>
  /** A run of which every step is reused, in one transaction. */
  recordReusedRun(run: RunStart, steps: readonly ReusedStep[], endedAt: number): Promise<void>
  /** Completed executions by key, newest first. */
  findByKeys(keys: readonly Digest[]): Promise<ReadonlyMap<Digest, readonly PriorExecution[]>>
  getRun(id: string): Promise<RunRecord | undefined>
  /** The id of a run by a unique prefix or `@latest`. Throws `ZEN_RUN_UNKNOWN`, `ZEN_RUN_AMBIGUOUS`. */
  resolveRun(prefix: string): Promise<string>
  /** Newest first; `before` is the id of the run to go on behind. Default limit 50. */
  listRuns(query?: {
    readonly pipeline?: string
    readonly status?: RunStatus
    readonly limit?: number
    readonly before?: string
  }): Promise<readonly RunSummary[]>
  listPipelines(): Promise<
    readonly {
      readonly name: string
      readonly runs: number
      readonly lastRun: string
      readonly lastStatus: RunStatus
      readonly lastStartedAt: number
    }[]
  >
  unfinishedRuns(): Promise<
    readonly { readonly id: string; readonly pipeline: string; readonly process: ProcessMark }[]
  >
  /** Ends a run whose process is gone, and its running executions, as failed. */
  markLost(run: string, endedAt: number, failure: Failure): Promise<void>
  listSteps(): Promise<readonly StepUse[]>
  listArtifacts(query?: { readonly type?: string; readonly limit?: number }): Promise<readonly ArtifactSummary[]>
  getArtifact(digest: Digest): Promise<ArtifactSummary | undefined>
  /** A digest by itself, a unique prefix, or `RUN/step.output`. Throws `ZEN_ARTIFACT_UNKNOWN`, `ZEN_ARTIFACT_AMBIGUOUS`. */
  resolveArtifact(name: string): Promise<Digest>
  lineage(digest: Digest, direction: 'up' | 'down' | 'both'): Promise<Lineage>
}

/** Keeps runs in ML Metadata: contexts `pipeline`, `pipeline_run`, `node` and `execution_cache`, an execution a step, artifacts by digest. */
export function runRecords(store: MetadataStore): RunRecords {
  const records: RunRecords = {
    startRun: (run) => store.write((database) => insertRun(database, run)),
    startStep: (run, step) =>
      store.write((database) => {
        const execution = insertStep(database, run, step, executionState.running, step.startedAt, {
          started_at: step.startedAt,
        })
        link(database, execution, step.inputs, eventType.input, step.bases, step.startedAt)
        return execution
      }),
    endStep: (execution, end) =>
      store.write((database) => {
        const state = {
          executed: executionState.complete,
          failed: executionState.failed,
          canceled: executionState.canceled,
        }[end.outcome]
        setState(database, execution, state, end.endedAt)
        setProperties(database, 'Execution', execution, {
          outcome: end.outcome,
          ended_at: end.endedAt,
          identity: json(end.identity),
          log: end.log ?? undefined,
          metrics: json(end.metrics),
          error: end.error === null ? undefined : json(end.error),
        })
        link(database, execution, end.outputs, eventType.output, end.bases, end.endedAt)
      }),
    reuseSteps: (run, steps) => store.write((database) => insertReused(database, run, steps)),
    skipSteps: (run, steps) =>
      store.write((database) => {
        if (steps.length === 0) return
        setProperties(database, 'Context', runContext(database, run), {
          skipped: json(Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome]))),
        })
      }),
    endRun: (run, end) => store.write((database) => endRun(database, run, end)),
    recordReusedRun: (run, steps, endedAt) =>
      store.write((database) => {
        insertRun(database, run)
        insertReused(database, run.id, steps)
        endRun(database, run.id, { status: 'complete', endedAt, error: null })
      }),
    findByKeys: (keys) => store.read((database) => findByKeys(database, keys)),
    getRun: (id) => store.read((database) => getRun(database, id)),
    resolveRun: (prefix) => store.read((database) => resolveRun(database, prefix)),
    listRuns: (query = {}) => store.read((database) => listRuns(database, query)),
    async listPipelines() {
      const pipelines = new Map<
        string,
        { name: string; runs: number; lastRun: string; lastStatus: RunStatus; lastStartedAt: number }
      >()
      for (const run of await records.listRuns({ limit: 1_000_000 })) {
        const known = pipelines.get(run.pipeline)
        if (known === undefined)
          pipelines.set(run.pipeline, {
            name: run.pipeline,
            runs: 1,
            lastRun: run.id,
            lastStatus: run.status,
            lastStartedAt: run.startedAt,
          })
        else known.runs++
      }
      return [...pipelines.values()]
    },
    unfinishedRuns: () =>
      store.read((database) => {
        const ids = runIds(
          database,
          `AND EXISTS (SELECT 1 FROM ContextProperty p WHERE p.context_id = c.id AND p.name = 'status' AND p.string_value = 'running')`,
          [],
          1000,
        )
        return ids.map(({ name, properties }) => ({
          id: name,
          pipeline: String(properties['pipeline']),
          process: parse(properties['process']) as ProcessMark,
        }))
      }),
    markLost: (run, endedAt, failure) =>
      store.write((database) => {
        const text =
          'SELECT e.id FROM Execution e JOIN Association a ON a.execution_id = e.id WHERE a.context_id = ? AND e.last_known_state = ?'
        for (const id of sql(database, text)
          .pluck()
          .all(runContext(database, run), executionState.running) as number[]) {
          setState(database, id, executionState.failed, endedAt)
          setProperties(database, 'Execution', id, { outcome: 'failed', ended_at: endedAt, error: json(failure) })
        }
        endRun(database, run, { status: 'failed', endedAt, error: failure })
      }),
    listSteps: () => store.read(listSteps),
    listArtifacts: (query = {}) => store.read((database) => listArtifactSummaries(database, query)),
    getArtifact: (digest) => store.read((database) => getArtifactSummaries(database, [digest]).get(digest)),
    resolveArtifact: (name) =>
      store.read((database) => resolveArtifactDigest(database, name, (prefix) => resolveRun(database, prefix))),
    lineage: (digest, direction) => store.read((database) => findLineage(database, digest, direction)),
  }
  return records
}

function insertRun(database: Database, run: RunStart): void {
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
  })
}

function endRun(
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

function insertReused(database: Database, run: string, steps: readonly ReusedStep[]): void {
  for (const step of steps) {
    const execution = insertStep(database, run, step, executionState.cached, step.at, {
      started_at: step.at,
      ended_at: step.at,
      outcome: 'reused',
      reused_from: step.from,
      metrics: json(step.metrics),
      log: step.log ?? undefined,
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

function setState(database: Database, execution: number, state: number, now: number): void {
  sql(database, 'UPDATE Execution SET last_known_state = ?, last_update_time_since_epoch = ? WHERE id = ?').run(
    state,
    now,
    execution,
  )
}

/** Connects an execution with artifacts, one row a type and digest, and puts them into the contexts of the execution. */
function link(
  database: Database,
  execution: number,
  artifacts: { readonly [name: string]: StoredArtifact },
  type: number,
  bases: { readonly [type: string]: string },
  now: number,
): void {
  for (const [name, artifact] of Object.entries(artifacts)) {
    const id = artifactId(database, artifact, bases[artifact.type], now)
    insertEvent(database, id, execution, type, name, now)
    sql(
      database,
      'INSERT OR IGNORE INTO Attribution (context_id, artifact_id) SELECT context_id, ? FROM Association WHERE execution_id = ?',
    ).run(id, execution)
  }
}

function artifactId(database: Database, artifact: StoredArtifact, base: string | undefined, now: number): number {
  const type = typeId(database, 'artifact', artifact.type, base)
  const name = hexOf(artifact.digest)
  const found = sql(database, 'SELECT id, uri FROM Artifact WHERE type_id = ? AND name = ?').get(type, name) as
    | { id: number; uri: string }
    | undefined
  if (found !== undefined) {
    // The same content in a store that moved.
    if (found.uri !== artifact.uri)
      sql(database, 'UPDATE Artifact SET uri = ?, last_update_time_since_epoch = ? WHERE id = ?').run(
        artifact.uri,
        now,
        found.id,
      )
    return found.id
  }
  const insert = sql(
    database,
    'INSERT INTO Artifact (type_id, uri, state, name, create_time_since_epoch, last_update_time_since_epoch) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const id = Number(insert.run(type, artifact.uri, artifactState.live, name, now, now).lastInsertRowid)
  setProperties(database, 'Artifact', id, {
    digest: artifact.digest,
    size: artifact.size,
    properties: json(artifact.properties),
  })
  return id
}

function findByKeys(database: Database, keys: readonly Digest[]): ReadonlyMap<Digest, readonly PriorExecution[]> {
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
        }
      }),
    )
  }
  return found
}

interface Linked {
  readonly inputs: { [name: string]: StoredArtifact }
  readonly outputs: { [name: string]: StoredArtifact }
}

/** The artifacts of several executions by the names that the paths of their events hold. */
function linkedArtifacts(database: Database, executions: readonly number[]): Map<number, Linked> {
  const text = `SELECT v.execution_id AS execution, v.type AS event, p.step_key AS name, r.id, r.uri, t.name AS type
    FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = 0 JOIN Artifact r ON r.id = v.artifact_id JOIN Type t ON t.id = r.type_id
    WHERE v.execution_id IN (SELECT value FROM json_each(?)) ORDER BY p.rowid`
  const rows = sql(database, text).all(JSON.stringify(executions)) as {
    execution: number
    event: number
    name: string
    id: number
    uri: string
    type: string
  }[]
  const properties = getProperties(database, 'Artifact', [...new Set(rows.map(({ id }) => id))])
  const linked = new Map<number, Linked>(executions.map((id) => [id, { inputs: {}, outputs: {} }]))
  for (const { execution, event, name, id, uri, type } of rows) {
    const facts = properties.get(id)!
    const side = event === eventType.output ? linked.get(execution)!.outputs : linked.get(execution)!.inputs
    side[name] = {
      type,
      digest: facts['digest'] as Digest,
      uri,
      size: Number(facts['size']),
      properties: parse(facts['properties'] ?? '{}') as JsonObject,
    }
  }
  return linked
}

function getRun(database: Database, id: string): RunRecord | undefined {
  const context = findContext(database, 'pipeline_run', id)
  if (context === undefined) return undefined
  const facts = getProperties(database, 'Context', [context]).get(context)!
  const executions = sql(database, 'SELECT execution_id FROM Association WHERE context_id = ? ORDER BY execution_id')
    .pluck()
    .all(context) as number[]
  const properties = getProperties(database, 'Execution', executions)
  const linked = linkedArtifacts(database, executions)
  const byStep = new Map(executions.map((execution) => [String(properties.get(execution)!['step']), execution]))
  const skipped = parse(facts['skipped'] ?? '{}') as { readonly [step: string]: Outcome }
  const steps = parse(facts['steps'] ?? '[]') as { readonly name: string; readonly source: string }[]
  return {
    id,
    pipeline: String(facts['pipeline']),
    status: facts['status'] as RunStatus,
    seed: Number(facts['seed']),
    startedAt: Number(facts['started_at']),
    endedAt: numberOrNull(facts['ended_at']),
    code: parse(facts['code']) as CodePin,
    spec: parse(facts['spec']) as PipelineSpec,
    environment: parse(facts['environment'] ?? '{}') as JsonObject,
    error: facts['error'] === undefined ? null : (parse(facts['error']) as Failure),
    steps: steps.map(({ name, source }): StepRecord => {
      const execution = byStep.get(name)
      const own = execution === undefined ? {} : properties.get(execution)!
      const artifacts = execution === undefined ? undefined : linked.get(execution)
      return {
        name,
        source,
        outcome: (own['outcome'] ?? skipped[name] ?? null) as Outcome | null,
        execution: execution ?? null,
        reusedFrom: numberOrNull(own['reused_from']),
        identity: own['identity'] === undefined ? null : (parse(own['identity']) as Identity),
        parameters: parse(own['parameters'] ?? '{}') as JsonObject,
        startedAt: numberOrNull(own['started_at']),
        endedAt: numberOrNull(own['ended_at']),
        inputs: artifacts?.inputs ?? {},
        outputs: artifacts?.outputs ?? {},
        log: (own['log'] ?? null) as Digest | null,
        metrics: parse(own['metrics'] ?? '{}') as JsonObject,
        error: own['error'] === undefined ? null : (parse(own['error']) as Failure),
      }
    }),
  }
}

function runContext(database: Database, run: string): number {
  const context = findContext(database, 'pipeline_run', run)
  if (context === undefined) throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${run}.`)
  return context
}

function resolveRun(database: Database, prefix: string): string {
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

function listRuns(
  database: Database,
  { pipeline, status, limit = 50, before }: Parameters<RunRecords['listRuns']>[0] & object,
): readonly RunSummary[] {
  const property = `AND EXISTS (SELECT 1 FROM ContextProperty p WHERE p.context_id = c.id AND p.is_custom_property = 1 AND p.name = ? AND p.string_value = ?)`
  let condition = ''
  const values: (string | number)[] = []
  if (pipeline !== undefined) {
    condition += property
    values.push('pipeline', pipeline)
  }
  if (status !== undefined) {
    condition += property
    values.push('status', status)
  }
  if (before !== undefined) {
    condition += 'AND c.id < ?'
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

function listSteps(database: Database): readonly StepUse[] {
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

function json(value: object): string {
  return canonicalJson(value as JsonObject)
}

function parse(text: PropertyValue | undefined): unknown {
  return JSON.parse(String(text ?? 'null'))
}

function numberOrNull(value: PropertyValue | undefined): number | null {
  return value === undefined ? null : Number(value)
}
