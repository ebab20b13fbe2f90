import type { FeatureKind } from '../formats/batch.ts'
import type { ServerDatasource } from '../model/datasource-spec.ts'
import { microsecondsOf } from './iso-time.ts'
import type { RowValue } from './row-batches.ts'
import { type ServerColumn, wholeNumber } from './sql-server.ts'
import { quotedName, unsupportedType } from './sql-text.ts'

/** A type as `pg_type` has it. */
export interface PostgresType {
  readonly name: string
  readonly isEnum: boolean
  /** Of an array. */
  readonly element?: { readonly name: string; readonly isEnum: boolean }
}

interface Known {
  readonly kind: FeatureKind
  /** Whether the order of its values is one of a collation, or of the order in which they were declared. */
  readonly isText: boolean
  readonly convert: (text: string) => RowValue | undefined
}

const int: Known = { kind: 'int', isText: false, convert: wholeNumber }
const float: Known = { kind: 'float', isText: false, convert: Number }
const text: Known = { kind: 'bytes', isText: true, convert: (value) => value }
const time: Known = { kind: 'int', isText: false, convert: microsecondsOf }

const known: { readonly [name: string]: Known } = {
  ...{ int2: int, int4: int, int8: int, oid: int },
  bool: { kind: 'int', isText: false, convert: (value) => (value === 't' ? 1 : 0) },
  ...{ float4: float, float8: float, numeric: float },
  ...{ date: time, time, timestamp: time, timestamptz: time },
  ...{ text, varchar: text, bpchar: text, char: text, name: text, citext: text, json: text, jsonb: text, xml: text },
  ...{ inet: text, cidr: text, macaddr: text, macaddr8: text, uuid: text },
  bytea: { kind: 'bytes', isText: false, convert: (value) => Buffer.from(value.slice(2), 'hex') },
}

/** A column by its type. Throws `ZEN_SOURCE_COLUMNS` for a type that no feature holds. */
export function postgresColumn(spec: ServerDatasource, name: string, type: PostgresType): ServerColumn {
  const single = type.element ?? type
  const found = single.isEnum ? text : Object.hasOwn(known, single.name) ? known[single.name] : undefined
  const sql = quotedName(name)
  if (found === undefined) throw unsupportedType(spec, name, type.name)
  const { kind, isText, convert } = found
  if (type.element !== undefined) {
    // An order that no collation decides, and no key anyhow: lists are compared by their texts.
    const order = `${sql}::text COLLATE "C"`
    return { name, type: type.name, kind, sql, order, convert: (value) => listOf(value as string, convert) }
  }
  return {
    name,
    type: type.name,
    kind,
    sql,
    order: isText ? `${sql}::text COLLATE "C"` : sql,
    convert: (value) => convert(value as string),
  }
}

/** An element of an array's text: quoted with escapes, or bare. */
const element = /"((?:[^"\\]|\\.)*)"|([^{},"]+)/gs

/**
 * The values of an array of one dimension (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO); undefined where it has more, or
 * holds a null or what `convert` does not know.
 */
export function listOf(array: string, convert: Known['convert']): RowValue[] | undefined {
  // Bounds that do not begin at one stand in front: [0:1]={…}.
  const inner = array.slice(array.indexOf('{') + 1, -1)
  const values: RowValue[] = []
  let end = 0
  for (const match of inner.matchAll(element)) {
    const [whole, quoted, bare] = match
    if (match.index !== end || bare === 'NULL') return undefined
    const value = convert(quoted === undefined ? bare! : quoted.replace(/\\(.)/gs, '$1'))
    if (value === undefined) return undefined
    values.push(value)
    end = match.index + whole.length + 1
  }
  return end === 0 && inner !== '' ? undefined : values
}
