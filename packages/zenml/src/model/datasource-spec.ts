import type { JsonObject } from '../base/json.ts'
import type { ArtifactName } from './artifact-name.ts'
import type { TlsOptions } from './tls-options.ts'

/** Data that lies outside: read once, kept as an immutable snapshot. */
export type DatasourceSpec =
  | FileDatasource
  | HttpDatasource
  | SqliteDatasource
  | DuckdbDatasource
  | ServerDatasource
  | BigQueryDatasource
  | GcsDatasource
  | S3Datasource
  | ArtifactDatasource

/** Formats of files; `pbtxt` is a schema, which has no rows. */
export const datasourceFormats = ['csv', 'json', 'jsonl', 'parquet', 'tfrecord', 'text', 'image', 'pbtxt'] as const

/** A format of files. */
export type DatasourceFormat = (typeof datasourceFormats)[number]

/** Formats that give the names of their files as data: names are then part of what a source is. */
export const namedFormats: ReadonlySet<string> = new Set<DatasourceFormat>(['text', 'image'])

interface AnyDatasource {
  /**
   * Which snapshot is used: `latest` (the newest commit), the id of a commit, or the digest of a snapshot. Left out: the data as it is
   * when the run is planned.
   */
  readonly version?: string
}

interface FileFormat {
  readonly format: DatasourceFormat
  /** Options of the format (delimiter, header, encoding, missing values, schema …). */
  readonly options: JsonObject
}

/** Files of the repository, of an installed package, or below a data root. */
export interface FileDatasource extends AnyDatasource, FileFormat {
  readonly type: 'file'
  /**
   * A file, a directory or a glob, relative to the repository's root; or `package:NAME/PATH` for a file of an installed
   * package. Several are read in the order of their paths' bytes.
   */
  readonly path: string
}

/** A file behind HTTP or HTTPS. */
export interface HttpDatasource extends AnyDatasource, FileFormat {
  readonly type: 'http'
  /** `http:` or `https:`, without user and password. */
  readonly url: string
  /** Sent with the request. Secrets stand here as `${env:NAME}` only. */
  readonly headers: { readonly [name: string]: string }
  /** A longer file is refused. Bytes. */
  readonly maxBytes: number
}

/** What every source of objects has: one of them, a folder, or a glob. */
export interface ObjectDatasource extends AnyDatasource, FileFormat {
  /**
   * The bucket and a path in it: an object, a folder (`/` at its end), or a glob. Several objects are read in the order of their names'
   * bytes. Nothing of it is percent-encoded.
   */
  readonly uri: string
  /** More bytes than this, of all objects together, are refused. */
  readonly maxBytes: number
  /** Asked without credentials. */
  readonly anonymous?: boolean
  /** Where the service is asked, instead of where its vendor has it: `http:` or `https:`. */
  readonly endpoint?: string
}

/** Objects of Google Cloud Storage, `gs://BUCKET/PATH`, read by the package `@zenml/gcs`. */
export interface GcsDatasource extends ObjectDatasource {
  readonly type: 'gcs'
}

/** Objects of Amazon S3 or of a server like it, `s3://BUCKET/PATH`, read by the package `@zenml/s3`. */
export interface S3Datasource extends ObjectDatasource {
  readonly type: 's3'
  /** The region that is asked first. Default `us-east-1`; S3 says where another bucket is. */
  readonly region?: string
  /** Whether the bucket stands in the path of addresses and not in their host. Default false. */
  readonly pathStyle?: boolean
}

/** What every SQL source has: rows of a table or a query, in the order of a key. */
export interface SqlDatasource extends AnyDatasource {
  /** A table or view; either this or `query`. */
  readonly table?: string
  /** One statement that gives rows; either this or `table`. */
  readonly query?: string
  /** Columns that no two rows share: rows are read in their order. Default the primary key of the table. */
  readonly key?: readonly string[]
  /** A column that grows with every change of a row: as long as its largest value and the number of rows stay, nothing is read. */
  readonly versionColumn?: string
}

/** A table or query of a SQLite database. */
export interface SqliteDatasource extends SqlDatasource {
  readonly type: 'sqlite'
  /** The database file: relative to the repository's root, or below a data root. */
  readonly path: string
}

/** Examples in the artifact store: what another pipeline gave. */
export interface ArtifactDatasource extends AnyDatasource, ArtifactName {
  readonly type: 'artifact'
  /** The splits that are read, in this order. Default all, in the order of their names. */
  readonly splits?: readonly string[]
}

/** A table or query of a DuckDB database. */
export interface DuckdbDatasource extends SqlDatasource {
  readonly type: 'duckdb'
  /** The database file: relative to the repository's root, or below a data root. */
  readonly path: string
}

/** A table or query of a PostgreSQL, MySQL or MariaDB server. A table may name its schema: `sales.orders`. */
export interface ServerDatasource extends SqlDatasource {
  readonly type: 'postgres' | 'mysql'
  /** Default `localhost`. */
  readonly host?: string
  /** Default 5432 of PostgreSQL, 3306 of MySQL. */
  readonly port?: number
  /** A socket instead of host and port: MySQL's file, PostgreSQL's folder. */
  readonly socket?: string
  readonly database: string
  readonly username: string
  /** The variable that holds the password: `${env:NAME}`, and nothing else. Default an empty password. */
  readonly password?: string
  /** How the connection is encrypted; its files inside of the repository or a data root. */
  readonly tls?: TlsOptions
}

/**
 * A table or query of BigQuery, read by the package `@zenml/bigquery`. A table may name its data set and its project: `sales.orders`,
 * `bigquery-public-data.samples.shakespeare`.
 */
export interface BigQueryDatasource extends SqlDatasource {
  readonly type: 'bigquery'
  /** The project that runs the jobs and pays for them, and the one of tables that name none. */
  readonly project: string
  /** The data set of tables that name none. */
  readonly dataset?: string
  /** Where the jobs run: `EU`, `europe-west1`. Default where BigQuery finds the tables. */
  readonly location?: string
  /** A job that would be billed for more is not run. Bytes; default what the project allows. */
  readonly maxBytesBilled?: number
}

/** What `datasource()` is given: as in the configuration, the format guessed from the file's name where it is left out. */
export type DatasourceOptions =
  | FileOptions
  | HttpOptions
  | SqliteDatasource
  | DuckdbDatasource
  | ServerDatasource
  | BigQueryDatasource
  | GcsOptions
  | S3Options
  | ArtifactDatasource

/** Files of the repository, of an installed package, or below a data root. */
export interface FileOptions extends AnyDatasource {
  readonly type?: 'file'
  readonly path: string
  readonly format?: DatasourceFormat
  /** Options of the format; see the reference of file datasources. */
  readonly options?: JsonObject
}

/** A file behind HTTP or HTTPS. */
export interface HttpOptions extends AnyDatasource {
  readonly type: 'http'
  readonly url: string
  /** Sent with the request; secrets as `${env:NAME}` only. Default none. */
  readonly headers?: { readonly [name: string]: string }
  /** A longer file is refused. Default 10 GiB. */
  readonly maxBytes?: number
  readonly format?: DatasourceFormat
  /** Options of the format. */
  readonly options?: JsonObject
}

/** Objects of Google Cloud Storage. */
export interface GcsOptions
  extends Pick<GcsDatasource, 'type' | 'uri' | 'anonymous' | 'endpoint' | 'version'>,
    Partial<Pick<GcsDatasource, 'format' | 'options' | 'maxBytes'>> {}

/** Objects of Amazon S3 or of a server like it. */
export interface S3Options
  extends Pick<S3Datasource, 'type' | 'uri' | 'anonymous' | 'endpoint' | 'region' | 'pathStyle' | 'version'>,
    Partial<Pick<S3Datasource, 'format' | 'options' | 'maxBytes'>> {}

/** Largest file that is fetched where nothing else is said. Bytes. */
export const defaultMaxBytes: number = 10 * 2 ** 30

/** Where a server listens unless it is told otherwise. */
export const defaultPorts: { readonly [type in ServerDatasource['type']]: number } = { postgres: 5432, mysql: 3306 }

/** Fills defaults in; undefined where the format is left out and not told by the file's name. */
export function completeDatasource(given: DatasourceOptions): DatasourceSpec | undefined {
  switch (given.type) {
    case undefined:
    case 'file': {
      const shared = fileFormat(given, given.path)
      return shared && { type: 'file', path: given.path, ...shared }
    }
    case 'http': {
      const { url, headers = {}, maxBytes = defaultMaxBytes } = given
      const shared = fileFormat(given, URL.canParse(url) ? new URL(url).pathname : '')
      return shared && { type: 'http', url, headers, maxBytes, ...shared }
    }
    case 'gcs':
    case 's3': {
      const { maxBytes = defaultMaxBytes } = given
      const shared = fileFormat(given, given.uri)
      return shared && { ...given, maxBytes, ...shared }
    }
    default:
      return given
  }
}

function fileFormat(
  { format: given, options = {}, version }: FileOptions | HttpOptions | GcsOptions | S3Options,
  path: string,
): (FileFormat & AnyDatasource) | undefined {
  const format = given ?? formatOf(path)
  return format && { format, options, ...(version === undefined ? {} : { version }) }
}

/** Where the data lies, as one line for people. */
export function placeOf(spec: DatasourceSpec): string {
  switch (spec.type) {
    case 'file':
      return spec.path
    case 'http':
      return spec.url
    case 'gcs':
    case 's3':
      return spec.uri
    case 'sqlite':
    case 'duckdb':
      return `${spec.path}: ${spec.table ?? 'query'}`
    case 'artifact':
      return spec.artifact ?? `${spec.pipeline}: ${spec.output}`
    case 'bigquery': {
      const { project, dataset, table } = spec
      return `bigquery ${project}${dataset === undefined ? '' : `.${dataset}`}: ${table ?? 'query'}`
    }
    case 'postgres':
    case 'mysql':
      return `${spec.type} ${spec.socket ?? `${spec.host ?? 'localhost'}:${spec.port ?? defaultPorts[spec.type]}`}/${spec.database}: ${spec.table ?? 'query'}`
  }
}

/** The format that a file's name tells, of all but images also behind `.gz` and `.zst`; undefined where it tells none. */
export function formatOf(path: string): DatasourceFormat | undefined {
  if (/\.(png|jpe?g|gif|webp|bmp)$/i.test(path)) return 'image'
  const name = path.toLowerCase().replace(/\.(gz|zst)$/, '')
  if (/\.(csv|tsv)$/.test(name)) return 'csv'
  if (name.endsWith('.json')) return 'json'
  if (/\.(jsonl|ndjson)$/.test(name)) return 'jsonl'
  if (/\.(parquet|parq)$/.test(name)) return 'parquet'
  // `data_tfrecord-00000-of-00012` is how TensorFlow Extended calls its files.
  if (/\.tfrecords?(-\d+-of-\d+)?$|tfrecord-\d+-of-\d+$/.test(name)) return 'tfrecord'
  if (/\.(txt|text|md|markdown)$/.test(name)) return 'text'
  if (/\.(pbtxt|textproto)$/.test(name)) return 'pbtxt'
  return undefined
}

/** A reference to a variable in a declared text: `${env:NAME}`. */
export const variableReference: RegExp = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g

/** What `version` may say. */
export const versionPattern: string = '^(latest|[0-9a-f]{16}|sha256:[0-9a-f]{64})$'
