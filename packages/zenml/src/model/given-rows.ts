/** One value as TypeScript has it: booleans are 0 and 1, dates microseconds since the epoch. */
export type GivenValue = number | bigint | string | boolean | Uint8Array | Date
/** One cell: a value, several, or none. */
export type GivenCell = GivenValue | readonly GivenValue[] | null | undefined

/** A row: its cells by feature. */
export interface GivenRow {
  readonly [feature: string]: GivenCell
}

/** Rows in memory, or as they come. */
export type GivenRows<R = GivenRow> = Iterable<R> | AsyncIterable<R>

/** What `datasource()` is given of rows that the pipeline's own code makes. */
export interface RowsOptions<R = GivenRow> {
  /** An array, any iterable or async iterable, or a function that gives one: it is called when a run is planned. */
  readonly rows: GivenRows<R> | (() => GivenRows<R> | Promise<GivenRows<R>>)
  /** Kinds of features. Default: the narrowest that holds all values. */
  readonly schema?: { readonly [feature: string]: 'int' | 'float' | 'bytes' }
  /** As of any datasource. */
  readonly version?: string
  readonly type?: never
  readonly path?: never
}
