import { setTimeout } from 'node:timers/promises'
import { BigQuery } from '@google-cloud/bigquery'
import type { BigQueryDatasource, ConnectOptions, SourceTools } from 'zenml/sources'
import { credentialsFailure, failureOf } from './failures.ts'

/** A column of a table or result (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema). */
export interface Field {
  readonly name: string
  readonly type: string
  readonly mode?: string
}

/** What is asked of the API; `uri` is below the project, which is the declared one where none is named. */
export interface Asked {
  readonly projectId?: string
  readonly uri: string
  readonly qs?: { readonly [name: string]: string | number | boolean }
}

/** What a job is to do. */
export interface QueryJob {
  readonly query: string
  readonly dryRun?: true
}

/** A job as the service tells of it (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job). */
export interface JobResource {
  readonly jobReference?: { readonly jobId?: string; readonly location?: string }
  readonly statistics?: {
    /** Milliseconds since the epoch, by the clock of the service. */
    readonly creationTime?: string
    readonly query?: { readonly statementType?: string; readonly schema?: { readonly fields?: readonly Field[] } }
  }
}

/** The API as a connector uses it. What goes wrong is already an error for people. */
export interface Client {
  /** Sends a request and gives the answer; `isReading` where rows are being read. */
  ask<T>(asked: Asked, isReading?: boolean): Promise<T>
  /** Starts a job that reads; the client's own attempts after a lost answer make no second one. */
  start(job: QueryJob): Promise<JobResource>
  /** Tells the service that nobody waits for a job any more; one that it does not hear ends by itself. */
  cancel(job: JobResource): Promise<void>
}

/** How long the client waits and tries. */
export interface Patience {
  /** How long it pauses at most before it tries again what failed for the moment. Seconds. Default 64. */
  readonly longestPause?: number
  /** How long an answer may take, with all tries; the service answers a wait for rows after ten seconds at the latest. Seconds. Default 300. */
  readonly longestAnswer?: number
}

/**
 * Opens the official client with the credentials that `GOOGLE_APPLICATION_CREDENTIALS` names, and with no others: what a machine or a home
 * has beside them is not looked for. The client itself tries what the service calls temporary (429, 5xx, lost connections) a few times, with
 * pauses that double, of `longestPause` seconds at most.
 *
 * Throws `ZEN_SOURCE_DENIED` for credentials that are not there or not good, `ZEN_SOURCE_CONNECT` where nobody can be asked about them.
 */
export async function openClient(
  options: ConnectOptions<BigQueryDatasource>,
  tools: SourceTools,
  { longestPause = 64, longestAnswer = 300 }: Patience = {},
): Promise<Client> {
  const { spec, environment, signal } = options
  const keyFilename = environment['GOOGLE_APPLICATION_CREDENTIALS']
  if (keyFilename === undefined || keyFilename === '')
    throw new tools.ZenmlError(
      'ZEN_SOURCE_DENIED',
      `${tools.placeOf(spec)} needs credentials: GOOGLE_APPLICATION_CREDENTIALS is not set.`,
      {
        facts: { variable: 'GOOGLE_APPLICATION_CREDENTIALS' },
        next: 'Set it to the path of a file of Google credentials.',
        exitCode: 1,
      },
    )
  const { project, location, dataset, maxBytesBilled } = spec
  const bigquery = new BigQuery({
    projectId: project,
    keyFilename,
    retryOptions: { maxRetryDelay: longestPause },
    ...(location === undefined ? {} : { location }),
  })
  try {
    // First of all, so that a wrong file is told from a source that refuses.
    await waited(bigquery.authClient.getAccessToken(), longestAnswer, signal)
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : credentialsFailure(error, spec, tools)
  }
  const failure = (error: unknown, isReading: boolean): unknown =>
    signal?.aborted === true ? signal.reason : failureOf(error, spec, isReading, tools)
  return {
    async ask<T>(asked: Asked, isReading = false): Promise<T> {
      try {
        return await waited(
          new Promise<T>((resolve, reject) => {
            bigquery.request(asked as never, (error: Error | null, body: T) =>
              error === null ? resolve(body) : reject(error),
            )
          }),
          longestAnswer,
          signal,
        )
      } catch (error) {
        throw failure(error, isReading)
      }
    },
    async start({ query, dryRun }) {
      try {
        const [, resource] = await waited(
          bigquery.createJob({
            configuration: {
              query: {
                query,
                useLegacySql: false,
                ...(dataset === undefined ? {} : { defaultDataset: { projectId: project, datasetId: dataset } }),
                ...(maxBytesBilled === undefined ? {} : { maximumBytesBilled: String(maxBytesBilled) }),
              },
              ...(dryRun === true ? { dryRun } : {}),
            },
          }),
          longestAnswer,
          signal,
        )
        return resource as JobResource
      } catch (error) {
        throw failure(error, false)
      }
    },
    async cancel({ jobReference: { jobId, location: at } = {} }) {
      const job = bigquery.job(jobId!, at === undefined ? {} : { location: at })
      // Whatever it says, the rows are not wanted; what they were not wanted for is told already.
      await Promise.race([job.cancel().catch(() => {}), setTimeout(2000, undefined, { ref: false })])
    },
  }
}

/** Waits no longer than an answer may take, nor than the signal allows: the client's own requests take none. */
async function waited<T>(work: Promise<T>, seconds: number, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  let stop = (): void => {}
  const end = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal!.reason)
    signal?.addEventListener('abort', stop)
    timer = globalThis.setTimeout(
      () => reject(Object.assign(new Error(`no answer within ${seconds} seconds`), { code: 'ETIMEDOUT' })),
      seconds * 1000,
    )
  })
  try {
    return await Promise.race([work, end])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}
