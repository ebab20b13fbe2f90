import type { FeatureKind } from '../formats/batch.ts'
import { microseconds } from './duckdb-failures.ts'
import { quotedName } from './sql-text.ts'

/** How the single values of a column lie in memory. */
export type VectorForm = 'bytes' | 'int32' | 'int64' | 'double'

/** A column as DuckDB is asked for it. */
export interface DuckdbColumn {
  readonly name: string
  readonly kind: FeatureKind
  /** Undefined for lists. */
  readonly form: VectorForm | undefined
  /** The column as SQL: of type BLOB, INTEGER, BIGINT or DOUBLE, or a list of one of these. */
  readonly sql: string
}

/** What types become: the kind, and the type that it is read as. */
const types: readonly (readonly [RegExp, FeatureKind, string, VectorForm])[] = [
  [/^(VARCHAR|ENUM\(.*\)|UUID)$/, 'bytes', 'VARCHAR', 'bytes'],
  [/^BLOB$/, 'bytes', 'BLOB', 'bytes'],
  [/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|BOOLEAN)$/, 'int', 'INTEGER', 'int32'],
  [/^(UINTEGER|BIGINT)$/, 'int', 'BIGINT', 'int64'],
  [/^(FLOAT|DOUBLE|DECIMAL\(.*\)|HUGEINT|UBIGINT|UHUGEINT)$/, 'float', 'DOUBLE', 'double'],
]

/** A column by its type, as `DESCRIBE` tells it; undefined for a type that a feature cannot hold. */
export function duckdbColumn(name: string, type: string): DuckdbColumn | undefined {
  const column = quotedName(name)
  const isList = type.endsWith('[]')
  const itemType = isList ? type.slice(0, -2) : type
  const known = types.find(([pattern]) => pattern.test(itemType))
  if (known !== undefined) {
    const [, kind, as, single] = known
    const form = isList ? undefined : single
    const sql = `CAST(${column} AS ${as}${isList ? '[]' : ''})`
    if (as !== 'VARCHAR') return { name, kind, form, sql }
    // As bytes: to give a text, the driver decodes it, and takes a byte order mark away.
    return { name, kind, form, sql: isList ? `list_transform(${sql}, lambda value: encode(value))` : `encode(${sql})` }
  }
  if (type === 'TIMESTAMP WITH TIME ZONE')
    return { name, kind: 'int', form: 'int64', sql: microseconds(name, column, column) }
  if (/^(TIMESTAMP|TIMESTAMP_(S|MS|NS)|DATE)$/.test(type))
    return { name, kind: 'int', form: 'int64', sql: microseconds(name, column, `CAST(${column} AS TIMESTAMP)`) }
  if (type === 'TIME') return { name, kind: 'int', form: 'int64', sql: `epoch_us(${column})` }
  return undefined
}
