import type { DatabaseType } from '../sql/database.ts'

/**
 * A string of SQL, to be compared by its code points whatever the collation of its column: tables of ML Metadata on MySQL have one that
 * takes `a` for `A` and for `a `.
 */
export function exact(dialect: DatabaseType, text: string): string {
  if (dialect === 'mysql') return `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`
  return dialect === 'postgres' ? `(${text} COLLATE "C")` : text
}
