import { schemaStatements, schemaVersion, simpleTypes } from '../schema-10.ts'
import { change, insert, selectOne, type Work } from '../sql/work.ts'
import { isMade, type UpgradableType } from './change.ts'
import { versionChanges } from './versions.ts'

/** What an upgrade took away because the new schema has no place for it. */
export interface Removed {
  /** Events that were there twice; the newest of each stays. */
  readonly events: number
}

/**
 * Brings a database from an older schema version to the current one, version by version, and adds the simple types that it lacks.
 *
 * On SQLite this is one transaction. MySQL commits each change by itself: there the version counts up only when all changes of a version
 * have been made, and calling again goes on where an earlier call ended. The caller keeps others away.
 */
export function* upgradeWork(type: UpgradableType, from: number): Work<Removed> {
  const before = yield* events()
  for (const { version, changes } of versionChanges) {
    if (version <= from) continue
    for (const one of changes) {
      if (yield* isMade(type, one.mark)) continue
      for (const statement of one[type]) yield* change(statement)
    }
    yield* change('UPDATE MLMDEnv SET schema_version = ?', [version])
  }
  for (const { name, kind } of simpleTypes) {
    const known = yield* selectOne('SELECT id FROM Type WHERE name = ? AND type_kind = ? AND version IS NULL', [
      name,
      kind,
    ])
    if (known === undefined) yield* insert({ table: 'Type', columns: ['name', 'type_kind'], rows: [[name, kind]] })
  }
  yield* checkColumns()
  return { events: before - (yield* events()) }
}

/** Asks each table for the columns that it must have; the database says which one is not there. */
function* checkColumns(): Work<void> {
  for (const statement of schemaStatements) {
    const table = /^CREATE TABLE `(\w+)`/.exec(statement)?.[1]
    if (table === undefined) continue
    const columns = [...statement.matchAll(/`(\w+)` [A-Z]/g)].map(([, column]) => column)
    yield* selectOne(`SELECT ${columns.map((column) => `${table}.${column}`).join(', ')} FROM ${table} LIMIT 1`)
  }
}

/** The versions that an upgrade goes through. */
export function versionsAfter(from: number): readonly number[] {
  return versionChanges.map(({ version }) => version).filter((version) => version > from && version <= schemaVersion)
}

function* events(): Work<number> {
  return Number((yield* selectOne<{ count: number | bigint }>('SELECT count(*) AS count FROM Event'))!.count)
}
