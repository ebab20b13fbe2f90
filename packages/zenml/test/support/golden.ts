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

type IdKind = 'artifact' | 'execution' | 'context' | 'type'

/** Whose id a field holds, by its name or by the name of what holds it. */
function idKind(key: string, holder: string): IdKind | undefined {
  if (/type_ids?$/.test(key)) return 'type'
  if (/^(artifact|execution|context)_ids?$/.test(key)) return key.replace(/_ids?$/, '') as IdKind
  if (/^(parent_id|child_id|parent_context_id)$/.test(key)) return 'context'
  if (key !== 'id') return undefined
  if (/types?$/i.test(holder)) return 'type'
  return /^(artifact|execution|context)s?$/i.exec(holder)?.[1]?.toLowerCase() as IdKind | undefined
}

/**
 * Recorded ids by those that a database gave: servers leave gaps where an insertion failed, so that later ids differ.
 */
export class GivenIds {
  readonly #given = new Map<string, number>()

  /** Takes the ids of an answer to be those of the recorded one. */
  learn(recorded: unknown, answered: unknown, holder: string = ''): void {
    if (typeof recorded !== 'object' || recorded === null || typeof answered !== 'object' || answered === null) return
    for (const [key, value] of Object.entries(recorded)) {
      const other = (answered as { readonly [key: string]: unknown })[key]
      const kind = idKind(Array.isArray(recorded) ? holder : key, holder)
      if (kind !== undefined && typeof value !== 'object') this.#given.set(`${kind} ${value}`, Number(other))
      else this.learn(value, other, Array.isArray(recorded) ? holder : key)
    }
  }

  /** The same with the ids that were given. */
  translate(value: unknown, holder: string = '', key: string = holder): unknown {
    const kind = idKind(key, holder)
    if (Array.isArray(value)) return value.map((item) => this.translate(item, key, key))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.translate(item, key, name)]))
    const given = kind === undefined ? undefined : this.#given.get(`${kind} ${value}`)
    return given === undefined ? value : typeof value === 'string' ? String(given) : given
  }
}

/** The tables of a scenario with paths told by their events, since the ids of events are never answered. */
export function withoutEventIds(tables: GoldenScenario['tables_after']): GoldenScenario['tables_after'] {
  const events = new Map(
    (tables['Event'] ?? []).map((row) => [
      Number(row['id']),
      `${row['artifact_id']} ${row['execution_id']} ${row['type']}`,
    ]),
  )
  return {
    ...tables,
    Event: (tables['Event'] ?? []).map(({ id: _id, ...row }) => row),
    EventPath: (tables['EventPath'] ?? []).map(({ event_id, ...row }) => ({
      ...row,
      event: events.get(Number(event_id)),
    })),
  }
}
