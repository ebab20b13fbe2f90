import { compareText } from '../base/canonical.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import { artifactState, eventType } from './nodes.ts'
import { columnValue, type Facts, insertProperties, type PropertyRow } from './properties.ts'
import { change, insert, selectIn, type Work } from './sql/work.ts'
import { json, parse } from './stored-json.ts'
import type { TypeIds, TypeName } from './types.ts'

/** What an execution took and gave, by the names of its inputs and outputs. */
export interface Linked {
  readonly inputs: { [name: string]: StoredArtifact }
  readonly outputs: { [name: string]: StoredArtifact }
}

/** Artifacts that an execution took or gave, by name. */
export interface Link {
  readonly execution: number
  readonly event: number
  readonly artifacts: { readonly [name: string]: StoredArtifact }
  /** The contexts of the execution. */
  readonly contexts: readonly number[]
  readonly now: number
}

/** The types of artifacts; `bases` has the simple types of those that have one. */
export function artifactTypes(
  artifacts: { readonly [name: string]: StoredArtifact },
  bases: { readonly [type: string]: string },
): readonly TypeName[] {
  return Object.values(artifacts).map(({ type }) => ({ kind: 'artifact', name: type, base: bases[type] }))
}

/**
 * Connects executions with artifacts, one row a type and digest, and puts these into the contexts of the executions. An artifact
 * under several names has one event whose path has several steps.
 */
export function* link(types: TypeIds, links: readonly Link[]): Work<void> {
  const named = links.flatMap((one) =>
    Object.entries(one.artifacts).map(([name, artifact]) => ({ ...one, name, artifact })),
  )
  if (named.length === 0) return
  const ids = yield* artifactIds(types, named)
  const events = new Map<string, { readonly row: readonly number[]; readonly names: string[] }>()
  const attributions = new Map<string, readonly [number, number]>()
  for (const { execution, event, name, artifact, contexts, now } of named) {
    const id = ids.get(keyOf(types, artifact))!
    const key = `${id} ${execution} ${event}`
    const known = events.get(key)
    if (known === undefined) events.set(key, { row: [id, execution, event, now], names: [name] })
    else known.names.push(name)
    for (const context of contexts) attributions.set(`${context} ${id}`, [context, id])
  }
  const all = [...events.values()]
  const eventIds = yield* insert({
    table: 'Event',
    columns: ['artifact_id', 'execution_id', 'type', 'milliseconds_since_epoch'],
    rows: all.map(({ row }) => row),
    ids: true,
  })
  yield* insert({
    table: 'EventPath',
    columns: ['event_id', 'is_index_step', 'step_index', 'step_key'],
    rows: all.flatMap(({ names }, index) =>
      names.flatMap((name) => [
        [eventIds[index]!, false, null, name],
        [eventIds[index]!, true, 0, null],
      ]),
    ),
  })
  yield* attribute([...attributions.values()])
}

/**
 * Puts artifacts into contexts. Those that are in them are looked up first: a server would lock their rows, and everybody who
 * reuses the same artifacts would wait for everybody else.
 */
function* attribute(pairs: readonly (readonly [context: number, artifact: number])[]): Work<void> {
  const contexts = [...new Set(pairs.map(([context]) => context))]
  const rows = yield* selectIn<{ context_id: number; artifact_id: number }>(
    `SELECT context_id, artifact_id FROM Attribution WHERE context_id IN (${contexts.map(() => '?').join(', ')}) AND artifact_id IN (??)`,
    [...new Set(pairs.map(([, artifact]) => artifact))],
    { before: contexts },
  )
  const known = new Set(rows.map(({ context_id, artifact_id }) => `${context_id} ${artifact_id}`))
  yield* insert({
    table: 'Attribution',
    columns: ['context_id', 'artifact_id'],
    rows: pairs.filter(([context, artifact]) => !known.has(`${context} ${artifact}`)),
    onConflict: 'ignore',
  })
}

function keyOf(types: TypeIds, { type, digest }: StoredArtifact): string {
  return `${types.get('artifact', type)} ${hexOf(digest)}`
}

/** The ids of artifacts by type and digest, which are made where they are missing. */
function* artifactIds(
  types: TypeIds,
  named: readonly { readonly artifact: StoredArtifact; readonly now: number }[],
): Work<ReadonlyMap<string, number>> {
  const wanted = new Map(named.map((one) => [keyOf(types, one.artifact), one]))
  const ids = new Map<string, number>()
  for (const { id, key, uri } of yield* findArtifacts(types, [...wanted.values()])) {
    const { artifact, now } = wanted.get(key) ?? {}
    if (artifact === undefined) continue
    ids.set(key, id)
    // The same content in a store that moved.
    if (uri !== artifact.uri)
      yield* change('UPDATE Artifact SET uri = ?, last_update_time_since_epoch = ? WHERE id = ?', [
        artifact.uri,
        now!,
        id,
      ])
  }
  const missing = [...wanted].filter(([key]) => !ids.has(key)).map(([, one]) => one)
  if (missing.length === 0) return ids
  yield* insert({
    table: 'Artifact',
    columns: ['type_id', 'uri', 'state', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
    rows: missing.map(({ artifact, now }) => [
      types.get('artifact', artifact.type),
      artifact.uri,
      artifactState.live,
      hexOf(artifact.digest),
      now,
      now,
    ]),
    // Another writer may be about to make the same one; the key decides.
    onConflict: 'ignore',
  })
  for (const { id, key } of yield* findArtifacts(types, missing)) ids.set(key, id)
  yield* insertProperties(
    'Artifact',
    missing.map(({ artifact }) => {
      const { digest, size, properties } = artifact
      return [ids.get(keyOf(types, artifact))!, { digest, size, properties: json(properties) }]
    }),
    'ignore',
  )
  return ids
}

function* findArtifacts(
  types: TypeIds,
  wanted: readonly { readonly artifact: StoredArtifact }[],
): Work<readonly { readonly id: number; readonly key: string; readonly uri: string }[]> {
  const typeIds = [...new Set(wanted.map(({ artifact }) => types.get('artifact', artifact.type)))]
  const rows = yield* selectIn<{ id: number; type_id: number; name: string; uri: string }>(
    `SELECT id, type_id, name, uri FROM Artifact WHERE type_id IN (${typeIds.map(() => '?').join(', ')}) AND name IN (??)`,
    [...new Set(wanted.map(({ artifact }) => hexOf(artifact.digest)))],
    { before: typeIds },
  )
  return rows.map(({ id, type_id, name, uri }) => ({ id, key: `${type_id} ${name}`, uri }))
}

/** The artifacts of several executions by the names that the paths of their events hold. */
export function* linkedArtifacts(executions: readonly number[]): Work<ReadonlyMap<number, Linked>> {
  // A row a property: what an artifact is comes with where it is linked, one way to the server and back less.
  const text = `SELECT v.id AS event_id, v.execution_id, v.type AS event_type, p.step_key, r.uri, t.name AS type_name,
      x.name, x.int_value, x.double_value, x.string_value
    FROM Event v JOIN EventPath p ON p.event_id = v.id AND p.is_index_step = FALSE
    JOIN Artifact r ON r.id = v.artifact_id JOIN Type t ON t.id = r.type_id
    LEFT JOIN ArtifactProperty x ON x.artifact_id = r.id AND x.is_custom_property = TRUE AND x.name IN ('digest', 'size', 'properties')
    WHERE v.execution_id IN (??)`
  const links = new Map<string, LinkedRow & { readonly facts: { [name: string]: Facts[string] } }>()
  for (const row of yield* selectIn<LinkedRow & PropertyRow>(text, executions)) {
    const key = `${row.event_id} ${row.step_key}`
    const facts: { [name: string]: Facts[string] } = links.get(key)?.facts ?? {}
    links.set(key, { ...row, facts })
    const value = columnValue(row)
    if (value !== null) facts[row.name] = value
  }
  const linked = new Map<number, Linked>(executions.map((id) => [id, { inputs: {}, outputs: {} }]))
  const inOrder = [...links.values()].sort((a, b) => a.event_id - b.event_id || compareText(a.step_key, b.step_key))
  for (const { execution_id, event_type, step_key, uri, type_name, facts } of inOrder) {
    const { inputs, outputs } = linked.get(execution_id)!
    const side = event_type === eventType.output ? outputs : inputs
    side[step_key] = {
      type: type_name,
      digest: facts['digest'] as Digest,
      uri,
      size: Number(facts['size']),
      properties: parse(facts['properties'] ?? '{}') as JsonObject,
    }
  }
  return linked
}

interface LinkedRow {
  readonly event_id: number
  readonly execution_id: number
  readonly event_type: number
  readonly step_key: string
  readonly uri: string
  readonly type_name: string
}
