import {
  bytesAt,
  type Column,
  type ExampleBatch,
  type FeatureKind,
  rowEnd,
  rowStart,
  valueCount,
} from '../formats/batch.ts'
import { strictText } from '../formats/text.ts'

type Duckdb = typeof import('@duckdb/node-api')
type DuckdbType = import('@duckdb/node-api').DuckDBType
type DuckdbValue = import('@duckdb/node-api').DuckDBValue

/** What a feature becomes in Parquet. */
export interface ParquetColumn {
  readonly name: string
  readonly kind: FeatureKind
  /** A list, because some row has several values. */
  readonly several: boolean
  /** Texts, because all its bytes are UTF-8. */
  readonly text: boolean
}

/** Finds what features become in Parquet, from all batches of all splits. */
export class ParquetColumns {
  private readonly found: Map<string, { kind: FeatureKind; several: boolean; text: boolean }>

  constructor(features: ReadonlyMap<string, FeatureKind>) {
    this.found = new Map([...features].map(([name, kind]) => [name, { kind, several: false, text: kind === 'bytes' }]))
  }

  see({ length, columns }: ExampleBatch): void {
    for (const [name, column] of columns) {
      const known = this.found.get(name)!
      for (let row = 0; row < length && !known.several; row++)
        known.several = rowEnd(column, row) - rowStart(column, row) > 1
      if (column.kind !== 'bytes') continue
      for (let value = 0; value < valueCount(column) && known.text; value++)
        known.text = strictText(bytesAt(column, value)) !== undefined
    }
  }

  columns(): ParquetColumn[] {
    return [...this.found].map(([name, known]) => ({ name, ...known }))
  }
}

/** The type of a column in DuckDB, and as SQL. */
export function typeOf({ kind, several, text }: ParquetColumn, duckdb: Duckdb): { type: DuckdbType; sql: string } {
  const { BIGINT, FLOAT, VARCHAR, BLOB, LIST } = duckdb
  const type = kind === 'int' ? BIGINT : kind === 'float' ? FLOAT : text ? VARCHAR : BLOB
  return several ? { type: LIST(type), sql: `${type.toString()}[]` } : { type, sql: type.toString() }
}

/** The cells of rows `from` to before `to`: a row without values is null. */
export function cellsOf(
  column: Column,
  { several, text }: ParquetColumn,
  from: number,
  to: number,
  duckdb: Duckdb,
): DuckdbValue[] {
  const valueAt = (value: number): DuckdbValue => {
    if (column.kind === 'float') return column.values[value]!
    if (column.kind === 'int') return column.big?.[value] ?? BigInt(column.values[value]!)
    const bytes = bytesAt(column, value)
    return text ? strictText(bytes)! : duckdb.blobValue(bytes.slice())
  }
  return Array.from({ length: to - from }, (_, index) => {
    const [first, last] = [rowStart(column, from + index), rowEnd(column, from + index)]
    if (first === last) return null
    if (!several) return valueAt(first)
    return duckdb.listValue(Array.from({ length: last - first }, (_, place) => valueAt(first + place)))
  })
}
