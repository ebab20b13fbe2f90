import { ZenmlError } from '../base/errors.ts'
import { checkName } from './properties.ts'
import { insert, selectIn, type Work } from './sql/work.ts'
import { findTypes, type TypeIds } from './types.ts'

/** The types of our contexts. */
export type ContextType = 'pipeline' | 'pipeline_run' | 'node' | 'execution_cache' | 'item_cache' | 'verification'

/** A context by type and name. */
export type ContextName = readonly [type: ContextType, name: string]

/** The ids of contexts by type and name; undefined for those that are not there. */
export function* findContexts(wanted: readonly ContextName[], given?: TypeIds): Work<readonly (number | undefined)[]> {
  if (wanted.length === 0) return []
  const types = given ?? (yield* findTypes([...new Set(wanted.map(([type]) => type))]))
  const keys = wanted.map(([type, name]) => `${types.find('context', type) ?? ''} ${name}`)
  const ids = [...new Set(wanted.flatMap(([type]) => types.find('context', type) ?? []))]
  if (ids.length === 0) return wanted.map(() => undefined)
  const rows = yield* selectIn<{ id: number; type_id: number; name: string }>(
    `SELECT id, type_id, name FROM Context WHERE type_id IN (${ids.map(() => '?').join(', ')}) AND name IN (??)`,
    [...new Set(wanted.map(([, name]) => name))],
    { before: ids },
  )
  // A collation may find names that differ in case: the exact one counts.
  const found = new Map(rows.map(({ id, type_id, name }) => [`${type_id} ${name}`, id]))
  return keys.map((key) => found.get(key))
}

/** The id of a context by type and name; undefined where it is not there. */
export function* findContext(type: ContextType, name: string): Work<number | undefined> {
  return (yield* findContexts([[type, name]]))[0]
}

/**
 * The ids of contexts by type and name, which are made where they are missing. The unique key decides between writers who make the
 * same one at once: the later one waits, and finds it then.
 *
 * Throws `ZEN_METADATA_NAME` where the database takes a name for another one that is there.
 */
export function* contextIds(types: TypeIds, wanted: readonly ContextName[], now: number): Work<readonly number[]> {
  const found = yield* findContexts(wanted, types)
  const missing = wanted.filter((_context, index) => found[index] === undefined)
  if (missing.length === 0) return found as readonly number[]
  yield* insert({
    table: 'Context',
    columns: ['type_id', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
    rows: missing.map(([type, name]) => [types.get('context', type), checkName('context name', name), now, now]),
    onConflict: 'ignore',
  })
  const made = (yield* findContexts(missing, types))[Symbol.iterator]()
  return found.map((known, index) => known ?? made.next().value ?? sameName(wanted[index]!))
}

/** Makes other writers of a context wait until this transaction ends: what is read of it from now on stays. */
export function* lockContext(id: number): Work<void> {
  yield { text: 'UPDATE Context SET name = name WHERE id = ?', values: [id] }
}

function sameName([type, name]: ContextName): never {
  throw new ZenmlError(
    'ZEN_METADATA_NAME',
    `The database takes the ${type} "${name}" for another one, whose name differs in case or accents only.`,
    {
      facts: { type, name },
      next: 'Choose another name, or keep metadata in a database with a binary collation.',
      exitCode: 1,
    },
  )
}
