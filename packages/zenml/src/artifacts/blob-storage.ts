import type { Digest } from '../base/digest.ts'

/** A stored blob's content and its length. */
export interface BlobFact {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}

/** Whether a blob is as it was stored. */
export type BlobState = 'whole' | 'missing' | 'damaged'

/** Options of `putFiles`. */
export interface PutFilesOptions {
  /** May take the files away. Default false. */
  readonly move?: boolean
  readonly signal?: AbortSignal
}

/** Keeps bytes under the SHA-256 of the bytes. Never half-visible; never overwritten but to repair. */
export interface BlobStorage {
  /** `file:///…` */
  readonly uri: string
  /** Stores the content of files; all of it is safe when the promise is fulfilled. Facts in the order of the paths. */
  putFiles(paths: readonly string[], options?: PutFilesOptions): Promise<BlobFact[]>
  putBytes(bytes: Uint8Array): Promise<Digest>
  /** The bytes, checked against the digest; undefined where there is no such blob. Throws `ZEN_ARTIFACT_DAMAGED`. */
  get(digest: Digest): Promise<Uint8Array | undefined>
  /** `full` reads the content in any case. */
  check(digest: Digest, size: number, options?: { readonly full?: boolean }): Promise<BlobState>
  /** Gives a blob the name `path`, read-only: a link where possible. */
  link(digest: Digest, path: string): Promise<void>
  /** Copies a blob to `path`. */
  copy(digest: Digest, path: string): Promise<void>
  /** A small mutable index beside the blobs: name to text. */
  readonly index: { get(name: string): Promise<string | undefined>; set(name: string, text: string): Promise<void> }
  /** Removes what writers that died left half-written, a day after; returns how many files. `now` in milliseconds. */
  sweep(now: number): Promise<number>
  uriOf(digest: Digest): string
}
