import { insert, type SqlValue, type Work } from '../sql/work.ts'
import type { KindFacts } from './kinds.ts'
import { type Mask, noMask, readMask } from './masks.ts'
import type { Artifact, Context, Execution, FieldMask, PropertyType, Whole } from './messages.ts'
import { insertValues, ownColumns, ownValues, unique, valueRows } from './node-rows.ts'
import { readNodes } from './read-nodes.ts'
import { invalid, notFound } from './status.ts'
import { checkedName, checkedText, typeOfValue } from './stored-values.ts'
import { type StoredType, typesById } from './types.ts'
import { update } from './update-nodes.ts'

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
  const mask = readMask(facts, options.mask)
  // A node that stands twice is changed twice, one after the other.
  for (const some of withoutRepeats(nodes)) {
    const stored = new Map(
      (yield* readNodes(
        facts,
        some.flatMap(({ node }) => node.id ?? []),
        { locking: true },
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
      check(facts, node, types.get(typeId)!, found === undefined ? noMask : mask)
      if (found === undefined) added.push({ at, node, typeId })
      else {
        yield* update(facts, found, node, mask, options)
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

/** Checks what is stored of a node by itself and against its type. Throws `INVALID_ARGUMENT`. */
function check(facts: KindFacts, node: GivenNode, type: StoredType, mask: Mask): void {
  if (facts.kind === 'Context' && mask.field('name') && !node.name) throw invalid('A context needs a name.')
  if (facts.kind === 'Context' || node.id === undefined) checkedText('The name', node.name ?? '')
  if (mask.field('externalId')) checkedText('The external id', node.externalId ?? '')
  if (mask.field('uri')) checkedText('The uri', node.uri ?? '')
  const known: ReadonlyMap<string, PropertyType> = type.properties ?? new Map()
  for (const [name, value] of node.properties ?? []) {
    if (!mask.property(name, false)) continue
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
    'fail',
  )
  if (later === undefined) yield* values
  else later.push(values)
  return ids
}

/** An id as a number; 0, which is the id of nothing, for one that no database gave. Throws `INVALID_ARGUMENT` without one. */
export function idOf(place: string, id: Whole | undefined): number {
  if (id === undefined) throw invalid(`${place} is missing.`)
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : 0
}

function nameOrNull(place: string, name: string | undefined): string | null {
  return name === undefined ? null : checkedName(place, name)
}
