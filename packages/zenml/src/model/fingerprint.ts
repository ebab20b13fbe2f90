import type { Digest } from '../base/digest.ts'
import type { Json, JsonObject } from '../base/json.ts'

/**
 * All that decides what a step's execution gives, leaf by leaf, as recorded with it. Plain JSON, so that two executions can be
 * compared without recomputing anything. Store paths, run ids, times, host names and absolute paths are never in it.
 */
export interface Fingerprint {
  /** Version of the encoding; another version is another identity. Format 1, of before files were observed, can still be read. */
  readonly format: 1 | 2
  readonly code: CodeLeaf
  /** Every package that the bundle reaches, transitively. */
  readonly packages: readonly PackageLeaf[]
  /** Validated, defaults filled in. */
  readonly parameters: JsonObject
  /** Content digests by input name. */
  readonly inputs: { readonly [input: string]: InputLeaf }
  /** Output names and their artifact types: another type of output is another artifact. */
  readonly outputs: { readonly [output: string]: string }
  /** Declared environment variables: name to the digest of the value, null where unset. */
  readonly variables: { readonly [name: string]: Digest | null }
  readonly environment: EnvironmentLeaf
  /** What only the execution itself could tell; undefined before it ran. */
  readonly observed?: ObservedLeaf
}

/** The step's bundle and what went into it. */
export interface CodeLeaf {
  /** Digest of the bundle that is executed. */
  readonly digest: Digest
  /** Module and export, `steps/train.ts#train`. For people; not part of the identity. */
  readonly source: string
  /** `esbuild 0.28.2`. */
  readonly bundler: string
  /** Local files that gave code to the bundle, relative to the repository's root, with the digest of their text. For explaining; not part of the identity. */
  readonly files: { readonly [path: string]: Digest }
  /** How the files and packages come in. For explaining; not part of the identity. Executions of older versions have none. */
  readonly imports?: CodeImports
  /** Digest of the bundle's source map, kept as a blob. For explaining; not part of the identity. Executions of older versions have none. */
  readonly map?: Digest
}

/** How files and packages come into a bundle: the shortest way from the step's module, and no more, so that it stays small. */
export interface CodeImports {
  /** File to the file that brings it in; the step's module itself is left out. Holds the files on the way that gave no code, too. */
  readonly files: { readonly [path: string]: string }
  /** Package to the files that import it. */
  readonly packages: { readonly [name: string]: readonly string[] }
}

/** One package as the lockfile pins it. */
export interface PackageLeaf {
  readonly name: string
  readonly version: string
  /** Integrity from the lockfile (`sha512-…`), or a digest of its files where the lockfile has none. */
  readonly integrity: string
  /** The packages that need it, by name; left out where none does. For explaining; not part of the identity. */
  readonly neededBy?: readonly string[]
}

/** What fed an input. */
export interface InputLeaf {
  readonly digest: Digest
  /** `step.output` or `datasources.name`. For explaining; not part of the identity. */
  readonly from: string
}

/** The parts of the machine that can change results. */
export interface EnvironmentLeaf {
  /** `20.20.2` */
  readonly node: string
  /** `linux` … */
  readonly platform: string
  /** `x64` … */
  readonly arch: string
  /** Digest of the container image when in one. */
  readonly image?: string
  /** Digest of a native numeric canary, where the step says that it depends on native maths. */
  readonly canary?: string
}

/** What the execution was seen to depend on. */
export interface ObservedLeaf {
  /** The step's seed where the step used it (its own, or global randomness); null where it used no randomness. */
  readonly seed: number | null
  /**
   * What it read of the repository outside of its inputs: digests of files by path relative to the root, null where it looked and
   * nothing was there; a folder that it listed is `path/`, with a digest of its sorted names. Records of format 1 lack it.
   */
  readonly files: { readonly [path: string]: Digest | null }
}

/** The fields of a fingerprint, each a leaf of the identity. */
export type FingerprintField =
  | 'format'
  | 'code'
  | 'packages'
  | 'parameters'
  | 'inputs'
  | 'outputs'
  | 'variables'
  | 'environment'
  | 'observed'

/** A fingerprint as it is stored: the leaves, the digest of each field, and the digests over them. */
export interface Identity {
  /** Over all fields that can be known before the step runs: the name of its `execution_cache` context. */
  readonly key: Digest
  readonly fields: { readonly [field in FingerprintField]?: Digest }
  readonly fingerprint: Fingerprint
}

/** A fact that two fingerprints do not share. */
export interface FingerprintChange {
  readonly field: FingerprintField
  /** File, package, parameter or input. */
  readonly path: string
  readonly before: Json
  readonly after: Json
}
