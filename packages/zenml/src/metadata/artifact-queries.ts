import { type Digest, hexOf } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { findContext } from './contexts.ts'
import { eventType, executionState } from './nodes.ts'
import { getProperties } from './properties.ts'
import { type SqlValue, select, selectIn, type Work } from './sql/work.ts'
import { parse } from './stored-json.ts'

/** An artifact in a list, with the execution that first made it. */
export interface ArtifactSummary {
  readonly digest: Digest
  readonly type: string
  readonly uri: string
  readonly size: number
  readonly properties: JsonObject
  readonly producer: {
    readonly run: string
    readonly step: string
    readonly output: string
    readonly execution: number
  } | null
}

/** Artifacts, newest first. */
export function* listArtifactSummaries({
  type,
  limit = 50,
}: {
  readonly type?: string
  readonly limit?: number
}): Work<readonly ArtifactSummary[]> {
  const values: SqlValue[] = []
  let condition = ''
  if (type !== undefined) {
    const types = yield* artifactTypeIds(type)
    if (types.length === 0) return []
    // The plus keeps SQLite from sorting all artifacts of the type: the newest are met soon on the way by id.
    condition = ` AND +r.type_id IN (${types.map(() => '?').join(', ')})`
    values.push(...types)
  }
  const text = `SELECT r.id FROM Artifact r CROSS JOIN ArtifactProperty d
    WHERE d.artifact_id = r.id AND d.name = 'digest' AND d.is_custom_property = TRUE${condition} ORDER BY r.id DESC LIMIT ?`
  const rows = yield* select<{ id: number }>(text, [...values, limit])
  return yield* summaries(rows.map(({ id }) => id))
}

/** Several artifacts by digest; unknown ones are left out. */
export function* getArtifactSummaries(digests: readonly Digest[]): Work<readonly ArtifactSummary[]> {
  return yield* summaries(yield* findArtifactIds(digests))
}

/** The ids of artifacts with some digests. */
export function* findArtifactIds(digests: readonly Digest[]): Work<readonly number[]> {
  const types = yield* artifactTypeIds()
  if (types.length === 0) return []
  const text = `SELECT id FROM Artifact WHERE type_id IN (${types.map(() => '?').join(', ')}) AND name IN (??)`
  const rows = yield* selectIn<{ id: number }>(text, digests.map(hexOf), { before: types })
  return rows.map(({ id }) => id)
}

/** Artifacts by id in the order in which these are given; those of other tools are left out. */
export function* summaries(ids: readonly number[]): Work<readonly ArtifactSummary[]> {
  const text =
    'SELECT r.id, r.uri, t.name AS type_name FROM Artifact r JOIN Type t ON t.id = r.type_id WHERE r.id IN (??)'
  const rows = yield* selectIn<{ id: number; uri: string; type_name: string }>(text, ids)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const properties = yield* getProperties('Artifact', ids, ['digest', 'size', 'properties'])
  const producers = yield* findProducers(ids)
  return ids.flatMap((id): readonly ArtifactSummary[] => {
    const facts = properties.get(id)!
    const row = byId.get(id)
    if (row === undefined || facts['digest'] === undefined) return []
    return [
      {
        digest: facts['digest'] as Digest,
        type: row.type_name,
        uri: row.uri,
        size: Number(facts['size']),
        properties: parse(facts['properties'] ?? '{}') as JsonObject,
        producer: producers.get(id) ?? null,
      },
    ]
  })
}

/** The executions that first made artifacts: one that completed where there is one, else any that gave it. */
function* findProducers(
  artifacts: readonly number[],
): Work<ReadonlyMap<number, NonNullable<ArtifactSummary['producer']>>> {
  // An artifact that many runs reused has as many events, in the order of their executions: the first is looked for, not all read.
  const first = (
    condition: string,
  ): string => `SELECT r.id AS artifact_id, (SELECT v.id FROM Event v JOIN Execution e ON e.id = v.execution_id
    WHERE v.artifact_id = r.id AND v.type = ${eventType.output}${condition} ORDER BY v.execution_id LIMIT 1) AS event_id
    FROM Artifact r WHERE r.id IN (??)`
  interface Made {
    readonly artifact_id: number
    readonly event_id: number | null
  }
  const complete = yield* selectIn<Made>(first(` AND e.last_known_state = ${executionState.complete}`), artifacts)
  const without = complete.filter(({ event_id }) => event_id === null).map(({ artifact_id }) => artifact_id)
  const events = [...complete, ...(yield* selectIn<Made>(first(''), without))].flatMap(({ event_id }) => event_id ?? [])
  const text = `SELECT v.artifact_id, v.execution_id, p.step_key FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = FALSE WHERE v.id IN (??)`
  const paths = yield* selectIn<{ artifact_id: number; execution_id: number; step_key: string }>(text, events)
  const executions = [...new Set(paths.map(({ execution_id }) => execution_id))]
  const facts = yield* getProperties('Execution', executions, ['run', 'step'])
  const producers = new Map<number, NonNullable<ArtifactSummary['producer']>>()
  for (const { artifact_id, execution_id, step_key } of paths) {
    const { run, step } = facts.get(execution_id)!
    if (run === undefined || producers.has(artifact_id)) continue
    producers.set(artifact_id, { run: String(run), step: String(step), output: step_key, execution: execution_id })
  }
  return producers
}

/** A digest by itself, a unique prefix of its hex digits, or `RUN/step.output`. */
export function* resolveArtifactDigest(name: string, resolveRun: (prefix: string) => Work<string>): Work<Digest> {
  const slash = name.indexOf('/')
  if (slash >= 0) {
    const run = yield* resolveRun(name.slice(0, slash))
    const output = name.slice(slash + 1)
    const hex = yield* outputOf(run, output)
    if (hex === undefined)
      throw new ZenmlError('ZEN_ARTIFACT_UNKNOWN', `Run ${run} has no output "${output}".`, {
        next: `See "zenml pipeline status ${run}".`,
      })
    return `sha256:${hex}` as Digest
  }
  const prefix = name.replace(/^sha256:/, '')
  const found = /^[0-9a-f]{1,64}$/.test(prefix) ? yield* digestsFrom(prefix) : []
  if (found.length === 0)
    throw new ZenmlError('ZEN_ARTIFACT_UNKNOWN', `No artifact's digest starts with "${name}".`, {
      next: 'See "zenml artifact list", or name one as RUN/step.output.',
    })
  if (found.length > 1)
    throw new ZenmlError('ZEN_ARTIFACT_AMBIGUOUS', `Several artifacts' digests start with "${name}".`, {
      next: 'Give more digits.',
    })
  return `sha256:${found[0]!}` as Digest
}

/** The hex digest that a step of a run gave under a name. */
function* outputOf(run: string, name: string): Work<string | undefined> {
  const context = yield* findContext('pipeline_run', run)
  if (context === undefined) return undefined
  const [step = '', output = ''] = name.split('.')
  const text = `SELECT s.string_value AS step, p.step_key, r.name AS hex FROM Association a
    JOIN ExecutionProperty s ON s.execution_id = a.execution_id AND s.name = 'step' AND s.is_custom_property = TRUE
    JOIN Event v ON v.execution_id = a.execution_id AND v.type = ${eventType.output}
    JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = FALSE JOIN Artifact r ON r.id = v.artifact_id
    WHERE a.context_id = ? ORDER BY a.execution_id DESC`
  const rows = yield* select<{ step: string; step_key: string; hex: string }>(text, [context])
  return rows.find((row) => row.step === step && row.step_key === output)?.hex
}

function* digestsFrom(prefix: string): Work<readonly string[]> {
  const types = yield* artifactTypeIds()
  if (types.length === 0) return []
  const text = `SELECT DISTINCT name FROM Artifact WHERE type_id IN (${types.map(() => '?').join(', ')}) AND name >= ? AND name < ? ORDER BY name LIMIT 3`
  const rows = yield* select<{ name: string }>(text, [...types, prefix, `${prefix}g`])
  return rows.map(({ name }) => name).filter((name) => name.startsWith(prefix))
}

function* artifactTypeIds(name?: string): Work<readonly number[]> {
  const rows = yield* select<{ id: number; name: string }>('SELECT id, name FROM Type WHERE type_kind = 1')
  return rows.filter((type) => name === undefined || type.name === name).map(({ id }) => id)
}
