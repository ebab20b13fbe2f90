import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/**
 * Stands in for the REST API of BigQuery on this machine, where the service itself cannot be reached.
 *
 * What it holds to, as the service does: every request but the exchange of credentials needs its access token (401); a job's id is used once (409);
 * a job is PENDING, RUNNING and DONE, and gives rows only then; its result never changes; a page has `maxResults` rows at most and the token of
 * the next; a token is of its job (400); a job outside of US and EU is found with its location only (404); a time as of which a table is read
 * lies in its life and not in the future (400); time stamps are fractions of seconds unless microseconds are asked for; a job beyond
 * `maximumBytesBilled` is not run; a dry run leaves no job.
 *
 * Limits: it knows no SQL but the texts that the connector sends (`SELECT * FROM … ORDER BY …`, and the greatest value with the number of rows), a query
 * by the text under which a test gave its rows. It orders whole numbers, texts and bytes. It bills the bytes of the rows as JSON, at least 10 MiB. Its
 * clock is the test's. It knows no views over tables, no permissions but a table that is denied, no quotas, and no caches.
 */
export class RestDouble implements AsyncDisposable {
  /** By `PROJECT.DATASET.TABLE`, and queries by their texts. */
  readonly tables: Map<string, DoubleTable> = new Map()
  /** Every request but those for credentials: method, path and what follows it. */
  readonly asked: string[] = []
  /** The SQL of jobs that were run. */
  readonly run: string[] = []
  readonly cancelled: string[] = []
  /** Answers to the next requests that match, in the place of the right ones. */
  readonly faults: Fault[] = []
  /** Milliseconds since the epoch. */
  now: number = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  /** How often a job says that it is not done. */
  waits = 1
  /** A page has no more rows than this, whatever is asked for. */
  pageLimit = 100_000
  location = 'US'
  /** Whether it forgets to say that there are more pages, as the service must not. */
  forgetsPages = false
  /** Called when a job comes that is to be run, before it is. */
  beforeRun: () => void = () => {}
  private readonly server: Server
  private readonly jobs = new Map<string, Job>()
  private readonly token = 'access-token-of-the-double'

  private constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (error instanceof Refusal) send(response, error.status, error.body)
        else send(response, 500, { error: { code: 500, message: String(error), errors: [{ reason: 'doubleBroken' }] } })
      })
    })
  }

  static async start(): Promise<RestDouble> {
    const double = new RestDouble()
    await new Promise<void>((resolve) => double.server.listen(0, '127.0.0.1', resolve))
    return double
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Writes credentials that are exchanged for an access token here, as those of another cloud would be; gives the path of their file. */
  writeCredentials(directory: string, subject = 'subject-token-of-the-test'): string {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'subject.txt'), subject)
    const file = join(directory, 'credentials.json')
    writeFileSync(
      file,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${this.url}/token`,
        credential_source: { file: join(directory, 'subject.txt') },
      }),
    )
    return file
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const url = new URL(request.url!, this.url)
    if (url.pathname === '/token') {
      const form = new URLSearchParams(text)
      if (form.get('subject_token') !== 'subject-token-of-the-test')
        return send(response, 400, { error: 'invalid_grant', error_description: 'the subject is not known' })
      return send(response, 200, {
        access_token: this.token,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3600,
      })
    }
    const line = `${request.method} ${url.pathname}${url.search}`
    this.asked.push(line)
    const fault = this.faults.find(({ of, times }) => times > 0 && of.test(line))
    if (fault !== undefined) {
      fault.times--
      if (fault.status === 'cut') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
        response.write('{"jobComplete": true, "rows": [{"f": [{"v": "1"')
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.destroy()
        return
      }
      if (fault.status === 'silent') return
      throw new Refusal(fault.status, fault.reason, fault.message ?? `fault ${fault.reason}`)
    }
    if (request.headers.authorization !== `Bearer ${this.token}`)
      throw new Refusal(401, 'authError', 'Request had invalid authentication credentials.')
    const [, , project, ...rest] = url.pathname
      .replace(/^\/bigquery\/v2/, '')
      .split('/')
      .map(decodeURIComponent)
    const [kind, first, second, third] = rest
    if (kind === 'datasets' && second === 'tables')
      return send(response, 200, this.table(`${project}.${first}.${third}`))
    if (kind === 'jobs' && request.method === 'POST' && first === undefined)
      return send(response, 200, this.insert(JSON.parse(text)))
    if (kind === 'jobs' && second === 'cancel') {
      this.cancelled.push(first!)
      return send(response, 200, { job: {} })
    }
    if (kind === 'queries') return send(response, 200, this.results(first!, url.searchParams))
    throw new Refusal(404, 'notFound', `The double knows no ${line}`)
  }

  private table(name: string): object {
    const table = this.tables.get(name)
    if (table === undefined) throw new Refusal(404, 'notFound', `Not found: Table ${name.replace('.', ':')}`)
    if (table.isDenied === true)
      throw new Refusal(403, 'accessDenied', `Access Denied: Table ${name}: Permission bigquery.tables.get denied`)
    const { type = 'TABLE', history, primaryKey, more } = table
    const { at, rows } = history.at(-1)!
    return {
      kind: 'bigquery#table',
      type,
      etag: `etag-${at}`,
      lastModifiedTime: String(at),
      numRows: String(rows.length),
      schema: { fields: table.fields },
      ...(primaryKey === undefined ? {} : { tableConstraints: { primaryKey: { columns: primaryKey } } }),
      ...more,
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is sent is read into freely
  private insert({ configuration, jobReference }: any): object {
    const { query, useLegacySql, maximumBytesBilled } = configuration.query
    if (useLegacySql !== false) throw new Refusal(400, 'invalidQuery', 'The double knows GoogleSQL only.')
    const statistics = { creationTime: String(this.now) }
    const reference = { ...jobReference, location: jobReference.location ?? this.location }
    if (configuration.dryRun === true) {
      const { fields, statementType = 'SELECT' } = this.select(query)
      return {
        jobReference: { ...reference, jobId: undefined },
        status: { state: 'DONE' },
        statistics: { ...statistics, query: { statementType, schema: { fields } } },
      }
    }
    if (this.jobs.has(jobReference.jobId))
      throw new Refusal(409, 'duplicate', `Already Exists: Job ${jobReference.jobId}`)
    this.beforeRun()
    this.run.push(query)
    const job: Job = { reference, waits: this.waits, fields: [], rows: [] }
    try {
      Object.assign(job, this.select(query))
      const billed = Math.max(10 * 2 ** 20, JSON.stringify(job.rows).length)
      if (maximumBytesBilled !== undefined && Number(maximumBytesBilled) < billed)
        job.failure = new Refusal(
          400,
          'bytesBilledLimitExceeded',
          `Query exceeded limit for bytes billed: ${maximumBytesBilled}. ${billed} or higher required.`,
        )
    } catch (error) {
      job.failure = error as Refusal
    }
    this.jobs.set(jobReference.jobId, job)
    return { jobReference: reference, status: { state: 'PENDING' }, statistics }
  }

  private results(id: string, query: URLSearchParams): object {
    const job = this.jobs.get(id)
    const location = query.get('location')
    if (job === undefined || (location ?? 'US') !== job.reference.location)
      throw new Refusal(404, 'notFound', `Not found: Job ${id}`)
    const jobReference = job.reference
    if (job.waits-- > 0) return { kind: 'bigquery#getQueryResultsResponse', jobReference, jobComplete: false }
    if (job.failure !== undefined) throw job.failure
    const token = query.get('pageToken')
    const match =
      token === null
        ? ['', '0']
        : /^page-of-(.+)-at-(\d+)$/.exec(token)?.[1] === id
          ? /()-at-(\d+)$/.exec(token)!.slice(1)
          : undefined
    if (match === undefined) throw new Refusal(400, 'invalid', `Invalid page token ${token}`)
    const start = Number(match[1])
    const end = Math.min(start + Number(query.get('maxResults') ?? 10_000), start + this.pageLimit, job.rows.length)
    const micros = query.get('formatOptions.useInt64Timestamp') === 'true'
    return {
      kind: 'bigquery#getQueryResultsResponse',
      jobReference,
      jobComplete: true,
      schema: { fields: job.fields },
      totalRows: String(job.rows.length),
      ...(end < job.rows.length && !this.forgetsPages ? { pageToken: `page-of-${id}-at-${end}` } : {}),
      rows: job.rows.slice(start, end).map((row) => ({
        f: job.fields.map(({ name, type, mode }) => {
          const value = row[name] ?? null
          const sent = (one: string | null) =>
            type === 'TIMESTAMP' && !micros && one !== null ? String(Number(one) / 1e6) : one
          return {
            v:
              mode === 'REPEATED'
                ? ((value ?? []) as readonly (string | null)[]).map((one) => ({ v: sent(one) }))
                : sent(value as string | null),
          }
        }),
      })),
    }
  }

  /** The rows of one of the texts that the connector sends. */
  private select(sql: string): Pick<Job, 'fields' | 'rows'> & { readonly statementType?: string } {
    const given = this.tables.get(sql)
    if (given !== undefined) return { ...given, rows: given.history.at(-1)!.rows }
    const greatest = /^SELECT TO_JSON_STRING\(MAX\(`(\w+)`\)\), COUNT\(\*\) FROM (.*)$/s.exec(sql)
    if (greatest !== null) {
      const { rows } = this.from(greatest[2]!)
      const values = rows.map((row) => row[greatest[1]!] as string | null).filter((value) => value !== null)
      const [largest] = values.sort(byNumberOrText).slice(-1)
      return {
        fields: [
          { name: 'f0_', type: 'STRING' },
          { name: 'f1_', type: 'INTEGER' },
        ],
        rows: [{ f0_: largest === undefined ? 'null' : JSON.stringify(largest), f1_: String(rows.length) }],
      }
    }
    const all = /^SELECT \* FROM (.*?)(?: ORDER BY ([^)]*(?:\(`\w+` AS BYTES\)[^)]*)*))?$/s.exec(sql)
    if (all === null) throw new Refusal(400, 'invalidQuery', `Syntax error: ${sql}`)
    const { fields, rows } = this.from(all[1]!)
    if (all[2] === undefined) return { fields, rows }
    const keys = all[2].split(', ').map((text) => {
      const name = /^(?:CAST\(`(\w+)` AS BYTES\)|`(\w+)`)$/.exec(text)
      const field = fields.find((one) => one.name === (name?.[1] ?? name?.[2]))
      if (field === undefined || (field.type === 'STRING') !== (name![1] !== undefined))
        throw new Refusal(400, 'invalidQuery', `The double does not order by ${text}`)
      return field.name
    })
    const compare = (a: DoubleRow, b: DoubleRow): number => {
      for (const name of keys) {
        const [one, other] = [a[name] as string | null, b[name] as string | null]
        if (one === other) continue
        return one === null ? -1 : other === null ? 1 : byNumberOrText(one, other)
      }
      return 0
    }
    return { fields, rows: [...rows].sort(compare) }
  }

  private from(text: string): Pick<Job, 'fields' | 'rows'> {
    const query = /^\((.*)\n\)$/s.exec(text)?.[1]
    const match = /^`([^`]+)`\.`([^`]+)`\.`([^`]+)`(?: FOR SYSTEM_TIME AS OF TIMESTAMP '([^']+)')?$/.exec(text)
    const name = query ?? match?.slice(1, 4).join('.') ?? ''
    const table = this.tables.get(name)
    if (table === undefined)
      throw query === undefined
        ? new Refusal(404, 'notFound', `Not found: Table ${name}`)
        : new Refusal(400, 'invalidQuery', `Unrecognized name in ${query}`)
    const { fields, history, type = 'TABLE' } = table
    const moment = match?.[4]
    if (moment === undefined) return { fields, rows: history.at(-1)!.rows }
    const at = Date.parse(moment)
    const state = history.findLast((one) => one.at <= at)
    if (type !== 'TABLE' || Number.isNaN(at) || at > this.now || state === undefined)
      throw new Refusal(400, 'invalid', `Invalid snapshot time ${moment} for ${type} ${name}`)
    return { fields, rows: state.rows }
  }
}

/** A row as the service sends it: texts, and lists of texts. */
export type DoubleRow = { readonly [column: string]: string | null | readonly (string | null)[] }

/** A table, or a query with what it gives. */
export interface DoubleTable {
  readonly fields: readonly { readonly name: string; readonly type: string; readonly mode?: string }[]
  /** Its states, the oldest first. */
  readonly history: { at: number; rows: readonly DoubleRow[] }[]
  readonly type?: string
  readonly primaryKey?: readonly string[]
  readonly isDenied?: boolean
  readonly statementType?: string
  /** What else the service tells of it. */
  readonly more?: object
}

/** An answer in the place of the right one: a status, a body that is cut in the middle, or none at all. */
export interface Fault {
  readonly of: RegExp
  times: number
  readonly status: number | 'cut' | 'silent'
  readonly reason?: string
  readonly message?: string
}

interface Job {
  readonly reference: { readonly jobId: string; readonly location: string }
  waits: number
  fields: DoubleTable['fields']
  rows: readonly DoubleRow[]
  failure?: Refusal
}

class Refusal extends Error {
  readonly status: number
  readonly body: object

  constructor(code: number, reason = '', message = '') {
    super(message)
    this.status = code
    this.body = {
      error: { code, message, errors: [{ message, domain: 'global', ...(reason === '' ? {} : { reason }) }] },
    }
  }
}

function byNumberOrText(a: string, b: string): number {
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}
