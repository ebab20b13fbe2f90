import { chmod, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Database } from 'better-sqlite3'
import { messageOf, systemCode, ZenmlError } from '../../base/errors.ts'

/**
 * Copies a database to a new file beside it, named with its schema version, and gives the name. What others write meanwhile is not in it;
 * hold the lock for that. A file that is there already is never written. Throws `ZEN_METADATA_BACKUP`; no copy is left then.
 */
export async function backUp(source: Database, path: string, version: number): Promise<string> {
  const place = await newFile(`${path}.v${version}.backup`)
  try {
    // As private as what it is a copy of.
    await chmod(place, ((await stat(path)).mode & 0o777) | 0o600)
    await source.backup(place)
    await settle(place)
    await settle(dirname(place))
  } catch (error) {
    await rm(place, { force: true })
    throw cannotCopy(path, error)
  }
  return place
}

/** Waits until a file, or the names in a folder, are on the disk. */
async function settle(place: string): Promise<void> {
  const handle = await open(place, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function newFile(wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const place = number === 1 ? wanted : `${wanted}-${number}`
    try {
      await (await open(place, 'wx', 0o600)).close()
      return place
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw cannotCopy(wanted, error)
    }
  }
}

function cannotCopy(path: string, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_METADATA_BACKUP', `${path} cannot be backed up: ${messageOf(cause)}.`, {
    next: 'Make room and give write access beside it; nothing has changed.',
    cause,
  })
}
