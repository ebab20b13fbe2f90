import type { JsonObject } from '../base/json.ts'

/** The raw files of a datasource, as the snapshot step gets them. */
export interface SourceFiles {
  /** `csv`, `json`, `jsonl`, `parquet`, or `pbtxt` for a schema. */
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
  /** Where it is now. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}
