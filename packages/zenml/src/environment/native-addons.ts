import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'
import { digestFile } from './file-digest.ts'
import { keepAnswer, readAnswer } from './kept-answer.ts'
import type { PackagePlace } from './lockfile.ts'

/** What is asked. */
export interface NativeAddonsOptions {
  /** `places` of `installedClosure` of a step, or of several. */
  readonly places: readonly PackagePlace[]
  /** Where answers are kept; none are without it. */
  readonly cacheDirectory?: string
}

/** Compiled code by `name@version:path in the package`. */
export interface NativeAddons {
  readonly [addon: string]: Digest
}

/** Version of this module's cache files. */
const cacheFormat = 1

/** Addons of Node and the libraries that they come with: the part of a package that its install script may have compiled or fetched. */
const compiled = /\.(?:node|dylib|dll|so(?:\.\d+)*)$/

/** Other packages, and what node-gyp leaves of its work and nobody loads. */
const skipped: readonly string[] = ['node_modules', 'obj.target']

interface CachedAddons {
  /** State of each folder on the way to a compiled file, and of each package's own: a new file changes it. */
  readonly folders: { readonly [path: string]: string }
  readonly files: { readonly [path: string]: string }
  readonly addons: NativeAddons
}

/**
 * The compiled code of packages by the digest of its bytes. A lockfile does not pin it: an install script compiles it here or fetches it. It
 * is recorded with a run to explain a difference, and is no part of an identity, as each machine's compiler gives other bytes.
 *
 * A kept answer is believed while the files and the folders that hold them are untouched; nothing else is read then.
 *
 * @example
 * const { places } = await installedClosure({ root, packages: bundle.packages })
 * await nativeAddons({ places })
 * // { 'better-sqlite3@12.11.1:build/Release/better_sqlite3.node': 'sha256:…' }
 */
export async function nativeAddons({ places, cacheDirectory }: NativeAddonsOptions): Promise<NativeAddons> {
  if (places.length === 0) return {}
  const asked = [
    ...new Map(places.map((place) => [`${place.name}@${place.version}\0${place.directory}`, place])).values(),
  ].sort((a, b) => compareText(a.name, b.name) || compareText(a.directory, b.directory))
  if (cacheDirectory === undefined) return find(asked).addons
  const key = digestOf([cacheFormat, asked.map(({ name, version, directory }) => [name, version, directory])])
  const file = join(cacheDirectory, 'addons', `${hexOf(key)}.json`)
  const known = await readAnswer<CachedAddons>(file)
  if (known !== undefined && stillHolds(known)) return known.addons
  const found = find(asked)
  await keepAnswer(file, found)
  return found.addons
}

/** The compiled code of some packages among that of many. */
export function addonsOf(
  addons: NativeAddons,
  packages: readonly { readonly name: string; readonly version: string }[],
): NativeAddons {
  const names = new Set(packages.map(({ name, version }) => `${name}@${version}`))
  return Object.fromEntries(Object.entries(addons).filter(([addon]) => names.has(addon.slice(0, addon.indexOf(':')))))
}

function find(places: readonly PackagePlace[]): CachedAddons {
  const folders = new Map<string, string>()
  const files = new Map<string, string>()
  const addons = new Map<string, Digest>()
  for (const { name, version, directory } of places) {
    const visit = (folder: string): boolean => {
      let holds = false
      for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`
        if (entry.isDirectory()) holds = (!skipped.includes(entry.name) && visit(path)) || holds
        else if (entry.isFile() && compiled.test(entry.name)) {
          holds = true
          const full = join(directory, path)
          files.set(full, stateOf(full)!)
          addons.set(`${name}@${version}:${path}`, digestFile(full))
        }
      }
      if (holds || folder === '') folders.set(join(directory, folder), stateOf(join(directory, folder))!)
      return holds
    }
    visit('')
  }
  return {
    folders: Object.fromEntries(folders),
    files: Object.fromEntries(files),
    addons: Object.fromEntries([...addons].sort(([a], [b]) => compareText(a, b))),
  }
}

function stillHolds({ folders, files }: CachedAddons): boolean {
  return [...Object.entries(folders), ...Object.entries(files)].every(([path, state]) => stateOf(path) === state)
}

/** What tells cheaply that a file or a folder is untouched; undefined where there is none. */
function stateOf(path: string): string | undefined {
  try {
    const { size, mtimeNs, ctimeNs, ino } = lstatSync(path, { bigint: true })
    return `${size} ${mtimeNs} ${ctimeNs} ${ino}`
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
