import { digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'

/** One file of an artifact: a relative path with `/`, and the content it names. */
export interface ArtifactFile {
  /** Relative, normalised, `/`-separated; never absolute, never with `.` or `..` parts. */
  readonly path: string
  /** Length in bytes. */
  readonly size: number
  /** SHA-256 of the bytes. */
  readonly digest: Digest
}

/** What an artifact is: a type and a set of named files. Two artifacts with equal manifests are the same artifact. */
export interface ArtifactManifest {
  readonly format: 1
  /** Name of the artifact type, such as `Examples`. */
  readonly type: string
  /** Sorted by path. */
  readonly files: readonly ArtifactFile[]
}

/** An artifact as the stores know it. */
export interface StoredArtifact {
  readonly type: string
  /** Digest of the manifest: what goes into the identity of a step that consumes the artifact. */
  readonly digest: Digest
  /** Where the artifact store keeps the manifest; never part of an identity. */
  readonly uri: string
  /** Bytes of all files together. */
  readonly size: number
  /** Facts about the artifact for people and queries (row counts, metrics); never part of an identity. */
  readonly properties: JsonObject
}

/** The digest of an artifact: of the canonical encoding of its manifest, so neither store nor host is in it. */
export function digestOfManifest(manifest: ArtifactManifest): Digest {
  return digestOf({
    format: manifest.format,
    type: manifest.type,
    files: manifest.files.map(({ path, size, digest }) => ({ path, size, digest })),
  })
}

/** Whether a path may name a file of an artifact: relative, normalised, without `.`, `..`, empty parts, `\` or NUL. */
export function isArtifactPath(path: string): boolean {
  if (path === '' || path.length > 1024 || path.includes('\\') || path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
