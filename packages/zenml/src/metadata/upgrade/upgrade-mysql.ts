import type { Connection } from 'mysql2/promise'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import { lockSchema, type MysqlFacts, mysqlFacts } from '../mysql-schema.ts'
import { schemaVersion } from '../schema-10.ts'
import { schemaTables } from '../schema-check.ts'
import { placeOf, type ServerLocation } from '../sql/location.ts'
import { connectMysql } from '../sql/mysql.ts'
import { kindOf, mysqlError } from '../sql/mysql-errors.ts'
import { backUpMysql } from './backup-mysql.ts'
import { type Begun, clearJournal, createJournal, dropJournal, readJournal, writeJournal } from './journal-mysql.ts'
import { damaged, newer, tooOld, type Upgrade, upToDate } from './outcome.ts'
import { runWork } from './run-work.ts'
import { countEvents, tablesWork, versionsAfter, versionWork } from './upgrade-work.ts'
import { isNewer, oldestVersion } from './versions.ts'

/**
 * Brings a database of ML Metadata on MySQL or MariaDB from schema version 5 to 9 to the current one: copies it to another database
 * of the server first, unless `skipBackup`, and then changes table by table; the version comes last. A lock of the server keeps two
 * upgrades apart. Calling again after a process or connection that ended in the middle goes on where that was.
 *
 * Throws `ZEN_METADATA_NEWER`, `ZEN_METADATA_TOO_OLD`, `ZEN_METADATA_DAMAGED`, `ZEN_METADATA_BACKUP`, and nothing has changed then;
 * `ZEN_METADATA_BUSY`, `ZEN_METADATA_CONNECTION`, and `ZEN_METADATA_UPGRADE` where a change fails, and then calling again goes on.
 */
export async function upgradeMysql(
  location: ServerLocation,
  { skipBackup = false }: { readonly skipBackup?: boolean } = {},
): Promise<Upgrade> {
  let connection: Connection
  try {
    connection = await connectMysql(location, location.database)
  } catch (error) {
    throw mysqlError(location, error)
  }
  // The statement that runs then fails, and says so.
  connection.on('error', () => {})
  try {
    return await upgradeOver(connection, location, skipBackup)
  } catch (error) {
    throw inWords(location, error)
  } finally {
    // The lock goes with the connection.
    await connection.end().catch(() => connection.destroy())
  }
}

async function upgradeOver(connection: Connection, location: ServerLocation, skipBackup: boolean): Promise<Upgrade> {
  const place = placeOf(location)
  const before = await mysqlFacts(connection)
  if (versionOf(place, before) === schemaVersion && !before.journal) return upToDate(place)
  // A transaction of somebody else that stays open must not hold up the upgrade, and all others behind it, for a day.
  await connection.query(
    `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION lock_wait_timeout = 60, SESSION default_storage_engine = InnoDB`,
  )
  await lockSchema(connection, location)
  // Another client may have been first while this one waited for the lock.
  const facts = await mysqlFacts(connection)
  const from = versionOf(place, facts)
  if (from === schemaVersion) {
    if (facts.journal) await dropJournal(connection)
    return upToDate(place)
  }
  checkTables(place, facts, from)
  const { backup, events } = facts.begun
    ? await readJournal(connection)
    : await begin(connection, location, facts, skipBackup)
  try {
    await runWork(connection, tablesWork('mysql', from))
    await connection.beginTransaction()
    await runWork(connection, versionWork())
    const left = await runWork(connection, countEvents())
    await clearJournal(connection)
    await connection.commit()
    await dropJournal(connection)
    const removed = { events: Math.max(0, events - left) }
    return { place, from, to: schemaVersion, versions: versionsAfter(from), backup: backup ?? undefined, removed }
  } catch (error) {
    if (kindOf(error) !== 'other') throw error
    throw new ZenmlError('ZEN_METADATA_UPGRADE', `The upgrade of ${place} has not ended: ${messageOf(error)}.`, {
      facts: { database: location.database, backup },
      next: `Mend that and run the same command again, which goes on from there${backup === null ? '' : `; the database "${backup}" is a copy of what it was`}.`,
      cause: error,
    })
  }
}

/** Copies the database where that is wanted, and says in it that its upgrade has begun. */
async function begin(
  connection: Connection,
  location: ServerLocation,
  { tables, versions }: MysqlFacts,
  skipBackup: boolean,
): Promise<Begun> {
  if (!skipBackup) return await backUpMysql(connection, location, tables, versions[0]!)
  await createJournal(connection)
  return await writeJournal(connection, null)
}

/** The schema version of a database that can be upgraded, or is up to date. */
function versionOf(place: string, { tables, versions }: MysqlFacts): number {
  if (!tables.includes('MLMDEnv')) throw damaged(place, 'it has no table MLMDEnv')
  const [version] = versions
  if (versions.length !== 1 || version === undefined)
    throw damaged(place, `MLMDEnv has ${versions.length} rows instead of 1`)
  if (version > schemaVersion) throw newer(place, version)
  if (version < oldestVersion) throw tooOld(place, version)
  return version
}

/** Asked under the lock only: a table that another upgrade is changing may not be listed. */
function checkTables(place: string, { tables }: MysqlFacts, version: number): void {
  const missing = schemaTables.filter((table) => !tables.includes(table) && !isNewer(table, version))
  if (missing.length > 0) throw damaged(place, `it lacks the tables ${missing.join(', ')}`)
}

function inWords(location: ServerLocation, error: unknown): unknown {
  if (error instanceof ZenmlError) return error
  const place = placeOf(location)
  const next = 'Run the same command again, which goes on from there.'
  switch (kindOf(error)) {
    case 'lost':
      return new ZenmlError(
        'ZEN_METADATA_CONNECTION',
        `The connection to ${place} broke while it was upgraded: ${messageOf(error)}.`,
        { next, cause: error, exitCode: 1 },
      )
    case 'conflict':
      return new ZenmlError('ZEN_METADATA_BUSY', `Others use the tables of ${place}: ${messageOf(error)}.`, {
        next: `End what uses them. ${next}`,
        cause: error,
        exitCode: 1,
      })
    case 'other':
      return mysqlError(location, error)
  }
}
