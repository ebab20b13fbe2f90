import type { Database } from 'better-sqlite3'
import { type Digest, hexOf } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { eventType, executionState, getProperties, sql } from './nodes.ts'

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

/** Artifacts and executions, and what went from one to the other. */
export interface Lineage {
  readonly artifacts: readonly ArtifactSummary[]
  readonly executions: readonly {
    readonly id: number
    readonly step: string
    readonly source: string
    readonly run: string
  }[]
  readonly edges: readonly {
    readonly artifact: Digest
    readonly execution: number
    readonly kind: 'input' | 'output'
    readonly name: string
  }[]
}

/** Artifacts, newest first. */
export function listArtifactSummaries(
  database: Database,
  { type, limit = 50 }: { readonly type?: string; readonly limit?: number },
): readonly ArtifactSummary[] {
  const text = `SELECT r.name FROM Artifact r JOIN Type t ON t.id = r.type_id WHERE (? IS NULL OR t.name = ?) ORDER BY r.id DESC LIMIT ?`
  const digests = (
    sql(database, text)
      .pluck()
      .all(type ?? null, type ?? null, limit) as string[]
  ).map((hex) => `sha256:${hex}` as Digest)
  const found = getArtifactSummaries(database, digests)
  return digests.flatMap((digest) => found.get(digest) ?? [])
}

/** Several artifacts by digest. */
export function getArtifactSummaries(database: Database, digests: readonly Digest[]): Map<Digest, ArtifactSummary> {
  const text =
    'SELECT r.id, r.uri, t.name AS type FROM Artifact r JOIN Type t ON t.id = r.type_id WHERE r.type_id IN (SELECT id FROM Type WHERE type_kind = 1) AND r.name IN (SELECT value FROM json_each(?))'
  const rows = sql(database, text).all(JSON.stringify(digests.map(hexOf))) as {
    id: number
    uri: string
    type: string
  }[]
  const properties = getProperties(
    database,
    'Artifact',
    rows.map(({ id }) => id),
  )
  const producer = `SELECT v.execution_id AS execution, p.step_key AS output FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = 0
    JOIN Execution e ON e.id = v.execution_id WHERE v.artifact_id = ? AND v.type = ${eventType.output} ORDER BY e.last_known_state = ${executionState.complete} DESC, v.id LIMIT 1`
  const summaries = new Map<Digest, ArtifactSummary>()
  for (const { id, uri, type } of rows) {
    const facts = properties.get(id)!
    const made = sql(database, producer).get(id) as { execution: number; output: string } | undefined
    const execution =
      made === undefined ? undefined : getProperties(database, 'Execution', [made.execution]).get(made.execution)!
    const digest = facts['digest'] as Digest
    summaries.set(digest, {
      digest,
      type,
      uri,
      size: Number(facts['size']),
      properties: JSON.parse(String(facts['properties'] ?? '{}')) as JsonObject,
      producer:
        made === undefined || execution === undefined
          ? null
          : {
              run: String(execution['run']),
              step: String(execution['step']),
              output: made.output,
              execution: made.execution,
            },
    })
  }
  return summaries
}

/** A digest by itself, a unique prefix of its hex digits, or `RUN/step.output`. */
export function resolveArtifactDigest(
  database: Database,
  name: string,
  resolveRun: (prefix: string) => string,
): Digest {
  const slash = name.indexOf('/')
  if (slash >= 0) {
    const run = resolveRun(name.slice(0, slash))
    const [step = '', output = ''] = name.slice(slash + 1).split('.')
    const text = `SELECT r.name FROM ExecutionProperty x JOIN ExecutionProperty s ON s.execution_id = x.execution_id AND s.name = 'step' AND s.string_value = ?
      JOIN Event v ON v.execution_id = x.execution_id AND v.type = ${eventType.output} JOIN EventPath p ON p.event_id = v.id AND p.step_key = ?
      JOIN Artifact r ON r.id = v.artifact_id WHERE x.name = 'run' AND x.string_value = ? LIMIT 1`
    const hex = sql(database, text).pluck().get(step, output, run) as string | undefined
    if (hex === undefined)
      throw new ZenmlError('ZEN_ARTIFACT_UNKNOWN', `Run ${run} has no output "${name.slice(slash + 1)}".`, {
        next: `See "zenml pipeline status ${run}".`,
      })
    return `sha256:${hex}` as Digest
  }
  const prefix = name.replace(/^sha256:/, '')
  const found = /^[0-9a-f]{1,64}$/.test(prefix)
    ? (sql(
        database,
        'SELECT DISTINCT name FROM Artifact WHERE type_id IN (SELECT id FROM Type WHERE type_kind = 1) AND name >= ? AND name < ? ORDER BY name LIMIT 3',
      )
        .pluck()
        .all(prefix, `${prefix}g`) as string[])
    : []
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

/** What an artifact was made from and what was made from it. Reused executions are left out: the original stands for them. */
export function findLineage(database: Database, digest: Digest, direction: 'up' | 'down' | 'both'): Lineage {
  const executions = new Set<number>()
  const edges = new Map<string, Lineage['edges'][number]>()
  const artifacts = new Set<Digest>([digest])
  const step = `SELECT v.execution_id AS execution FROM Event v JOIN Execution e ON e.id = v.execution_id
    WHERE v.artifact_id IN (SELECT id FROM Artifact WHERE type_id IN (SELECT id FROM Type WHERE type_kind = 1) AND name = ?) AND v.type = ? AND e.last_known_state = ${executionState.complete}`
  const linked = `SELECT r.name AS hex, v.type AS event, p.step_key AS name FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = 0
    JOIN Artifact r ON r.id = v.artifact_id WHERE v.execution_id = ?`
  for (const way of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
    const [near, far] = way === 'up' ? [eventType.output, eventType.input] : [eventType.input, eventType.output]
    let frontier: Digest[] = [digest]
    const seen = new Set<Digest>(frontier)
    while (frontier.length > 0) {
      const next: Digest[] = []
      for (const artifact of frontier) {
        for (const execution of sql(database, step).pluck().all(hexOf(artifact), near) as number[]) {
          executions.add(execution)
          for (const { hex, event, name } of sql(database, linked).all(execution) as {
            hex: string
            event: number
            name: string
          }[]) {
            const other = `sha256:${hex}` as Digest
            if (event !== far && other !== artifact) continue
            artifacts.add(other)
            edges.set(`${execution} ${event} ${name} ${hex}`, {
              artifact: other,
              execution,
              kind: event === eventType.input ? 'input' : 'output',
              name,
            })
            if (event === far && !seen.has(other)) {
              seen.add(other)
              next.push(other)
            }
          }
        }
      }
      frontier = next
    }
  }
  const ids = [...executions].sort((a, b) => a - b)
  const properties = getProperties(database, 'Execution', ids)
  const source = sql(database, 'SELECT t.name FROM Execution e JOIN Type t ON t.id = e.type_id WHERE e.id = ?').pluck()
  return {
    artifacts: [...getArtifactSummaries(database, [...artifacts]).values()],
    executions: ids.map((id) => ({
      id,
      step: String(properties.get(id)!['step']),
      source: String(source.get(id)),
      run: String(properties.get(id)!['run']),
    })),
    edges: [...edges.values()],
  }
}
