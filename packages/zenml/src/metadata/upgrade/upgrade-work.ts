import { schemaStatements, schemaVersion, simpleTypes } from '../schema-10.ts'
import { change, insert, selectOne, type Work } from '../sql/work.ts'
import { isMade, type UpgradableType } from './change.ts'
import { versionChanges } from './versions.ts'

/**
 * Changes the tables of a database from an older schema version to those of the current one, and checks that their columns are there.
 * Calling again goes on where an earlier call ended. The caller keeps others away, and then runs `versionWork`.
 */
export function* tablesWork(type: UpgradableType, from: number): Work<void> {
  for (const { version, changes } of versionChanges) {
    if (version <= from) continue
    for (const one of changes) {
      if (yield* isMade(type, one.mark)) continue
      for (const statement of one[type]) yield* change(statement)
    }
  }
  yield* checkColumns()
}

/** Says that a database has the current version, and adds the simple types that it lacks; comes last, in one transaction. */
export function* versionWork(): Work<void> {
  for (const { name, kind } of simpleTypes) {
    const known = yield* selectOne('SELECT id FROM Type WHERE name = ? AND type_kind = ? AND version IS NULL', [
      name,
      kind,
    ])
    if (known === undefined) yield* insert({ table: 'Type', columns: ['name', 'type_kind'], rows: [[name, kind]] })
  }
  yield* change('UPDATE MLMDEnv SET schema_version = ?', [schemaVersion])
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

/** How many events there are. */
export function* countEvents(): Work<number> {
  return Number((yield* selectOne<{ count: number | bigint }>('SELECT count(*) AS count FROM Event'))!.count)
}
