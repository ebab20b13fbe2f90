import { setTimeout } from 'node:timers/promises'
import type { BigQueryDatasource, SourceTools } from 'zenml/sources'
import type { Client, Field, JobResource } from './client.ts'
import type { RawValue } from './columns.ts'

/** Rows that are asked for at once; the service gives fewer where they are large. */
const pageSize = 10_000

/** An answer of jobs.getQueryResults (https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults). */
interface Results {
  readonly jobComplete?: boolean
  readonly schema?: { readonly fields?: readonly Field[] }
  readonly rows?: readonly { readonly f: readonly { readonly v: RawValue }[] }[]
  readonly totalRows?: string
  readonly pageToken?: string
}

/** A page of a result. */
export interface ResultPage {
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly RawValue[])[]
}

/**
 * The result of a job page by page, in the order that the job gave it; waits until the job is done. A page is asked for while the one
 * before is used, so two are in memory.
 *
 * Throws what the job failed with, `ZEN_SOURCE_LOST` where rows are missing at the end.
 */
export async function* resultPages(
  client: Client,
  { jobReference }: JobResource,
  spec: BigQueryDatasource,
  tools: SourceTools,
): AsyncGenerator<ResultPage, undefined> {
  const { jobId, location } = jobReference ?? {}
  if (jobId === undefined) throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('its job has no id'))
  const ask = async (pageToken?: string): Promise<Results> => {
    for (;;) {
      const results = await client.ask<Results>(
        {
          uri: `/queries/${encodeURIComponent(jobId)}`,
          qs: {
            maxResults: pageSize,
            timeoutMs: 10_000,
            'formatOptions.useInt64Timestamp': true,
            ...(location === undefined ? {} : { location }),
            ...(pageToken === undefined ? {} : { pageToken }),
          },
        },
        true,
      )
      if (results.jobComplete === true) return results
      if (results.jobComplete !== false)
        throw tools.sourceFailure('ZEN_SOURCE_LOST', spec, new Error('an answer is no result of BigQuery'))
      // The service itself waits before it says so; what stands in for it may not.
      await setTimeout(100)
    }
  }
  const first = await ask()
  const fields = first.schema?.fields ?? []
  let count = 0
  for (let page = first; ; ) {
    const next = page.pageToken === undefined ? undefined : ask(page.pageToken)
    // Whoever waits for it is told; nobody may be left to.
    next?.catch(() => {})
    const rows = (page.rows ?? []).map(({ f }) => f.map(({ v }) => v))
    count += rows.length
    yield { fields, rows }
    if (next === undefined) break
    page = await next
  }
  if (String(count) !== first.totalRows)
    throw tools.sourceFailure(
      'ZEN_SOURCE_LOST',
      spec,
      new Error(`${count} rows came of ${first.totalRows ?? 'an unknown number'}`),
    )
}
