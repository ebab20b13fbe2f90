import { simpleTypes } from '../schema-10.ts'
import { SqlError } from '../sql/database.ts'
import { change, insert, select, selectIn, selectOne, type Work } from '../sql/work.ts'
import { lockTypes } from '../type-lock.ts'
import { messageFromJson } from '../wire/from-json.ts'
import { messageSpecs } from '../wire/messages.ts'
import { messageToJson } from '../wire/to-json.ts'
import { type KindFacts, kinds, propertyTypes } from './kinds.ts'
import type { ArtifactStructType, ExecutionType, NodeType, PropertyType, Whole } from './messages.ts'
import { possibleIds } from './read-nodes.ts'
import { alreadyExists, invalid, notFound, StatusError } from './status.ts'
import { checkedName, checkedText } from './stored-values.ts'

/** A type as it is stored, with its id. */
export type StoredType = NodeType & { readonly id: number; readonly name: string }

interface TypeRow {
  readonly id: number
  readonly name: string
  readonly version: string | null
  readonly description: string | null
  readonly external_id: string | null
  readonly input_type: string | null
  readonly output_type: string | null
}

const columns = 't.id, t.name, t.version, t.description, t.external_id, t.input_type, t.output_type'

/** How a type may differ from the one that is stored under its name. */
export interface TypeOptions {
  readonly canAddFields?: boolean
  readonly canOmitFields?: boolean
  readonly canDeleteFields?: boolean
  readonly allFieldsMatch?: boolean
}

/**
 * Stores a type, or finds it by name and version, and gives its id.
 *
 * Throws `INVALID_ARGUMENT` without a name and for a property of unknown type, `ALREADY_EXISTS` where it differs from the stored one
 * in a way that is not allowed, `UNIMPLEMENTED` for changes that ML Metadata does not know.
 */
export function* putType(facts: KindFacts, type: NodeType, options: TypeOptions): Work<number> {
  if (options.allFieldsMatch === false) throw new StatusError('UNIMPLEMENTED', 'All fields of a type must match.')
  if (options.canDeleteFields === true) throw new StatusError('UNIMPLEMENTED', 'Fields of a type cannot be deleted.')
  const { name, version } = type
  if (!name) throw invalid(`A type of ${facts.word}s needs a name.`)
  checkedName('The name of the type', name)
  checkedName('The version of the type', version ?? '')
  checkedText('The description of the type', type.description ?? '')
  checkedName('The external id of the type', type.externalId ?? '')
  for (const [property, propertyType] of type.properties ?? [])
    if (propertyType === 'UNKNOWN') throw invalid(`Property "${property}" of type "${name}" has no type.`)
  let stored = yield* findType(facts, name, version)
  if (stored === undefined || changes(stored, type)) {
    // Others who change types are waited for, and what they did counts.
    yield* lockTypes()
    stored = yield* findType(facts, name, version, { locking: true })
  }
  if (stored !== undefined && type.id !== undefined && Number(type.id) !== stored.id)
    throw invalid(`The id of type "${name}" is ${stored.id}, not ${type.id}.`)
  const id = stored === undefined ? yield* insertType(facts, type, name) : yield* extendType(stored, type, options)
  if (type.baseType !== undefined) yield* setBaseType(facts, id, name, type.baseType, stored?.baseType)
  return id
}

/** Whether a type says something that the stored one does not. */
function changes(stored: StoredType, type: NodeType): boolean {
  return (
    [...(type.properties?.keys() ?? [])].some((property) => stored.properties?.has(property) !== true) ||
    (type.externalId !== undefined && stored.externalId === undefined) ||
    (type.baseType !== undefined && type.baseType !== stored.baseType)
  )
}

function* insertType(facts: KindFacts, type: NodeType, name: string): Work<number> {
  const { inputType, outputType } = type as ExecutionType
  const taken =
    type.externalId !== undefined
      ? yield* selectOne<{ type_kind: number }>('SELECT type_kind FROM Type WHERE external_id = ?', [type.externalId])
      : undefined
  if (taken !== undefined) {
    // The real core finds the first before it writes, and the second only as an error of its database.
    if (taken.type_kind === facts.typeKind) throw alreadyExists(`A type has the external id "${type.externalId}".`)
    throw new StatusError('INTERNAL', `A type of another kind has the external id "${type.externalId}".`)
  }
  const [id] = yield* insert({
    table: 'Type',
    columns: ['name', 'version', 'type_kind', 'description', 'input_type', 'output_type', 'external_id'],
    rows: [
      [
        name,
        type.version || null,
        facts.typeKind,
        type.description ?? null,
        inputType === undefined ? null : structTypeToJson(inputType),
        outputType === undefined ? null : structTypeToJson(outputType),
        type.externalId ?? null,
      ],
    ],
    ids: true,
  })
  yield* insertProperties(id!, name, [...(type.properties ?? [])])
  return id!
}

function* extendType(stored: StoredType, type: NodeType, options: TypeOptions): Work<number> {
  const known = stored.properties ?? new Map<string, PropertyType>()
  const given = type.properties ?? new Map<string, PropertyType>()
  for (const [property, propertyType] of given) {
    const before = known.get(property)
    if (before !== undefined && before !== propertyType)
      throw alreadyExists(`Property "${property}" of type "${stored.name}" is ${before}, not ${propertyType}.`)
  }
  const added = [...given].filter(([property]) => !known.has(property))
  if (added.length > 0 && options.canAddFields !== true)
    throw alreadyExists(`Type "${stored.name}" has no property "${added[0]![0]}", and can_add_fields is not set.`)
  const omitted = [...known.keys()].find((property) => !given.has(property))
  if (omitted !== undefined && options.canOmitFields !== true)
    throw alreadyExists(`Type "${stored.name}" has a property "${omitted}", and can_omit_fields is not set.`)
  yield* insertProperties(stored.id, stored.name, added)
  if (type.externalId !== undefined && stored.externalId === undefined) {
    try {
      yield* change('UPDATE Type SET external_id = ? WHERE id = ?', [type.externalId, stored.id])
    } catch (error) {
      if (error instanceof SqlError && error.kind === 'unique')
        throw alreadyExists(`A type has the external id "${type.externalId}".`, error)
      throw error
    }
  }
  return stored.id
}

function* insertProperties(
  type: number,
  typeName: string,
  properties: readonly (readonly [string, PropertyType])[],
): Work<void> {
  try {
    yield* insert({
      table: 'TypeProperty',
      columns: ['type_id', 'name', 'data_type'],
      rows: properties.map(([name, propertyType]) => [
        type,
        checkedName('The name of the property', name),
        propertyTypes.indexOf(propertyType),
      ]),
    })
  } catch (error) {
    // No other writer can have been first: types change one at a time.
    if (error instanceof SqlError && error.kind === 'unique')
      throw alreadyExists(
        `Two properties of type "${typeName}" have names that this database does not tell apart.`,
        error,
      )
    throw error
  }
}

function* setBaseType(
  facts: KindFacts,
  id: number,
  name: string,
  base: string,
  before: string | undefined,
): Work<void> {
  const simple = facts.baseTypes[base]
  if (simple === undefined) throw new StatusError('UNIMPLEMENTED', `The base type of "${name}" cannot be ${base}.`)
  if (before === base) return
  if (before !== undefined)
    throw new StatusError('UNIMPLEMENTED', `The base type of "${name}" is ${before} and cannot become ${base}.`)
  const parent = yield* selectOne<{ id: number }>(
    'SELECT id FROM Type WHERE name = ? AND type_kind = ? AND version IS NULL ORDER BY id LIMIT 1',
    [simple, facts.typeKind],
  )
  if (parent === undefined) throw notFound(`The simple type ${simple} is missing from the database.`)
  yield* insert({ table: 'ParentType', columns: ['type_id', 'parent_type_id'], rows: [[id, parent.id]] })
}

/** A type by name and version; no version and an empty one are the same. */
export function* findType(
  facts: KindFacts,
  name: string,
  version: string | undefined,
  { locking = false }: { readonly locking?: boolean } = {},
): Work<StoredType | undefined> {
  const rows = yield* select<TypeRow>(
    `SELECT ${columns} FROM Type t WHERE t.name = ? AND t.type_kind = ? AND t.version ${version ? '= ?' : 'IS NULL'} ORDER BY t.id`,
    [name, facts.typeKind, ...(version ? [version] : [])],
    { locking },
  )
  // MySQL's collations may take A for a.
  const row = rows.find((one) => one.name === name && (one.version ?? '') === (version ?? ''))
  return row === undefined ? undefined : (yield* filled(facts, [row], locking))[0]
}

/** Types by id, in the order of the ids; missing ones are left out. */
export function* typesById(facts: KindFacts, ids: readonly Whole[]): Work<readonly StoredType[]> {
  if (ids.length === 0) return []
  const rows = yield* selectIn<TypeRow>(
    `SELECT ${columns} FROM Type t WHERE t.id IN (??) AND t.type_kind = ? ORDER BY t.id`,
    possibleIds(ids),
    { after: [facts.typeKind] },
  )
  return yield* filled(facts, rows)
}

/** All types of a kind, without the simple ones that every database has; without their external ids, as the real core lists them. */
export function* allTypes(facts: KindFacts): Work<readonly StoredType[]> {
  const rows = yield* select<TypeRow>(`SELECT ${columns} FROM Type t WHERE t.type_kind = ? ORDER BY t.id`, [
    facts.typeKind,
  ])
  return yield* filled(
    facts,
    rows.filter(({ name }) => !simpleNames.has(name)).map((row) => ({ ...row, external_id: null })),
  )
}

const simpleNames = new Set(simpleTypes.map(({ name }) => name))

/** Types by external id. Throws `INVALID_ARGUMENT` for an empty one, `NOT_FOUND` where there is none of them. */
export function* typesByExternalId(facts: KindFacts, externalIds: readonly string[]): Work<readonly StoredType[]> {
  if (externalIds.some((id) => id === '')) throw invalid('An external id is empty.')
  if (externalIds.length === 0) return []
  const rows = yield* selectIn<TypeRow>(
    `SELECT ${columns} FROM Type t WHERE t.external_id IN (??) AND t.type_kind = ? ORDER BY t.id`,
    externalIds,
    { after: [facts.typeKind] },
  )
  // MySQL's collations may take A for a.
  const exact = rows.filter(({ external_id }) => externalIds.includes(external_id!))
  if (exact.length === 0) throw notFound(`No type of ${facts.word}s has one of these external ids.`)
  return yield* filled(facts, exact)
}

function* filled(facts: KindFacts, rows: readonly TypeRow[], locking: boolean = false): Work<readonly StoredType[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const properties = yield* selectIn<{ type_id: number; name: string; data_type: number }>(
    'SELECT type_id, name, data_type FROM TypeProperty WHERE type_id IN (??)',
    ids,
    { locking },
  )
  const parents = yield* selectIn<{ type_id: number; name: string }>(
    'SELECT p.type_id, t.name FROM ParentType p JOIN Type t ON t.id = p.parent_type_id WHERE p.type_id IN (??)',
    ids,
  )
  const propertiesOf = new Map<number, Map<string, PropertyType>>()
  for (const { type_id, name, data_type } of properties) {
    const known = propertiesOf.get(type_id) ?? new Map<string, PropertyType>()
    propertiesOf.set(type_id, known.set(name, propertyTypes[data_type] ?? 'UNKNOWN'))
  }
  const baseOf = new Map(parents.map(({ type_id, name }) => [type_id, name]))
  const bases = Object.entries(facts.baseTypes)
  return rows.map((row): StoredType => {
    const base = bases.find(([, name]) => name === baseOf.get(row.id))?.[0]
    const own = propertiesOf.get(row.id)
    return {
      id: row.id,
      name: row.name,
      ...(row.version === null ? {} : { version: row.version }),
      ...(row.description === null ? {} : { description: row.description }),
      ...(row.external_id === null ? {} : { externalId: row.external_id }),
      ...(own === undefined ? {} : { properties: own }),
      ...(base === undefined ? {} : { baseType: base }),
      ...(facts !== kinds.Execution || row.input_type === null
        ? {}
        : { inputType: structTypeFromJson(row.input_type) }),
      ...(facts !== kinds.Execution || row.output_type === null
        ? {}
        : { outputType: structTypeFromJson(row.output_type) }),
    }
  })
}

const structTypeSpec = messageSpecs.get('ml_metadata.ArtifactStructType')!

/** Types of inputs and outputs are stored as JSON with camel-cased names. */
function structTypeToJson(type: ArtifactStructType): string {
  return JSON.stringify(messageToJson(structTypeSpec, type, 'camel'))
}

function structTypeFromJson(text: string): ArtifactStructType {
  try {
    return messageFromJson(structTypeSpec, JSON.parse(text))
  } catch (error) {
    throw new StatusError('INTERNAL', 'The stored type of inputs or outputs cannot be read.', error)
  }
}
