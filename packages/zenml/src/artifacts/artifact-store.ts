import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { canonicalJson, compareText } from '../base/canonical.ts'
import { type Digest, hexOf, parseDigest } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import {
  type ArtifactFile,
  type ArtifactManifest,
  digestOfManifest,
  isArtifactPath,
  type StoredArtifact,
} from '../model/artifact.ts'
import type { BlobFact, BlobStorage } from './blob-storage.ts'

/** Whether an artifact is as it was stored, and which of its files are not. */
export type ArtifactCheck =
  | { readonly kind: 'whole'; readonly files: readonly [] }
  | { readonly kind: 'missing' | 'damaged'; readonly files: readonly string[] }

/** Options of `put`. */
export interface PutOptions {
  /** May take the files away instead of copying them. Default false. */
  readonly move?: boolean
  /** Facts about the artifact, kept in the metadata store. */
  readonly properties?: JsonObject
  readonly signal?: AbortSignal
}

/** Keeps artifacts: each a manifest of named files, each file a blob under the digest of its bytes. */
export interface ArtifactStore {
  readonly uri: string
  /** Stores every file below a directory. Throws `ZEN_ARTIFACT_FILE` for links and devices, `ZEN_ARTIFACT_EMPTY` where there is none. */
  put(type: string, directory: string, options?: PutOptions): Promise<StoredArtifact>
  /** The manifest; undefined where the store has none that is whole. */
  manifest(digest: Digest): Promise<ArtifactManifest | undefined>
  /** Whether all files are there and right; `full` reads all content, otherwise a large file that is unchanged since it was last read is believed. */
  check(digest: Digest, options?: { readonly full?: boolean }): Promise<ArtifactCheck>
  /** Lays an artifact out in a directory as read-only links. Throws `ZEN_ARTIFACT_MISSING` and `ZEN_ARTIFACT_DAMAGED`. */
  materialise(digest: Digest, directory: string): Promise<void>
  /** Copies an artifact into a new or empty directory, all or nothing. Throws as `materialise`, and `ZEN_ARTIFACT_TARGET`. */
  pull(digest: Digest, directory: string): Promise<void>
  putFile(path: string, options?: { readonly move?: boolean }): Promise<BlobFact>
  putBlob(bytes: Uint8Array): Promise<Digest>
  getBlob(digest: Digest): Promise<Uint8Array | undefined>
  /** Removes what writers that died left half-written. */
  sweep(now: number): Promise<number>
}

/** An artifact store over any storage of blobs. */
export function artifactStore(blobs: BlobStorage): ArtifactStore {
  async function manifest(digest: Digest): Promise<ArtifactManifest | undefined> {
    const text = await blobs.index.get(hexOf(digest))
    if (text === undefined) return undefined
    const found = parseManifest(text)
    return found !== undefined && digestOfManifest(found) === digest ? found : undefined
  }

  async function check(digest: Digest, options: { readonly full?: boolean } = {}): Promise<ArtifactCheck> {
    const found = await manifest(digest)
    if (found === undefined) return { kind: 'missing', files: [] }
    const states = await Promise.all(
      found.files.map(async (file) => ({ file, state: await blobs.check(file.digest, file.size, options) })),
    )
    for (const kind of ['missing', 'damaged'] as const) {
      const files = states.filter(({ state }) => state === kind).map(({ file }) => file.path)
      if (files.length > 0) return { kind, files }
    }
    return { kind: 'whole', files: [] }
  }

  async function wholeManifest(digest: Digest): Promise<ArtifactManifest> {
    const state = await check(digest)
    if (state.kind === 'whole') return (await manifest(digest))!
    const files = state.files.length === 0 ? 'its manifest' : state.files.join(', ')
    throw new ZenmlError(
      state.kind === 'missing' ? 'ZEN_ARTIFACT_MISSING' : 'ZEN_ARTIFACT_DAMAGED',
      `Artifact ${digest} is ${state.kind}: ${files}.`,
      {
        facts: { digest, files: [...state.files] },
        next: 'Run the pipeline that made it again.',
        exitCode: 1,
      },
    )
  }

  async function layOut(
    files: readonly ArtifactFile[],
    directory: string,
    place: (digest: Digest, path: string) => Promise<void>,
  ): Promise<void> {
    const folders = new Set(files.map(({ path }) => dirname(join(directory, path))))
    await Promise.all([...folders].map((folder) => mkdir(folder, { recursive: true })))
    await Promise.all(files.map(({ path, digest }) => place(digest, join(directory, path))))
  }

  return {
    uri: blobs.uri,
    manifest,
    check,
    async put(type, directory, { move = false, properties = {}, signal } = {}) {
      const paths = await filesBelow(directory)
      if (paths.length === 0)
        throw new ZenmlError('ZEN_ARTIFACT_EMPTY', `The ${type} to be stored has no files.`, { exitCode: 1 })
      const facts = await blobs.putFiles(
        paths.map((path) => join(directory, path)),
        { move, ...(signal === undefined ? {} : { signal }) },
      )
      const files = facts.map(({ size, digest }, index): ArtifactFile => ({ path: paths[index]!, size, digest }))
      const made: ArtifactManifest = { format: 1, type, files }
      const digest = digestOfManifest(made)
      if ((await manifest(digest)) === undefined)
        await blobs.index.set(hexOf(digest), canonicalJson(made as unknown as JsonObject))
      return {
        type,
        digest,
        uri: artifactUri(blobs.uri, digest),
        size: files.reduce((sum, { size }) => sum + size, 0),
        properties,
      }
    },
    async materialise(digest, directory) {
      await layOut((await wholeManifest(digest)).files, directory, blobs.link)
    },
    async pull(digest, target) {
      const directory = resolve(target)
      const { files } = await wholeManifest(digest)
      const part = `${directory}.${process.pid}.part`
      await mkdir(dirname(directory), { recursive: true })
      try {
        await rmdir(directory)
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') {
          throw new ZenmlError('ZEN_ARTIFACT_TARGET', `${directory} is there already and not an empty folder.`, {
            next: 'Name another folder.',
          })
        }
      }
      try {
        await mkdir(part)
        await layOut(files, part, blobs.copy)
        await rename(part, directory)
      } catch (error) {
        await rm(part, { recursive: true, force: true })
        throw error
      }
    },
    putFile: async (path, options) => (await blobs.putFiles([path], options))[0]!,
    putBlob: (bytes) => blobs.putBytes(bytes),
    getBlob: (digest) => blobs.get(digest),
    sweep: (now) => blobs.sweep(now),
  }
}

/** Relative paths of the regular files below a directory, in the order of their UTF-8 bytes. */
async function filesBelow(directory: string): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue
    const path = relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/')
    if (
      !entry.isFile() ||
      !isArtifactPath(path) ||
      !path.isWellFormed() ||
      // Not there where its name is no UTF-8, and so was read as another.
      (await lstat(join(directory, path)).catch(() => undefined))?.isFile() !== true
    ) {
      throw new ZenmlError(
        'ZEN_ARTIFACT_FILE',
        `${JSON.stringify(path)} cannot be part of an artifact: only regular files with plain relative names can.`,
        {
          facts: { path },
          next: 'Write a copy of the file instead of a link.',
          exitCode: 1,
        },
      )
    }
    paths.push(path)
  }
  return paths.sort(compareText)
}

/** A manifest as stored, or undefined where the text is none: a store is not trusted. */
function parseManifest(text: string): ArtifactManifest | undefined {
  try {
    const value = JSON.parse(text) as ArtifactManifest
    if (value.format !== 1 || typeof value.type !== 'string' || !Array.isArray(value.files)) return undefined
    const files = value.files.map(({ path, size, digest }) => {
      if (typeof path !== 'string' || !isArtifactPath(path) || !Number.isSafeInteger(size) || size < 0)
        throw new TypeError('not a file of an artifact')
      return { path, size, digest: parseDigest(digest) }
    })
    if (clash(files)) return undefined
    return { format: 1, type: value.type, files }
  } catch {
    return undefined
  }
}

/** Whether a path is there twice, or is a file in one place and a folder in another: such files cannot lie beside each other. */
function clash(files: readonly ArtifactFile[]): boolean {
  const paths = new Set(files.map(({ path }) => path))
  if (paths.size < files.length) return true
  return files.some(({ path }) => {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1))
      if (paths.has(path.slice(0, end))) return true
    return false
  })
}

/** Where a store at a place keeps the manifest of an artifact. */
export function artifactUri(store: string, digest: Digest): string {
  return `${store}/artifacts/${hexOf(digest).slice(0, 2)}/${hexOf(digest).slice(2)}`
}
