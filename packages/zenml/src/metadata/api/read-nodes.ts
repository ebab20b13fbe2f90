import { type SqlValue, selectIn, type Work } from '../sql/work.ts'
import { artifactStates, executionStates, type KindFacts } from './kinds.ts'
import type { Artifact, Context, Execution, Value, Whole } from './messages.ts'
import { invalid, notFound } from './status.ts'
import { storedValue, type ValueRow, valueColumns } from './stored-values.ts'

/** A node of any kind as it is read: with its id and the name of its type. */
export type StoredNode = (Artifact & Execution & Context) & { readonly id: number; readonly typeId: number }

interface NodeRow {
  readonly id: number
  readonly type_id: number
  readonly type_name: string | null
  readonly name: string | null
  readonly external_id: string | null
  readonly create_time_since_epoch: number
  readonly last_update_time_since_epoch: number
  readonly uri?: string | null
  readonly state?: number | null
  readonly last_known_state?: number | null
}

/**
 * Nodes by id with their properties, in the order of `ids`; missing ones are left out, repeated ones come once. With `locking` nobody
 * else changes them before the transaction ends, and they come without the names of their types.
 */
export function* readNodes(
  facts: KindFacts,
  ids: readonly Whole[],
  { locking = false }: { readonly locking?: boolean } = {},
): Work<readonly StoredNode[]> {
  const wanted = possibleIds(ids)
  if (wanted.length === 0) return []
  const [name, join] = locking ? ['NULL', ''] : ['t.name', 'LEFT JOIN Type t ON t.id = n.type_id']
  const rows = yield* selectIn<NodeRow>(
    `SELECT n.*, ${name} AS type_name FROM ${facts.table} n ${join} WHERE n.id IN (??)`,
    wanted,
    { locking },
  )
  const properties = yield* selectIn<ValueRow & { readonly id: number }>(
    `SELECT ${facts.key} AS id, name, is_custom_property, ${valueColumns.join(', ')} FROM ${facts.propertyTable} WHERE ${facts.key} IN (??)`,
    wanted,
    { wide: true },
  )
  const own = new Map<number, Map<string, Value>>()
  const custom = new Map<number, Map<string, Value>>()
  for (const row of properties) {
    const value = storedValue(row)
    // The real core refuses to read a node with such a row; the row says nothing, so nothing is lost.
    if (value === undefined) continue
    const side = row.is_custom_property === 0 ? own : custom
    const known = side.get(row.id)
    if (known === undefined) side.set(row.id, new Map([[row.name, value]]))
    else known.set(row.name, value)
  }
  const byId = new Map(rows.map((row) => [row.id, nodeOf(row, own.get(row.id), custom.get(row.id))]))
  return wanted.flatMap((id) => byId.get(id) ?? [])
}

function nodeOf(
  row: NodeRow,
  properties: Map<string, Value> | undefined,
  customProperties: Map<string, Value> | undefined,
): StoredNode {
  return {
    id: row.id,
    typeId: row.type_id,
    ...(row.type_name === null ? {} : { type: row.type_name }),
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    ...(row.uri === undefined || row.uri === null ? {} : { uri: row.uri }),
    ...(row.state === undefined || row.state === null ? {} : { state: artifactStates[row.state] ?? 'UNKNOWN' }),
    ...(row.last_known_state === undefined || row.last_known_state === null
      ? {}
      : { lastKnownState: executionStates[row.last_known_state] ?? 'UNKNOWN' }),
    ...(properties === undefined ? {} : { properties }),
    ...(customProperties === undefined ? {} : { customProperties }),
    createTimeSinceEpoch: row.create_time_since_epoch,
    lastUpdateTimeSinceEpoch: row.last_update_time_since_epoch,
  }
}

/** The ids that a database may have given, each once: an id beyond 2^53 would be taken for a neighbour of its. */
export function possibleIds(ids: readonly Whole[]): readonly number[] {
  return [...new Set(ids.map(Number))].filter((id) => Number.isSafeInteger(id))
}

/** Which of the ids there are nodes for. */
export function* existing(facts: KindFacts, ids: readonly Whole[]): Work<ReadonlySet<number>> {
  const rows = yield* selectIn<{ id: number }>(`SELECT id FROM ${facts.table} WHERE id IN (??)`, possibleIds(ids))
  return new Set(rows.map(({ id }) => id))
}

/** Nodes whose ids a query gives that has `(??)` for a list of values, in the order of their ids. */
export function* linkedNodes(
  facts: KindFacts,
  text: string,
  list: readonly SqlValue[],
  after: readonly SqlValue[] = [],
): Work<readonly StoredNode[]> {
  const rows = yield* selectIn<{ id: number }>(text, list, { after })
  return yield* readNodes(
    facts,
    rows.map(({ id }) => id).sort((left, right) => left - right),
  )
}

/** Nodes by external id. Throws `INVALID_ARGUMENT` for an empty one, `NOT_FOUND` where there is none of them. */
export function* nodesByExternalId(facts: KindFacts, externalIds: readonly string[]): Work<readonly StoredNode[]> {
  if (externalIds.some((id) => id === '')) throw invalid('An external id is empty.')
  if (externalIds.length === 0) return []
  const found = yield* linkedNodes(facts, `SELECT id FROM ${facts.table} WHERE external_id IN (??)`, externalIds)
  const exact = found.filter(({ externalId }) => externalIds.includes(externalId!))
  if (exact.length === 0) throw notFound(`No ${facts.word} has one of these external ids.`)
  return exact
}

/** A node by the name of its type and its own; undefined where there is none. */
export function* nodeByTypeAndName(facts: KindFacts, type: number, name: string): Work<StoredNode | undefined> {
  const text = `SELECT id FROM ${facts.table} WHERE name IN (??) AND type_id = ?`
  const found = yield* linkedNodes(facts, text, [name], [type])
  return found.find((node) => node.name === name)
}

/** Artifacts by URI. */
export function* artifactsByUri(facts: KindFacts, uris: readonly string[]): Work<readonly StoredNode[]> {
  const found = yield* linkedNodes(facts, `SELECT id FROM ${facts.table} WHERE uri IN (??)`, [...new Set(uris)])
  return found.filter(({ uri }) => uris.includes(uri!))
}
