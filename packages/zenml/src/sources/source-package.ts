import { readFile, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { type DatasourceSpec, placeOf } from '../model/datasource-spec.ts'
import { type SourceConnector, sourceFailure } from './connector.ts'
import { microsecondsOf } from './iso-time.ts'
import { RowBatches } from './row-batches.ts'
import { wholeNumber } from './sql-server.ts'
import { noPrimaryKey, unsupportedType, versionText, withoutEnd } from './sql-text.ts'

/**
 * What a package that connects to a kind of source is given. It gets these instead of importing them: so its errors are those that the
 * command line knows, whichever copy of zenml the package would find.
 */
export interface SourceTools {
  /** Gathers rows into batches, and checks that no two rows next to each other have the same key. */
  readonly RowBatches: typeof RowBatches
  /** An error that a user can act on. */
  readonly ZenmlError: typeof ZenmlError
  /** Microseconds of an ISO 8601 date, time stamp or time of day; undefined for what is none. */
  readonly microsecondsOf: typeof microsecondsOf
  /** The error for a table without a primary key. */
  readonly noPrimaryKey: typeof noPrimaryKey
  /** Where the data lies, as one line for people. */
  readonly placeOf: typeof placeOf
  /** The error for a source that gives nothing. */
  readonly sourceFailure: typeof sourceFailure
  /** The error for a column of a type that no feature holds. */
  readonly unsupportedType: typeof unsupportedType
  /** The version of rows by a column that grows with every change, their number, and their columns. */
  readonly versionText: typeof versionText
  /** The whole number of a decimal text, exact. */
  readonly wholeNumber: typeof wholeNumber
  /** A query without the semicolon at its end. */
  readonly withoutEnd: typeof withoutEnd
}

/** What such a package exports as `connector`. */
export type ConnectorMaker<S extends DatasourceSpec = DatasourceSpec> = (tools: SourceTools) => SourceConnector<S>

/** What packages are given. */
export const sourceTools: SourceTools = {
  RowBatches,
  ZenmlError,
  microsecondsOf,
  noPrimaryKey,
  placeOf,
  sourceFailure,
  unsupportedType,
  versionText,
  wholeNumber,
  withoutEnd,
}

/**
 * The connector that a package gives. It must be a dependency in the package.json at the root, and is loaded from the `node_modules` there
 * or of the folders above that npm installs a workspace's packages into.
 *
 * Throws `ZEN_PACKAGE_MISSING` where it is no dependency or is not installed, `ZEN_PACKAGE_DAMAGED` where it gives no connector.
 */
export async function packagedConnector<S extends DatasourceSpec>(
  name: string,
  root: string,
): Promise<SourceConnector<S>> {
  const next = `Run "npm install ${name}" in the folder of the project.`
  const manifest = await manifestOf(root)
  const declared = ['dependencies', 'devDependencies', 'optionalDependencies'].some((group) => {
    const packages = manifest?.[group]
    return isJsonObject(packages) && Object.hasOwn(packages, name)
  })
  if (!declared)
    throw new ZenmlError('ZEN_PACKAGE_MISSING', `The datasource needs the package ${name}, which is no dependency.`, {
      facts: { package: name },
      next,
    })
  const directory = await installedAt(root, name)
  if (directory === undefined)
    throw new ZenmlError('ZEN_PACKAGE_MISSING', `The datasource needs the package ${name}, which is not installed.`, {
      facts: { package: name },
      next,
    })
  try {
    // A package finds itself by its own name first, by what its "exports" say.
    const entry = await realpath(createRequire(join(directory, 'package.json')).resolve(name))
    if (!entry.startsWith(directory + sep)) throw new Error(`its entry ${entry} is outside of it`)
    const { connector } = (await import(/* @vite-ignore */ pathToFileURL(entry).href)) as {
      readonly connector?: ConnectorMaker<S>
    }
    if (typeof connector !== 'function') throw new Error('it exports no connector')
    return connector(sourceTools)
  } catch (cause) {
    throw new ZenmlError('ZEN_PACKAGE_DAMAGED', `The package ${name} cannot be used: ${messageOf(cause)}`, {
      facts: { package: name },
      next: 'Install it again, in the version of zenml.',
      cause,
    })
  }
}

/** The real folder of an installed package: in `node_modules` of the root, or of the workspace that the root is part of. */
async function installedAt(root: string, name: string): Promise<string | undefined> {
  for (let current = root; ; current = dirname(current)) {
    const directory = join(current, 'node_modules', name)
    if ((await manifestOf(directory)) !== undefined) return await realpath(directory)
    // Above a lockfile or the repository nothing belongs to the project any more.
    for (const end of ['package-lock.json', '.git']) if (await isThere(join(current, end))) return undefined
    if (current === dirname(current)) return undefined
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await realpath(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false
    throw error
  }
}

async function manifestOf(directory: string): Promise<JsonObject | undefined> {
  const path = join(directory, 'package.json')
  if (!(await isThere(path))) return undefined
  try {
    const manifest: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isJsonObject(manifest) ? manifest : undefined
  } catch (cause) {
    throw new ZenmlError('ZEN_PACKAGE_DAMAGED', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}
