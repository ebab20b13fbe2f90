import type { Readable } from 'node:stream'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { type DatasourceSpec, placeOf, variableReference } from '../model/datasource-spec.ts'
import type { SourcePlaces } from './resolve-source.ts'

/** What connects to a kind of source that is no local file. Credentials live here, in the process that plans a run, and nowhere else. */
export type SourceConnector<S extends DatasourceSpec = DatasourceSpec> =
  | RowConnector<S>
  | FileConnector<S>
  | ObjectConnector<S>

/** A source of rows: a database. */
export interface RowConnector<S extends DatasourceSpec = DatasourceSpec> {
  readonly kind: 'rows'
  /** What the source says of its version without reading: equal texts mean equal rows. Undefined where it cannot tell. */
  version(options: ConnectOptions<S>): Promise<string | undefined>
  /** Opens one consistent read in a stable order. Nothing is held in memory but a batch. */
  read(options: ConnectOptions<S> & { readonly batchSize?: number }): Promise<RowReading>
}

/** Rows as they are read; to be closed, also when the batches were not read to their end. */
export interface RowReading extends AsyncDisposable {
  /** Kind of every feature, in the order of the names' UTF-8 bytes. */
  readonly kinds: ReadonlyMap<string, FeatureKind>
  readonly batches: AsyncIterable<ExampleBatch>
}

/** A source of one file. */
export interface FileConnector<S extends DatasourceSpec = DatasourceSpec> {
  readonly kind: 'file'
  /**
   * Writes the file as `name` into a directory; `unchanged` where its version is the one that is known. After a throw nothing that was
   * written counts.
   */
  fetch(
    options: ConnectOptions<S> & { readonly known: string | undefined; readonly directory: string },
  ): Promise<{ readonly kind: 'unchanged' } | { readonly kind: 'fetched'; readonly version: string | undefined }>
}

/** A source of files that lie as objects in a store. Which of them are read, and as which files, is decided by `fetchObjects`. */
export interface ObjectConnector<S extends DatasourceSpec = DatasourceSpec> {
  readonly kind: 'objects'
  /** Opens the store. Every wait, here and below, ends with the signal that is given. */
  open(options: ConnectOptions<S>): Promise<ObjectStore>
}

/** A bucket that is read; what goes wrong is already an error for people. */
export interface ObjectStore extends AsyncDisposable {
  /** The object of exactly this name, as it is now; undefined where there is none. */
  find(name: string, signal: AbortSignal): Promise<StoredObject | undefined>
  /** All objects whose names begin with a prefix, page by page. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<readonly StoredObject[]>
  /**
   * The bytes of an object as they are stored, of exactly the state that was told. The promise is kept when the first of them may be read.
   *
   * Throws `ZEN_SOURCE_CHANGED` where that state is gone.
   */
  read(object: StoredObject, signal: AbortSignal): Promise<ObjectContent>
}

/** What a store tells of an object without reading it. */
export interface StoredObject {
  /** The whole name in the bucket. Anyone may have chosen it. */
  readonly name: string
  /** Bytes, as they are stored. */
  readonly size: number
  /** Which state of the object it is: another for every other content. */
  readonly version: string
  /** Where a listing tells it. */
  readonly checksum?: ObjectChecksum | undefined
}

/** The bytes of an object. */
export interface ObjectContent {
  readonly body: Readable
  /** What the service tells of them; undefined where it tells nothing that can be checked. */
  readonly checksum: ObjectChecksum | undefined
}

/** What the bytes of an object must have. */
export interface ObjectChecksum {
  readonly algorithm: 'md5' | 'crc32c'
  /** In base64. */
  readonly value: string
}

/** What a connector is given. */
export interface ConnectOptions<S extends DatasourceSpec = DatasourceSpec> {
  readonly spec: S
  /** Where files may be. */
  readonly places: SourcePlaces
  /** The variables that `${env:NAME}` stands for. */
  readonly environment: { readonly [name: string]: string | undefined }
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: SourceProgress | undefined
}

/** Told now and then how much has come; `total` is null where it is not known. */
export type SourceProgress = (done: number, total: number | null, unit: 'rows' | 'bytes') => void

type Remote = Exclude<DatasourceSpec['type'], 'file' | 'artifact'>
type SpecOf<T, S = DatasourceSpec> = S extends { readonly type: infer U } ? (T extends U ? S : never) : never

/** One loader a kind, so that a driver is loaded only where it is used; a heavy one comes from a package of the project at a root. */
const loaders: { readonly [T in Remote]: (root: string) => Promise<SourceConnector<SpecOf<T>>> } = {
  bigquery: async (root) => await (await import('./source-package.ts')).packagedConnector('@zenml/bigquery', root),
  gcs: async (root) => await (await import('./source-package.ts')).packagedConnector('@zenml/gcs', root),
  s3: async (root) => await (await import('./source-package.ts')).packagedConnector('@zenml/s3', root),
  duckdb: async () => (await import('./duckdb.ts')).duckdbConnector,
  http: async () => (await import('./http.ts')).httpConnector,
  mysql: async () => (await import('./mysql.ts')).mysqlConnector,
  postgres: async () => (await import('./postgres.ts')).postgresConnector,
  sqlite: async () => (await import('./sqlite.ts')).sqliteConnector,
}

/** The connector of a kind of source, for the project at a root. Throws `ZEN_PACKAGE_MISSING` for one whose package the project does not have. */
export async function connectorOf(type: Remote, root: string): Promise<SourceConnector> {
  // A connector is only ever given specs of its own kind.
  return (await loaders[type](root)) as SourceConnector<never> as SourceConnector
}

/** Puts variables in the place of `${env:NAME}`. Throws `ZEN_SOURCE_VARIABLE` for one that is not set. */
export function withVariables(text: string, environment: ConnectOptions['environment']): string {
  return text.replace(variableReference, (_whole, name: string) => {
    const value = environment[name]
    if (value !== undefined) return value
    throw new ZenmlError('ZEN_SOURCE_VARIABLE', `The datasource needs the variable ${name}, which is not set.`, {
      facts: { variable: name },
      next: `Set ${name}.`,
    })
  })
}

/** Why a source gives nothing. */
const failures = {
  ZEN_SOURCE_CONNECT: ['cannot be reached', 'Check that it runs and can be reached from here, and run again.'],
  ZEN_SOURCE_DENIED: ['refuses access', 'Check user, password and permissions.'],
  ZEN_SOURCE_QUERY: ['does not understand the query', 'Mend the table or query of the datasource.'],
  ZEN_SOURCE_LOST: [
    'was lost in the middle of the read; nothing of it is kept',
    'Run again: the read starts anew, and every finished step is reused.',
  ],
  ZEN_SOURCE_CHANGED: [
    'changed while it was read; nothing of it is kept',
    'Run again when nobody writes to it: the read starts anew, and every finished step is reused.',
  ],
  ZEN_SOURCE_READ: ['cannot be read', 'Check the source, and run again.'],
} as const

/** The error for a source that gives nothing; what the driver says is in the message, so it must hold no secret. */
export function sourceFailure(code: keyof typeof failures, spec: DatasourceSpec, cause: unknown): ZenmlError {
  const [what, next] = failures[code]
  const said = messageOf(cause).replace(/[.\s]+$/, '')
  return new ZenmlError(code, `${placeOf(spec)} ${what}${said === '' ? '' : `: ${said}`}.`, {
    facts: { type: spec.type },
    next,
    cause,
    exitCode: 1,
  })
}
