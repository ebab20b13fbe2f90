import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isArtifactPath } from '../model/artifact.ts'

/** The contents of a file: bytes, or a text written as UTF-8. */
export type FileContents = Uint8Array | string

/** Bytes of a name in the usual file systems. */
const longestName = 255

/** The path, if it may name a file of an artifact (or, as a `part`, one directory in it); throws `ZEN_ARTIFACT_PATH`. */
export function checkedPath(path: string, kind: 'path' | 'part' = 'path'): string {
  const parts = path.split('/')
  const fits = path.isWellFormed() && parts.every((part) => Buffer.byteLength(part) <= longestName)
  if (isArtifactPath(path) && fits && (kind === 'path' || parts.length === 1)) return path
  throw badPath(path)
}

function badPath(path: string): ZenmlError {
  return new ZenmlError('ZEN_ARTIFACT_PATH', `${JSON.stringify(path)} cannot be the path of a file in an artifact.`, {
    facts: { path },
    next: 'Give a relative path with "/", without "." and "..", each part at most 255 bytes.',
    exitCode: 1,
  })
}

/** What to throw for a directory that is not what a type's materializer wrote. */
export function noArtifact(place: string, type: string, reason: string, cause?: unknown): ZenmlError {
  return new ZenmlError('ZEN_ARTIFACT_FORMAT', `${place} holds no artifact of type ${type}: ${reason}.`, {
    facts: { place, type, reason },
    next: 'Check the artifact, or make it again.',
    exitCode: 1,
    cause,
  })
}

/** The bytes of a file of an artifact, in a buffer of their own; throws `ZEN_ARTIFACT_FORMAT` where it is not there. */
export async function readPart(path: string, type: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')
      throw noArtifact(path, type, 'there is no such file', error)
    throw error
  }
}

/** The contents, if they are bytes or a text; throws `ZEN_ARTIFACT_VALUE`. */
export function checkedContents(contents: FileContents, path: string): FileContents {
  if (typeof contents === 'string' || contents instanceof Uint8Array) return contents
  throw new ZenmlError(
    'ZEN_ARTIFACT_VALUE',
    `The contents of ${JSON.stringify(path)} are of type ${typeof contents}.`,
    {
      facts: { path },
      next: 'Give a Uint8Array or a text.',
      exitCode: 1,
    },
  )
}

/** Writes files below a directory. Throws `ZEN_ARTIFACT_PATH` and `ZEN_ARTIFACT_VALUE` before anything is written. */
export async function writeTree(directory: string, files: { readonly [path: string]: FileContents }): Promise<void> {
  const paths = Object.keys(files).sort(compareText)
  const known = new Set(paths)
  for (const path of paths) {
    checkedPath(path)
    checkedContents(files[path]!, path)
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash)
      if (known.has(above)) throw collision(above, path, 'is a file, and a directory in')
    }
  }
  for (const path of paths) {
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true })
    try {
      await writeFile(target, files[path]!, { flag: 'wx' })
    } catch (error) {
      // Where the file system does not tell "A" from "a", one would silently replace the other.
      if (systemCode(error) === 'EEXIST')
        throw collision(path, directory, 'is already there, or differs from another path by case alone, in')
      throw error
    }
  }
}

function collision(path: string, other: string, relation: string): ZenmlError {
  return new ZenmlError('ZEN_ARTIFACT_PATH', `${JSON.stringify(path)} ${relation} ${JSON.stringify(other)}.`, {
    facts: { path },
    next: 'Give each file a path of its own.',
    exitCode: 1,
  })
}

/**
 * Relative paths of all files below a directory, sorted. Throws `ZEN_ARTIFACT_LINK` for what is neither file nor directory,
 * `ZEN_ARTIFACT_PATH` for names that an artifact cannot have.
 *
 * The inputs of a step are links into the artifact store: `linked` takes links to files for the files.
 */
export async function listTree(directory: string, { linked }: { readonly linked: boolean }): Promise<string[]> {
  const paths: string[] = []
  async function walk(prefix: string): Promise<void> {
    for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile() || (linked && (await isFile(join(directory, path))))) paths.push(checkedPath(path))
      else {
        throw new ZenmlError('ZEN_ARTIFACT_LINK', `${join(directory, path)} is neither a file nor a directory.`, {
          facts: { path },
          next: 'Leave links and special files out of the directory.',
          exitCode: 1,
        })
      }
    }
  }
  await walk('')
  return paths.sort(compareText)
}

/** Whether a path leads to a file, over links or not. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ELOOP') return false
    throw error
  }
}

/** Copies files of a directory, their bytes alone. */
export async function copyTree(from: string, files: readonly string[], to: string): Promise<void> {
  for (const path of files) {
    const target = join(to, path)
    await mkdir(dirname(target), { recursive: true })
    try {
      await copyFile(join(from, path), target)
    } catch (error) {
      // A name that is no UTF-8 is read with U+FFFD in it, and then there is no such file.
      if (systemCode(error) === 'ENOENT' && path.includes('\ufffd')) throw badPath(path)
      throw error
    }
  }
}
