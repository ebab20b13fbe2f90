import type { BigQueryDatasource } from 'zenml/sources'
import type { Asked } from './client.ts'

/** The parts of a table's name. */
export interface TableName {
  readonly project: string
  readonly dataset: string
  readonly table: string
}

/** A table as the service tells of it (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table). */
export interface TableResource {
  readonly type?: string
  readonly etag?: string
  /** Milliseconds since the epoch, by the clock of the service. */
  readonly lastModifiedTime?: string
  readonly numRows?: string
  readonly streamingBuffer?: object
  readonly timePartitioning?: { readonly expirationMs?: string }
  readonly tableConstraints?: { readonly primaryKey?: { readonly columns?: readonly string[] } }
}

/** The table that is declared, and how the API is asked for it: `TABLE`, `DATASET.TABLE` or `PROJECT.DATASET.TABLE`. */
export function namedTable(spec: BigQueryDatasource): TableName & { readonly asked: Asked } {
  const parts = spec.table!.split('.')
  const table = parts.pop()!
  const dataset = parts.pop() ?? spec.dataset!
  // What is left: the name of a project may hold a dot itself.
  const project = parts.length === 0 ? spec.project : parts.join('.')
  const uri = `/datasets/${encodeURIComponent(dataset)}/tables/${encodeURIComponent(table)}`
  return { project, dataset, table, asked: { projectId: project, uri } }
}

/**
 * The version of a table's rows; undefined where the service does not tell when they change: of views and external tables, of rows that
 * were just streamed in, and of partitions that expire by themselves.
 */
export function tableVersion(table: TableResource): string | undefined {
  const { type, etag, lastModifiedTime, numRows, streamingBuffer, timePartitioning } = table
  if (type !== 'TABLE' && type !== 'SNAPSHOT') return undefined
  if (streamingBuffer !== undefined || timePartitioning?.expirationMs !== undefined) return undefined
  if (etag === undefined || lastModifiedTime === undefined || numRows === undefined) return undefined
  return `modified ${lastModifiedTime}, ${numRows} rows, etag ${etag}`
}
