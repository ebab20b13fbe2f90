import type { Database } from 'better-sqlite3'
import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import { artifactState, eventType, getProperties, insertEvent, setProperties, sql, typeId } from './nodes.ts'
import { json, parse } from './stored-json.ts'

/** What an execution took and gave, by the names of its inputs and outputs. */
export interface Linked {
  readonly inputs: { [name: string]: StoredArtifact }
  readonly outputs: { [name: string]: StoredArtifact }
}

/** Connects an execution with artifacts, one row a type and digest, and puts them into the contexts of the execution. */
export function link(
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

/** The artifacts of several executions by the names that the paths of their events hold. */
export function linkedArtifacts(database: Database, executions: readonly number[]): Map<number, Linked> {
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
