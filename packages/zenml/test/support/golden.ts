import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of recorded facts about ML Metadata; users do not have it, and tests that need it are skipped then. */
export const mlmdFacts: string = fileURLToPath(new URL('../../../../../shared/mlmd/', import.meta.url))
export const hasFacts: boolean = existsSync(mlmdFacts)

export interface GoldenStep {
  readonly rpc: string
  readonly request: object
  readonly status: string
  readonly response?: object
}

export interface GoldenRow {
  readonly [column: string]: unknown
}

export interface GoldenScenario {
  readonly name: string
  readonly steps: readonly GoldenStep[]
  readonly tables_after: { readonly [table: string]: readonly GoldenRow[] }
}

/** The scenarios that were recorded from the real core; none where the facts are missing. */
export function goldenScenarios(): readonly GoldenScenario[] {
  if (!hasFacts) return []
  return JSON.parse(readFileSync(`${mlmdFacts}golden-vectors.json`, 'utf8')).scenarios
}

/** JSON in which what may differ is the same: times of the server, and the order of lists of nodes. */
export function comparable(value: unknown, key: string = ''): unknown {
  if (/^(create_time_since_epoch|last_update_time_since_epoch)$/.test(key)) return '<now>'
  // Times that a request gave are small; those of the server are not.
  if (key === 'milliseconds_since_epoch') return Number(value) < 1_000_000 ? String(value) : '<now>'
  if (Array.isArray(value)) return value.map((item) => comparable(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, item]) => [name, comparable(item, name)]),
  )
}

/** The same for rows of a table, whose order does not matter. */
export function comparableRows(rows: readonly GoldenRow[]): readonly unknown[] {
  return rows
    .map((row) => comparable(row))
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}
