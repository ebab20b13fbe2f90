import { ZenmlError } from '../base/errors.ts'
import { schemaStatements, schemaVersion } from './schema-10.ts'

/** The tables of ML Metadata in the order in which they are made. */
export const schemaTables: readonly string[] = schemaStatements.flatMap(
  (statement) => /^CREATE TABLE `(\w+)`/.exec(statement)?.[1] ?? [],
)

/** What is found in a database before it is used. */
export interface SchemaFacts {
  /** Names of its tables, as `schemaTables` spells them. */
  readonly tables: readonly string[]
  /** What MLMDEnv holds; asked only where that is among the tables. */
  readonly versions: readonly number[]
}

/**
 * Whether a database is empty or has the whole schema; `place` says in an error where it is, and `older` what to do with one of an
 * earlier version.
 *
 * Throws `ZEN_METADATA_NEWER` and `ZEN_METADATA_OLDER` for other schema versions, `ZEN_METADATA_DAMAGED` where tables are missing.
 */
export function checkSchema(place: string, { tables, versions }: SchemaFacts, older: string): 'empty' | 'whole' {
  if (tables.length === 0) return 'empty'
  const missing = schemaTables.filter((table) => !tables.includes(table))
  if (missing.includes('MLMDEnv')) throw damaged(place, `it has tables, but not ${missing.join(', ')}`)
  const [found] = versions
  if (versions.length !== 1 || found === undefined)
    throw damaged(place, `MLMDEnv has ${versions.length} rows instead of 1`)
  if (found > schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_NEWER',
      `${place} has ML Metadata schema version ${found}; this zenml knows ${schemaVersion}.`,
      { next: 'Use a newer zenml.' },
    )
  }
  if (found < schemaVersion) {
    throw new ZenmlError(
      'ZEN_METADATA_OLDER',
      `${place} has ML Metadata schema version ${found}; this zenml needs ${schemaVersion}.`,
      { next: older },
    )
  }
  if (missing.length > 0) throw damaged(place, `it lacks the tables ${missing.join(', ')}`)
  return 'whole'
}

function damaged(place: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_METADATA_DAMAGED', `${place} is no whole ML Metadata database: ${what}.`, {
    next: 'Restore it from a backup.',
  })
}
