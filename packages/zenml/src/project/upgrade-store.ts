import { join, resolve } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import type { DatabaseLocation } from '../metadata/sql/location.ts'
import type { Upgrade } from '../metadata/upgrade/outcome.ts'
import { inFolder, metadataLocation } from './credentials.ts'
import { describeMetadata, type ServerMetadata, variableOf } from './metadata-config.ts'
import { findRoot } from './open-project.ts'
import { readConfig } from './project-config.ts'
import { pathOf } from './set-stores.ts'

/** Which database to upgrade; the project's where neither is named. */
export interface UpgradeOptions {
  /** A database file, relative to the folder. */
  readonly uri?: string
  /** A database of a server, and its password: a text, `${env:NAME}`, or none for that in the user's credentials file. */
  readonly server?: Omit<ServerMetadata, 'password'>
  readonly password?: string
  /** Set where no copy of a database of a server is wanted. */
  readonly skipBackup?: boolean
}

/**
 * Upgrades the schema of the project's metadata store, or of another database, which needs no project.
 *
 * Throws `ZEN_PROJECT_MISSING`, `ZEN_USAGE` for a URI that is no file of this machine and for a file that shall not be copied,
 * `ZEN_METADATA_SERVER` for PostgreSQL, `ZEN_METADATA_PASSWORD`, and what `upgradeSqlite` and `upgradeMysql` throw.
 */
export async function upgradeMetadataStore(
  directory: string,
  options: UpgradeOptions,
  environment: { readonly [name: string]: string | undefined },
): Promise<Upgrade> {
  const { skipBackup = false } = options
  const location = await locationOf(directory, options, environment)
  switch (location.type) {
    case 'sqlite': {
      if (skipBackup)
        throw new ZenmlError('ZEN_USAGE', 'An SQLite database is always copied first.', {
          next: 'Leave out --skip-backup.',
        })
      const { upgradeSqlite } = await import('../metadata/upgrade/upgrade-sqlite.ts')
      return await upgradeSqlite(location)
    }
    case 'mysql': {
      const { upgradeMysql } = await import('../metadata/upgrade/upgrade-mysql.ts')
      return await upgradeMysql(location, { skipBackup })
    }
    case 'postgres':
      throw new ZenmlError(
        'ZEN_METADATA_SERVER',
        `${describeMetadata(location)} is not upgraded: ML Metadata on PostgreSQL began with schema version 10.`,
        { next: 'If it is refused as older, restore it from a backup; nothing has changed.' },
      )
  }
}

async function locationOf(
  directory: string,
  { uri, server: given, password }: UpgradeOptions,
  environment: { readonly [name: string]: string | undefined },
): Promise<DatabaseLocation> {
  if (uri !== undefined) return { type: 'sqlite', path: resolve(directory, pathOf(uri)) }
  if (given !== undefined) {
    const server = inFolder(directory, given)
    if (password !== undefined && variableOf(password) === undefined) return { ...server, password }
    const config: ServerMetadata = password === undefined ? server : { ...server, password }
    return await metadataLocation(directory, config, environment)
  }
  const root = findRoot(directory)
  if (root === undefined)
    throw new ZenmlError('ZEN_PROJECT_MISSING', `No ZenML project here: ${directory} has no .zenml folder above it.`, {
      next: 'Name a database file with --uri=PATH, or a server with "mysql" and its options.',
    })
  const home = join(root, '.zenml')
  return await metadataLocation(home, (await readConfig(home))!.metadata, environment)
}
