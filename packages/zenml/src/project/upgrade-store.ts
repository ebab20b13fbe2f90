import { join, resolve } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import { type Upgrade, upgradeMetadata } from '../metadata/upgrade/upgrade.ts'
import { describeMetadata } from './metadata-config.ts'
import { findRoot } from './open-project.ts'
import { readConfig, resolveIn } from './project-config.ts'
import { pathOf } from './set-stores.ts'

/**
 * Upgrades the schema of the project's metadata store, or of another database file, relative to `directory`; that one needs no project.
 *
 * Throws `ZEN_PROJECT_MISSING`, `ZEN_USAGE` for a URI that is no file of this machine,
 * `ZEN_METADATA_SERVER` for a store on a server, and what `upgradeMetadata` throws.
 */
export async function upgradeMetadataStore(directory: string, uri?: string): Promise<Upgrade> {
  if (uri !== undefined) return await upgradeMetadata({ path: resolve(directory, pathOf(uri)) })
  const root = findRoot(directory)
  if (root === undefined)
    throw new ZenmlError('ZEN_PROJECT_MISSING', `No ZenML project here: ${directory} has no .zenml folder above it.`, {
      next: 'Name a database file with --uri=PATH.',
    })
  const home = join(root, '.zenml')
  const { metadata } = (await readConfig(home))!
  if (metadata.type !== 'sqlite')
    throw new ZenmlError(
      'ZEN_METADATA_SERVER',
      `Only SQLite databases are upgraded here, not ${describeMetadata(metadata)}.`,
      {
        next: "Upgrade it with Google's ml-metadata 1.16 and enable_upgrade_migration; nothing has changed.",
      },
    )
  return await upgradeMetadata({ path: resolveIn(home, metadata.path) })
}
