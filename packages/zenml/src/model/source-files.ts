import type { JsonObject } from '../base/json.ts'

/** The raw files of a datasource, as the snapshot step gets them. */
export interface SourceFiles {
  /** One of the formats of a datasource. */
  readonly format: string
  /** Options of the format, as declared. */
  readonly options: JsonObject
  /** In reading order. */
  readonly files: readonly SourceFile[]
}

/** One raw file. */
export interface SourceFile {
  /** What messages call it: relative to the repository or the package. */
  readonly name: string
  /** Its path below the source's folder (of one file: its own name), `/` between the parts: what is data of formats such as `text`. */
  readonly inner: string
  /** Where it is now. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}
