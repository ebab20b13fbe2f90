import { checkName } from './properties.ts'
import { typeKind } from './schema-10.ts'
import { insert, select, selectIn, type Work } from './sql/work.ts'
import { lockTypes } from './type-lock.ts'

/** A type by kind and name. */
export interface TypeName {
  readonly kind: keyof typeof typeKind
  readonly name: string
  /** The simple type that it is linked to when it is made. */
  readonly base?: string | undefined
}

/** Ids of types that were asked for. */
export interface TypeIds {
  /** Undefined where there is none. */
  find(kind: keyof typeof typeKind, name: string): number | undefined
  /** Throws where there is none. */
  get(kind: keyof typeof typeKind, name: string): number
}

/** The types with some names that are there; of several with one name the oldest counts. */
export function* findTypes(names: readonly string[]): Work<TypeIds> {
  return lookup(yield* knownTypes(names))
}

/** Types by kind and name, which are made where they are missing, in the order in which they are given. */
export function* typeIds(wanted: readonly TypeName[]): Work<TypeIds> {
  const names = wanted.flatMap(({ name, base }) => (base === undefined ? [name] : [name, base]))
  const known = yield* knownTypes([...new Set(names)])
  for (const { kind, name, base } of wanted) {
    if (known.has(keyOf(kind, name))) continue
    const parent = base === undefined ? undefined : known.get(keyOf(kind, base))
    known.set(keyOf(kind, name), yield* typeId(kind, name, parent))
  }
  return lookup(known)
}

/**
 * The id of a type that was not there a moment ago. `Type` has no unique key, so this is the one place where two transactions could
 * make the same twice: it waits for others who make types, and then looks again.
 */
function* typeId(kind: keyof typeof typeKind, name: string, parent: number | undefined): Work<number> {
  checkName('type name', name)
  yield* lockTypes()
  const text = 'SELECT id, name FROM Type WHERE name = ? AND type_kind = ? AND version IS NULL ORDER BY id'
  const found = (yield* select<{ id: number; name: string }>(text, [name, typeKind[kind]], { locking: true })).find(
    (type) => type.name === name,
  )
  if (found !== undefined) return found.id
  const columns = ['name', 'type_kind']
  const [id] = yield* insert({ table: 'Type', columns, rows: [[name, typeKind[kind]]], ids: true })
  if (parent !== undefined)
    yield* insert({ table: 'ParentType', columns: ['type_id', 'parent_type_id'], rows: [[id!, parent]] })
  return id!
}

function* knownTypes(names: readonly string[]): Work<Map<string, number>> {
  const rows = yield* selectIn<{ id: number; name: string; type_kind: number }>(
    'SELECT id, name, type_kind FROM Type WHERE name IN (??) AND version IS NULL ORDER BY id',
    names,
  )
  const known = new Map<string, number>()
  for (const { id, name, type_kind } of rows) {
    const key = `${type_kind} ${name}`
    if (!known.has(key)) known.set(key, id)
  }
  return known
}

function keyOf(kind: keyof typeof typeKind, name: string): string {
  return `${typeKind[kind]} ${name}`
}

function lookup(known: ReadonlyMap<string, number>): TypeIds {
  const find: TypeIds['find'] = (kind, name) => known.get(keyOf(kind, name))
  return {
    find,
    get(kind, name) {
      const id = find(kind, name)
      if (id === undefined) throw new Error(`the type ${name} was not asked for`)
      return id
    },
  }
}
