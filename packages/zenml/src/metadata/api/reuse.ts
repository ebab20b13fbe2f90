import { together } from '../sql/together.ts'
import { select, selectIn, type Work } from '../sql/work.ts'
import { kinds } from './kinds.ts'
import type { Artifact, Context } from './messages.ts'
import { invalid } from './status.ts'
import { checkedText } from './stored-values.ts'
import { type PutOptions, putNodes, typesOf } from './write-nodes.ts'

/**
 * Stores artifacts and gives their ids in order; with `reuse` those with the external id of a stored one, be it one of the same
 * request, change that one.
 */
export function* putArtifacts(
  artifacts: readonly Artifact[],
  reuse: boolean,
  put: PutOptions,
): Work<readonly number[]> {
  if (!reuse) return yield* putNodes(kinds.Artifact, artifacts, put)
  const ids: number[] = []
  while (ids.length < artifacts.length) {
    const seen = new Set<string>()
    const rest = artifacts.slice(ids.length)
    const again = rest.findIndex(({ id, externalId }) => {
      if (id !== undefined || !externalId) return false
      return seen.has(externalId) || !seen.add(externalId)
    })
    const some = again < 0 ? rest : rest.slice(0, again)
    ids.push(...(yield* putNodes(kinds.Artifact, yield* reuseArtifacts(some), put)))
  }
  return ids
}

/** Artifacts as given, with the id of the stored one where one has their external id. */
function* reuseArtifacts(artifacts: readonly Artifact[]): Work<readonly Artifact[]> {
  const externalIds = artifacts.flatMap(({ id, externalId }) => (id === undefined && externalId ? externalId : []))
  const rows = yield* selectIn<{ id: number; external_id: string }>(
    'SELECT id, external_id FROM Artifact WHERE external_id IN (??)',
    [...new Set(externalIds)],
  )
  const known = new Map(rows.map(({ id, external_id }) => [external_id, id]))
  return artifacts.map((artifact) => {
    const id = artifact.id === undefined && artifact.externalId ? known.get(artifact.externalId) : undefined
    return id === undefined ? artifact : { ...artifact, id }
  })
}

/**
 * The ids of contexts by type and name. Those that are not there are stored first, so that of several writers of one new context
 * each gets the same id: the database keeps the first, the others find it.
 */
export function* reuseContexts(
  contexts: readonly Context[],
  options: PutOptions,
): Work<readonly (number | undefined)[]> {
  for (const { typeId, name } of contexts) {
    if (typeId === undefined) throw invalid('A context needs a type_id.')
    if (!name) throw invalid('A context needs a name.')
    checkedText('The name', name)
  }
  let known = yield* find(contexts)
  const missing = contexts.filter((context) => context.id === undefined && !known.has(keyOf(context)))
  if (missing.length > 0) {
    yield* typesOf(
      kinds.Context,
      missing.map(({ typeId }) => Number(typeId)),
      options.types,
    )
    // Sorted, so that writers of the same contexts wait for one another instead of blocking one another.
    const fresh = [...new Map(missing.map((context) => [keyOf(context), context])).values()].sort((left, right) =>
      keyOf(left) < keyOf(right) ? -1 : 1,
    )
    // What says nothing but its type and name is the same whoever stores it.
    ;[, known] = yield* together([storeNew(fresh.filter(isPlain), options.now), find(fresh.filter(isPlain), known)])
    for (const context of fresh.filter((one) => !isPlain(one))) {
      const [stored, found] = yield* together([storeNew([context], options.now), find([context], known)])
      known = found
      if (stored > 0) yield* putNodes(kinds.Context, [{ ...context, id: known.get(keyOf(context))! }], options)
    }
  }
  return contexts.map((context) => known.get(keyOf(context)))
}

/** Stores contexts that are not there, by type and name; gives how many were not. */
function* storeNew(contexts: readonly Context[], now: number): Work<number> {
  if (contexts.length === 0) return 0
  const answer = yield {
    table: 'Context',
    columns: ['type_id', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
    rows: contexts.map(({ typeId, name }) => [typeId!, name!, now, now]),
    onConflict: 'ignore',
  }
  return answer.changes
}

function isPlain({ externalId, properties, customProperties }: Context): boolean {
  return externalId === undefined && !properties?.size && !customProperties?.size
}

function* find(
  contexts: readonly Context[],
  known: ReadonlyMap<string, number> = new Map(),
): Work<Map<string, number>> {
  const found = new Map(known)
  const wanted = contexts.filter((context) => !found.has(keyOf(context)))
  for (let from = 0; from < wanted.length; from += 100) {
    const some = wanted.slice(from, from + 100)
    const rows = yield* select<{ id: number; type_id: number; name: string }>(
      `SELECT id, type_id, name FROM Context WHERE ${some.map(() => '(type_id = ? AND name = ?)').join(' OR ')}`,
      some.flatMap(({ typeId, name }) => [typeId!, name!]),
    )
    for (const { id, type_id, name } of rows) found.set(`${type_id} ${name}`, id)
  }
  return found
}

function keyOf({ typeId, name }: Context): string {
  return `${typeId} ${name}`
}
