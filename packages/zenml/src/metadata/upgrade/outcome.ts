import { ZenmlError } from '../../base/errors.ts'
import { schemaVersion } from '../schema-10.ts'
import { oldestVersion } from './versions.ts'

/** What an upgrade took away because the new schema has no place for it. */
export interface Removed {
  /** Events that were there twice; the newest of each stays. */
  readonly events: number
}

/** What an upgrade did. */
export interface Upgrade {
  /** The file, or the database of a server in words. */
  readonly place: string
  /** Schema version before. */
  readonly from: number
  readonly to: number
  /** The versions that it went through; none where the database was up to date, which stays untouched then. */
  readonly versions: readonly number[]
  /** A copy of the database as it was: a file, or the name of a database on the same server; none where none was made. */
  readonly backup: string | undefined
  readonly removed: Removed
}

/** The outcome where there was nothing to do. */
export function upToDate(place: string): Upgrade {
  return { place, from: schemaVersion, to: schemaVersion, versions: [], backup: undefined, removed: { events: 0 } }
}

/** A database of a schema that this program does not know yet. */
export function newer(place: string, version: number): ZenmlError {
  return new ZenmlError(
    'ZEN_METADATA_NEWER',
    `${place} has ML Metadata schema version ${version}; this zenml knows ${schemaVersion}.`,
    { next: 'Use a newer zenml.' },
  )
}

/** A database that is older than what can be upgraded. */
export function tooOld(place: string, version: number): ZenmlError {
  return new ZenmlError(
    'ZEN_METADATA_TOO_OLD',
    `${place} has ML Metadata schema version ${version}; upgrades start at ${oldestVersion}.`,
    { next: "Open a copy with Google's ml-metadata 1.16 and enable_upgrade_migration first; nothing has changed." },
  )
}

/** A database that lacks something that all of its version have. */
export function damaged(place: string, what: string, cause?: unknown): ZenmlError {
  return new ZenmlError('ZEN_METADATA_DAMAGED', `${place} is no whole ML Metadata database: ${what}.`, {
    next: 'Restore it from a backup, or name another one.',
    ...(cause === undefined ? {} : { cause }),
  })
}
