import { ZenmlError } from '../base/errors.ts'
import { lengthOf, mostOfName } from './schema-10.ts'
import { type Insert, insert, type SqlValue, selectIn, type Work } from './sql/work.ts'

/** Values of custom properties. */
export type PropertyValue = string | number

/** A number that is kept as a double even where it is whole, so that one index has all values of a property in their order. */
export interface DoubleValue {
  readonly double: number
}

/** Custom properties by name; undefined ones are left out. */
export interface Properties {
  readonly [name: string]: PropertyValue | DoubleValue | undefined
}

/** Custom properties as they were found. */
export interface Facts {
  readonly [name: string]: PropertyValue
}

export type NodeKind = 'Artifact' | 'Execution' | 'Context'

/** Nodes by id with their properties. */
export type PropertiesById = readonly (readonly [id: number, properties: Properties])[]

/** Gives nodes custom properties, one statement for all; `ignore` keeps those that are there. */
export function* insertProperties(
  node: NodeKind,
  nodes: PropertiesById,
  onConflict: Insert['onConflict'] = 'fail',
): Work<void> {
  const rows = nodes.flatMap(([id, properties]) =>
    Object.entries(properties).flatMap(([name, value]) =>
      value === undefined ? [] : [[id, name, true, ...columnsOf(name, value), null, null]],
    ),
  )
  const columns = [keyOf(node), 'name', 'is_custom_property', ...valueColumns]
  yield* insert({ table: `${node}Property`, columns, rows, onConflict })
}

/** Sets custom properties of nodes, one statement for all; others stay. */
export function* setProperties(node: NodeKind, nodes: PropertiesById): Work<void> {
  const keys = [keyOf(node), 'name', 'is_custom_property']
  yield* insertProperties(node, nodes, { keys, update: valueColumns })
}

/** Custom properties of several nodes by id, all or those named; nodes without any have an empty object. */
export function* getProperties(
  node: NodeKind,
  ids: readonly number[],
  names: readonly string[] = [],
): Work<ReadonlyMap<number, Facts>> {
  const key = keyOf(node)
  const named = names.length === 0 ? '' : ` AND name IN (${names.map(() => '?').join(', ')})`
  const rows = yield* selectIn<PropertyRow & { readonly node_id: number }>(
    `SELECT ${key} AS node_id, name, int_value, double_value, string_value FROM ${node}Property WHERE ${key} IN (??) AND is_custom_property = TRUE${named}`,
    ids,
    { after: names },
  )
  const found = new Map<number, { [name: string]: PropertyValue }>(ids.map((id) => [id, {}]))
  for (const row of rows) {
    const value = columnValue(row)
    if (value !== null) found.get(row.node_id)![row.name] = value
  }
  return found
}

/** The value of a property; null where it is in a column that other tools use and we do not. */
export function columnValue({ int_value, double_value, string_value }: PropertyRow): PropertyValue | null {
  return int_value ?? double_value ?? string_value
}

/** A row of custom properties. */
export interface PropertyRow {
  readonly name: string
  readonly int_value: number | null
  readonly double_value: number | null
  readonly string_value: string | null
}

/** A property has one of these: a row that is overwritten must lose what it had. */
const valueColumns = ['int_value', 'double_value', 'string_value', 'proto_value', 'bool_value']

function keyOf(node: NodeKind): string {
  return `${node.toLowerCase()}_id`
}

/**
 * `int_value` is 32 bits wide on MySQL and PostgreSQL, and times in milliseconds are not: larger numbers are doubles, which are
 * exact up to 2^53. Databases written before have them in `int_value`; readers take what there is.
 */
function columnsOf(name: string, value: PropertyValue | DoubleValue): readonly [SqlValue, SqlValue, SqlValue] {
  if (typeof value === 'string') return [null, null, checkText(name, value)]
  const number = typeof value === 'number' ? value : value.double
  if (!Number.isFinite(number))
    throw new ZenmlError(
      'ZEN_METADATA_VALUE',
      `Property "${name}" is ${number}; ML Metadata keeps finite numbers only.`,
      {
        exitCode: 1,
      },
    )
  return typeof value === 'number' && Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff
    ? [value, null, null]
    : [null, number, null]
}

/** Gives a name back; one that MySQL and PostgreSQL have no room for is refused in every database. */
export function checkName(what: string, name: string): string {
  const length = lengthOf(name)
  if (length > mostOfName)
    throw new ZenmlError(
      'ZEN_METADATA_NAME',
      `The ${what} "${name.slice(0, 40)}…" has ${length} characters; ML Metadata keeps ${mostOfName} at the most.`,
      { facts: { what, length }, next: 'Choose a shorter name.', exitCode: 1 },
    )
  return checkText(what, name)
}

/** Gives a text back; what Google's library would cut, misread or refuse is refused here. */
export function checkText(what: string, text: string): string {
  if (text.includes('\0') || text === '__MLMD_NULL__' || text.startsWith('mlmd-struct::')) {
    throw new ZenmlError('ZEN_METADATA_VALUE', `${what} holds a text that ML Metadata cannot keep.`, {
      facts: { what },
      exitCode: 1,
    })
  }
  return text
}
