import type { Digest } from '../base/digest.ts'
import { type ArtifactSummary, findArtifactIds, summaries } from './artifact-queries.ts'
import { eventType, executionState } from './nodes.ts'
import { getProperties } from './properties.ts'
import { selectIn, type Work } from './sql/work.ts'

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

/** Which way lineage is followed, and how many executions far. */
export interface LineageOptions {
  readonly direction: 'up' | 'down' | 'both'
  /** Default to the end. */
  readonly hops?: number
}

/** What an artifact was made from and what was made from it. Reused executions are left out: the original stands for them. */
export function* findLineage(digest: Digest, { direction, hops = Infinity }: LineageOptions): Work<Lineage> {
  const start = yield* findArtifactIds([digest])
  const executions = new Set<number>()
  const edges = new Map<string, LinkRow>()
  for (const way of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
    const [near, far] = way === 'up' ? [eventType.output, eventType.input] : [eventType.input, eventType.output]
    const seen = new Set(start)
    let frontier = start
    for (let hop = 0; hop < hops && frontier.length > 0; hop++) {
      const current = new Set(frontier)
      const next: number[] = []
      for (const row of yield* linksBehind(frontier, near)) {
        const { artifact_id, execution_id, event_type, step_key } = row
        executions.add(execution_id)
        // Of this side only what led here: other outputs of the same execution are no part of it.
        if (event_type !== far && !current.has(artifact_id)) continue
        edges.set(`${execution_id} ${event_type} ${step_key} ${artifact_id}`, row)
        if (event_type === far && !seen.has(artifact_id)) {
          seen.add(artifact_id)
          next.push(artifact_id)
        }
      }
      frontier = next
    }
  }
  return yield* described(start, [...executions], [...edges.values()])
}

interface LinkRow {
  readonly execution_id: number
  readonly artifact_id: number
  readonly event_type: number
  readonly step_key: string
}

/** All that goes into or comes out of the completed executions on one side of artifacts: two statements for each hop. */
function* linksBehind(artifacts: readonly number[], near: number): Work<readonly LinkRow[]> {
  const text = `SELECT DISTINCT v.execution_id FROM Event v JOIN Execution e ON e.id = v.execution_id
    WHERE v.artifact_id IN (??) AND v.type = ? AND e.last_known_state = ${executionState.complete}`
  const rows = yield* selectIn<{ execution_id: number }>(text, artifacts, { after: [near] })
  const linked = `SELECT v.execution_id, v.artifact_id, v.type AS event_type, p.step_key
    FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = FALSE WHERE v.execution_id IN (??)`
  return yield* selectIn<LinkRow>(linked, [...new Set(rows.map(({ execution_id }) => execution_id))])
}

function* described(start: readonly number[], executions: readonly number[], links: readonly LinkRow[]): Work<Lineage> {
  const artifactIds = [...new Set([...start, ...links.map(({ artifact_id }) => artifact_id)])]
  const artifacts = yield* summaries(artifactIds)
  const digests = yield* getProperties('Artifact', artifactIds, ['digest'])
  const ids = [...executions].sort((a, b) => a - b)
  const facts = yield* getProperties('Execution', ids, ['run', 'step'])
  const text = 'SELECT e.id, t.name FROM Execution e JOIN Type t ON t.id = e.type_id WHERE e.id IN (??)'
  const sources = new Map((yield* selectIn<{ id: number; name: string }>(text, ids)).map(({ id, name }) => [id, name]))
  return {
    artifacts,
    executions: ids.map((id) => ({
      id,
      step: String(facts.get(id)!['step']),
      source: sources.get(id)!,
      run: String(facts.get(id)!['run']),
    })),
    edges: links.map(({ artifact_id, execution_id, event_type, step_key }) => ({
      artifact: digests.get(artifact_id)!['digest'] as Digest,
      execution: execution_id,
      kind: event_type === eventType.input ? 'input' : 'output',
      name: step_key,
    })),
  }
}
