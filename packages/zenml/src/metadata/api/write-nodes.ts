import { SqlError } from '../sql/database.ts'
import { change, insert, type SqlValue, type Work } from '../sql/work.ts'
import { artifactStates, executionStates, type KindFacts } from './kinds.ts'
import type { Artifact, Context, Execution, FieldMask, PropertyType, Value, Values, Whole } from './messages.ts'
import { readNodes, type StoredNode } from './read-nodes.ts'
import { alreadyExists, invalid, notFound, StatusError } from './status.ts'
import { checkedName, checkedText, columnsOf, typeOfValue, valueColumns } from './stored-values.ts'
import { type StoredType, typesById } from './types.ts'

/** A node as it is given; fields that its kind lacks are absent. */
export type GivenNode = Artifact & Execution & Context

/** How nodes are stored. */
export interface PutOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Of stored nodes only these fields are changed. Default: everything is replaced. */
  readonly mask?: FieldMask | undefined
  /** Whether a stored node must have the given time of its last update. Default false. */
  readonly abortIfChanged?: boolean | undefined
  /** Whether the time of the last update moves even where nothing else does. Default false. */
  readonly forceUpdateTime?: boolean | undefined
  /** Is given what may be done later in the transaction, together with other work, instead of being done at once. */
  readonly later?: Later | undefined
  /** Types that were read before, which saves reading them again; they only ever grow. */
  readonly types?: TypeCache | undefined
}

/** Work that belongs to what was done and that nothing else waits for. */
export type Later = Work<unknown>[]

/** Types by kind and id. */
export type TypeCache = Map<string, StoredType>

/**
 * Stores nodes, new ones without an id, and gives their ids in order.
 *
 * Throws `NOT_FOUND` for an unknown type, `INVALID_ARGUMENT` for an unknown id, another type than the stored one and properties
 * that the type does not have, `ALREADY_EXISTS` for a taken name or external id, `FAILED_PRECONDITION` where `abortIfChanged` finds
 * another time.
 */
export function* putNodes(facts: KindFacts, nodes: readonly GivenNode[], options: PutOptions): Work<readonly number[]> {
  const ids: number[] = new Array(nodes.length)
  // A node that stands twice is changed twice, one after the other.
  for (const some of withoutRepeats(nodes)) {
    const stored = new Map(
      (yield* readNodes(
        facts,
        some.flatMap(({ node }) => node.id ?? []),
      )).map((node) => [node.id, node]),
    )
    const wanted = some.map(({ node }) => {
      const found = node.id === undefined ? undefined : stored.get(Number(node.id))
      if (node.id !== undefined && found === undefined)
        throw invalid(`There is no ${facts.word} with the id ${node.id}.`)
      if (found !== undefined && node.typeId !== undefined && Number(node.typeId) !== found.typeId)
        throw invalid(`The type of ${facts.word} ${found.id} is ${found.typeId}, not ${node.typeId}.`)
      const typeId = found?.typeId ?? node.typeId
      if (typeId === undefined) throw invalid(`A new ${facts.word} needs a type_id.`)
      return { node, found, typeId: Number(typeId) }
    })
    const types = yield* typesOf(
      facts,
      wanted.map(({ typeId }) => typeId),
      options.types,
    )
    // A type that was read before may have been given a property since.
    const grown = wanted.filter(({ node, typeId }) =>
      [...(node.properties?.keys() ?? [])].some((name) => types.get(typeId)!.properties?.has(name) !== true),
    )
    for (const [id, type] of yield* typesOf(
      facts,
      grown.map(({ typeId }) => typeId),
    ))
      types.set(id, remember(options.types, facts, type))
    const added: { at: number; node: GivenNode; typeId: number }[] = []
    for (const [index, { node, found, typeId }] of wanted.entries()) {
      const { at } = some[index]!
      check(facts, node, types.get(typeId)!)
      if (found === undefined) added.push({ at, node, typeId })
      else {
        yield* update(facts, found, node, options)
        ids[at] = found.id
      }
    }
    const given = yield* add(facts, added, options)
    for (const [index, { at }] of added.entries()) ids[at] = given[index]!
  }
  return ids
}

/** The nodes in as few lists as may be, in none of which an id stands twice. */
function withoutRepeats(nodes: readonly GivenNode[]): { readonly at: number; readonly node: GivenNode }[][] {
  const lists: { at: number; node: GivenNode }[][] = [[]]
  let seen = new Set<number>()
  for (const [at, node] of nodes.entries()) {
    if (node.id !== undefined && seen.has(Number(node.id))) {
      lists.push([])
      seen = new Set()
    }
    if (node.id !== undefined) seen.add(Number(node.id))
    lists.at(-1)!.push({ at, node })
  }
  return lists
}

/** The types with these ids, as they were read before or as they are. Throws `NOT_FOUND` where one is missing. */
export function* typesOf(facts: KindFacts, ids: readonly number[], cache?: TypeCache): Work<Map<number, StoredType>> {
  const types = new Map<number, StoredType>()
  for (const id of ids) {
    const known = cache?.get(`${facts.kind} ${id}`)
    if (known !== undefined) types.set(id, known)
  }
  const unknown = ids.filter((id) => !types.has(id))
  for (const type of yield* typesById(facts, unknown)) types.set(type.id, remember(cache, facts, type))
  const missing = ids.find((id) => !types.has(id))
  if (missing !== undefined) throw notFound(`There is no type of ${facts.word}s with the id ${missing}.`)
  return types
}

function remember(cache: TypeCache | undefined, facts: KindFacts, type: StoredType): StoredType {
  cache?.set(`${facts.kind} ${type.id}`, type)
  return type
}

function check(facts: KindFacts, node: GivenNode, type: StoredType): void {
  if (facts.kind === 'Context' && node.id === undefined && !node.name) throw invalid('A context needs a name.')
  const known: ReadonlyMap<string, PropertyType> = type.properties ?? new Map()
  for (const [name, value] of node.properties ?? []) {
    const expected = known.get(name)
    if (expected === undefined) throw invalid(`Type "${type.name}" has no property "${name}".`)
    const given = typeOfValue(value)
    if (given !== expected) throw invalid(`Property "${name}" of type "${type.name}" is ${expected}, not ${given}.`)
  }
}

function* add(
  facts: KindFacts,
  added: readonly { readonly node: GivenNode; readonly typeId: number }[],
  { now, later }: PutOptions,
): Work<readonly number[]> {
  if (added.length === 0) return []
  const columns = ['type_id', 'name', 'external_id', ...ownColumns(facts)]
  const rows = added.map(({ node, typeId }): SqlValue[] => [
    typeId,
    nameOrNull('The name', node.name),
    nameOrNull('The external id', node.externalId),
    ...ownValues(facts, node),
    now,
    now,
  ])
  const ids = yield* unique(
    facts,
    insert({
      table: facts.table,
      columns: [...columns, 'create_time_since_epoch', 'last_update_time_since_epoch'],
      rows,
      ids: true,
    }),
  )
  const values = insertValues(
    facts,
    added.flatMap(({ node }, index) => valueRows(ids[index]!, node)),
  )
  if (later === undefined) yield* values
  else later.push(values)
  return ids
}

/** The columns that only this kind has. */
function ownColumns(facts: KindFacts): readonly string[] {
  return facts.kind === 'Artifact' ? ['uri', 'state'] : facts.kind === 'Execution' ? ['last_known_state'] : []
}

function ownValues(facts: KindFacts, node: GivenNode): readonly SqlValue[] {
  if (facts.kind === 'Artifact') {
    const state = node.state === undefined ? null : artifactStates.indexOf(node.state)
    return [checkedText('The uri', node.uri ?? ''), state]
  }
  if (facts.kind === 'Context') return []
  return [node.lastKnownState === undefined ? null : executionStates.indexOf(node.lastKnownState)]
}

function nameOrNull(place: string, name: string | undefined): string | null {
  return name === undefined ? null : checkedName(place, name)
}

function textOrNull(place: string, text: string | undefined): string | null {
  return text === undefined ? null : checkedText(place, text)
}

type PropertyRow = readonly [id: number, name: string, custom: boolean, ...values: SqlValue[]]

function valueRows(id: number, node: GivenNode): PropertyRow[] {
  return [...rowsOf(id, false, node.properties), ...rowsOf(id, true, node.customProperties)]
}

function rowsOf(id: number, custom: boolean, values: Values | undefined): PropertyRow[] {
  return [...(values ?? [])].map(([name, value]) => [
    id,
    checkedName('The name of the property', name),
    custom,
    ...columnsOf(`Property "${name}"`, value),
  ])
}

function* insertValues(facts: KindFacts, rows: readonly PropertyRow[]): Work<void> {
  yield* inRange(
    insert({
      table: facts.propertyTable,
      columns: [facts.key, 'name', 'is_custom_property', ...valueColumns],
      rows,
      onConflict: { keys: [facts.key, 'name', 'is_custom_property'], update: [...valueColumns] },
    }),
  )
}

function* update(facts: KindFacts, stored: StoredNode, given: GivenNode, options: PutOptions): Work<void> {
  if (
    options.abortIfChanged === true &&
    Number(given.lastUpdateTimeSinceEpoch ?? -1) !== stored.lastUpdateTimeSinceEpoch
  )
    throw new StatusError(
      'FAILED_PRECONDITION',
      `The ${facts.word} ${stored.id} was last updated at ${stored.lastUpdateTimeSinceEpoch}, not at ${given.lastUpdateTimeSinceEpoch ?? 'a time that was given'}.`,
    )
  const node = options.mask?.paths?.length ? masked(facts, stored, given, options.mask.paths) : given
  const properties = changesOf(stored.properties, node.properties)
  const customProperties = changesOf(stored.customProperties, node.customProperties)
  for (const [custom, { removed }] of [[false, properties] as const, [true, customProperties] as const]) {
    for (const name of removed)
      yield* change(
        `DELETE FROM ${facts.propertyTable} WHERE ${facts.key} = ? AND name = ? AND is_custom_property = ?`,
        [stored.id, name, custom],
      )
  }
  yield* insertValues(facts, [
    ...rowsOf(stored.id, false, properties.set),
    ...rowsOf(stored.id, true, customProperties.set),
  ])
  // Only contexts can be renamed; another name of an artifact or execution is ignored, as the real core does.
  const name = facts.kind === 'Context' && node.name ? node.name : stored.name
  const columns = ['external_id', ...ownColumns(facts), ...(facts.kind === 'Context' ? ['name'] : [])]
  const valuesOf = (one: GivenNode, named: string | undefined): readonly SqlValue[] => [
    textOrNull('The external id', one.externalId),
    ...ownValues(facts, one),
    ...(facts.kind === 'Context' ? [textOrNull('The name', named)] : []),
  ]
  // What others stored in SQLite may be longer than new names: it stays as it is.
  if (facts.kind === 'Context' && name !== stored.name) nameOrNull('The name', name)
  if (node.externalId !== stored.externalId) nameOrNull('The external id', node.externalId)
  const values = valuesOf(node, name)
  const same =
    properties.removed.length + customProperties.removed.length + properties.set.size + customProperties.set.size ===
      0 && JSON.stringify(values) === JSON.stringify(valuesOf(stored, stored.name))
  if (same && options.forceUpdateTime !== true) return
  yield* unique(
    facts,
    change(
      `UPDATE ${facts.table} SET ${columns.map((column) => `${column} = ?`).join(', ')}, last_update_time_since_epoch = ? WHERE id = ?`,
      [...values, options.now, stored.id],
    ),
  )
}

/** The stored node with the fields of the mask as given; what is in the mask and not given is cleared. */
function masked(facts: KindFacts, stored: StoredNode, given: GivenNode, paths: readonly string[]): GivenNode {
  const properties = new Map(stored.properties)
  const customProperties = new Map(stored.customProperties)
  const node: { -readonly [field in keyof GivenNode]: GivenNode[field] } = { ...stored, properties, customProperties }
  for (const path of paths) {
    const [field = '', ...rest] = path.split('.')
    const key = rest.join('.')
    const values = field === 'properties' ? properties : field === 'custom_properties' ? customProperties : undefined
    if (values !== undefined) {
      const from = field === 'properties' ? given.properties : given.customProperties
      if (key === '') values.clear()
      for (const [name, value] of from ?? []) if (key === '' || key === name) values.set(name, value)
      if (key !== '' && from?.has(key) !== true) values.delete(key)
      continue
    }
    const camel = fieldNames[field]
    if (camel === undefined || key !== '')
      throw invalid(`The mask names "${path}", which is no field of a ${facts.word}.`)
    if (given[camel] === undefined) delete node[camel]
    else Object.assign(node, { [camel]: given[camel] })
  }
  return node
}

const fieldNames: { readonly [field: string]: keyof GivenNode | undefined } = {
  uri: 'uri',
  state: 'state',
  last_known_state: 'lastKnownState',
  name: 'name',
  external_id: 'externalId',
  id: 'id',
  type_id: 'typeId',
}

function changesOf(
  before: Values | undefined,
  after: Values | undefined,
): { readonly removed: readonly string[]; readonly set: ReadonlyMap<string, Value> } {
  const removed = [...(before?.keys() ?? [])].filter((name) => after?.has(name) !== true)
  const set = new Map<string, Value>()
  for (const [name, value] of after ?? []) {
    const known = before?.get(name)
    if (known === undefined || !sameColumns(name, known, value)) set.set(name, value)
  }
  return { removed, set }
}

function sameColumns(name: string, left: Value, right: Value): boolean {
  const [a, b] = [columnsOf(name, left), columnsOf(name, right)]
  return a.every((value, index) => {
    const other = b[index]!
    return typeof value === 'bigint' || typeof other === 'bigint'
      ? String(value) === String(other)
      : Object.is(value, other)
  })
}

/** Says in ML Metadata's words that a name or an external id is taken. */
export function* unique<T>(facts: KindFacts, work: Work<T>): Work<T> {
  try {
    return yield* work
  } catch (error) {
    if (error instanceof SqlError && error.kind === 'unique')
      throw alreadyExists(`There is a ${facts.word} with this name or external id.`, error)
    throw error
  }
}

function* inRange<T>(work: Work<T>): Work<T> {
  try {
    return yield* work
  } catch (error) {
    if (error instanceof SqlError && error.kind === 'range')
      throw new StatusError('INVALID_ARGUMENT', 'A whole number does not fit: this database keeps 32 bits.', error)
    throw error
  }
}

/** An id as a number, where it is one that a database may have given. */
export function idOf(place: string, id: Whole | undefined): number {
  if (id === undefined) throw invalid(`${place} is missing.`)
  return Number(id)
}
