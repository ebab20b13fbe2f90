import type { Database, Statement } from 'better-sqlite3'
import { ZenmlError } from '../base/errors.ts'
import { typeKind } from './schema-10.ts'

/** States and event types as ML Metadata numbers them (metadata_store.proto). */
export const executionState = { running: 2, complete: 3, failed: 4, cached: 5, canceled: 6 } as const
export const artifactState = { live: 2 } as const
export const eventType = { input: 3, output: 4 } as const

/** Values of custom properties. */
export type PropertyValue = string | number

/** Custom properties by name; undefined ones are left out. */
export interface Properties {
  readonly [name: string]: PropertyValue | undefined
}

type Node = 'Artifact' | 'Execution' | 'Context'

const statements = new WeakMap<Database, Map<string, Statement>>()

/** A prepared statement, prepared once for each database. */
export function sql(database: Database, text: string): Statement {
  let known = statements.get(database)
  if (known === undefined) {
    known = new Map()
    statements.set(database, known)
  }
  let statement = known.get(text)
  if (statement === undefined) {
    statement = database.prepare(text)
    known.set(text, statement)
  }
  return statement
}

/** The id of a type, which is created where it is missing; `base` links it to a simple type. */
export function typeId(database: Database, kind: keyof typeof typeKind, name: string, base?: string): number {
  const find = sql(
    database,
    'SELECT id FROM Type WHERE name = ? AND type_kind = ? AND version IS NULL ORDER BY id LIMIT 1',
  ).pluck()
  const found = find.get(name, typeKind[kind]) as number | undefined
  if (found !== undefined) return found
  checkText('type name', name)
  const id = Number(
    sql(database, 'INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(name, typeKind[kind]).lastInsertRowid,
  )
  const parent = base === undefined ? undefined : (find.get(base, typeKind[kind]) as number | undefined)
  if (parent !== undefined)
    sql(database, 'INSERT INTO ParentType (type_id, parent_type_id) VALUES (?, ?)').run(id, parent)
  return id
}

/** The id of a context by type and name, which is created where it is missing. */
export function contextId(database: Database, type: string, name: string, now: number): number {
  const id = findContext(database, type, name)
  if (id !== undefined) return id
  checkText('context name', name)
  const insert = sql(
    database,
    'INSERT INTO Context (type_id, name, create_time_since_epoch, last_update_time_since_epoch) VALUES (?, ?, ?, ?)',
  )
  return Number(insert.run(typeId(database, 'context', type), name, now, now).lastInsertRowid)
}

/** The id of a context by type and name, or undefined. */
export function findContext(database: Database, type: string, name: string): number | undefined {
  const text =
    'SELECT c.id FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = ? AND t.type_kind = 2 AND c.name = ?'
  return sql(database, text).pluck().get(type, name) as number | undefined
}

/** Inserts an execution and puts it into contexts. */
export function insertExecution(
  database: Database,
  execution: {
    readonly type: string
    readonly state: number
    readonly contexts: readonly number[]
    readonly properties: Properties
    readonly now: number
  },
): number {
  const { type, state, contexts, properties, now } = execution
  const insert = sql(
    database,
    'INSERT INTO Execution (type_id, last_known_state, create_time_since_epoch, last_update_time_since_epoch) VALUES (?, ?, ?, ?)',
  )
  const id = Number(insert.run(typeId(database, 'execution', type), state, now, now).lastInsertRowid)
  setProperties(database, 'Execution', id, properties)
  for (const context of contexts)
    sql(database, 'INSERT OR IGNORE INTO Association (context_id, execution_id) VALUES (?, ?)').run(context, id)
  return id
}

/** Sets the state of an execution. */
export function setExecutionState(database: Database, execution: number, state: number, now: number): void {
  sql(database, 'UPDATE Execution SET last_known_state = ?, last_update_time_since_epoch = ? WHERE id = ?').run(
    state,
    now,
    execution,
  )
}

/** Sets custom properties, one row each; others stay. */
export function setProperties(database: Database, node: Node, id: number, properties: Properties): void {
  const table = `${node}Property`
  const key = `${node.toLowerCase()}_id`
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue
    const column = typeof value === 'string' ? 'string_value' : Number.isInteger(value) ? 'int_value' : 'double_value'
    if (typeof value === 'string') checkText(name, value)
    else if (!Number.isFinite(value))
      throw new ZenmlError(
        'ZEN_METADATA_VALUE',
        `Property "${name}" is ${value}; ML Metadata keeps finite numbers only.`,
        { exitCode: 1 },
      )
    sql(
      database,
      `INSERT OR REPLACE INTO ${table} (${key}, name, is_custom_property, ${column}) VALUES (?, ?, 1, ?)`,
    ).run(id, name, value)
  }
}

/** Custom properties of several nodes, by id. */
export function getProperties(
  database: Database,
  node: Node,
  ids: readonly number[],
): Map<number, { readonly [name: string]: PropertyValue }> {
  const key = `${node.toLowerCase()}_id`
  const text = `SELECT ${key} AS id, name, coalesce(int_value, double_value, string_value) AS value FROM ${node}Property WHERE ${key} IN (SELECT value FROM json_each(?)) AND is_custom_property = 1`
  const found = new Map<number, { [name: string]: PropertyValue }>(ids.map((id) => [id, {}]))
  for (const { id, name, value } of sql(database, text).all(JSON.stringify(ids)) as {
    id: number
    name: string
    value: PropertyValue
  }[])
    found.get(id)![name] = value
  return found
}

/** Connects an artifact and an execution; the path says by which input or output. An artifact under several names has one event with several steps. */
export function insertEvent(
  database: Database,
  artifact: number,
  execution: number,
  type: number,
  key: string,
  now: number,
): void {
  const find = sql(database, 'SELECT id FROM Event WHERE artifact_id = ? AND execution_id = ? AND type = ?').pluck()
  let event = find.get(artifact, execution, type) as number | undefined
  if (event === undefined) {
    const insert = sql(
      database,
      'INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch) VALUES (?, ?, ?, ?)',
    )
    event = Number(insert.run(artifact, execution, type, now).lastInsertRowid)
  }
  sql(database, 'INSERT INTO EventPath (event_id, is_index_step, step_key) VALUES (?, 0, ?)').run(event, key)
  sql(database, 'INSERT INTO EventPath (event_id, is_index_step, step_index) VALUES (?, 1, 0)').run(event)
}

/** What Google's library would cut, misread or refuse is refused here. */
function checkText(what: string, text: string): void {
  if (text.includes('\0') || text === '__MLMD_NULL__' || text.startsWith('mlmd-struct::')) {
    throw new ZenmlError('ZEN_METADATA_VALUE', `${what} holds a text that ML Metadata cannot keep.`, {
      facts: { what },
      exitCode: 1,
    })
  }
}
