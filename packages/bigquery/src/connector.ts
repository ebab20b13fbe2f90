import type {
  BigQueryDatasource,
  ConnectOptions,
  ExampleBatch,
  RowCell,
  RowConnector,
  RowReading,
  SourceTools,
} from 'zenml/sources'
import { type Client, type Field, type JobResource, openClient, type Patience } from './client.ts'
import { type BigQueryColumn, columnsOf, quotedName, type RawValue } from './columns.ts'
import { resultPages } from './result-pages.ts'
import { namedTable, type TableName, type TableResource, tableVersion } from './tables.ts'

/**
 * Reads a table or query of BigQuery: one job puts the rows, in the order of the key, into a result that nothing changes any more, and the
 * result is read page by page. A table is read as it was at one time, by the clock of the service.
 */
export function connector(tools: SourceTools, patience: Patience = {}): RowConnector<BigQueryDatasource> {
  return {
    kind: 'rows',
    async version(options) {
      const { spec } = options
      if (spec.versionColumn === undefined && spec.table === undefined) return undefined
      const client = await openClient(options, tools, patience)
      if (spec.versionColumn === undefined) return tableVersion(await client.ask(namedTable(spec).asked))
      const { fields, from } = await describe(client, spec, tools)
      const column = quotedName(spec.versionColumn)
      // As JSON: it has a text for every type, the same for equal values.
      const query = `SELECT TO_JSON_STRING(MAX(${column})), COUNT(*) FROM ${from}`
      const { rows } = (await resultPages(client, await client.start({ query }), spec, tools).next()).value!
      if (rows[0]?.length !== 2)
        throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('BigQuery does not tell its version'))
      const [largest, count] = rows[0]
      return tools.versionText(spec.versionColumn, largest, count, columnsOf(fields, spec, tools))
    },
    async read(options) {
      return await startReading(await openClient(options, tools, patience), options, tools)
    },
  }
}

/** What is selected from, and its columns. */
interface Described {
  readonly from: string
  readonly fields: readonly Field[]
  /** The columns of the primary key of a table. */
  readonly primaryKey: readonly string[]
}

/** Asks for the columns by a job that is not run, which costs nothing. Throws `ZEN_SOURCE_QUERY` for what is not one SELECT. */
async function describe(client: Client, spec: BigQueryDatasource, tools: SourceTools): Promise<Described> {
  const table = spec.table === undefined ? undefined : namedTable(spec)
  const resource = table === undefined ? undefined : await client.ask<TableResource>(table.asked)
  const query = table === undefined ? tools.withoutEnd(spec.query!) : `SELECT * FROM ${sqlOf(table)}`
  // By itself, a query must be one statement that reads: it cannot close the parenthesis that it is put into.
  const { statistics } = await client.start({ query, dryRun: true })
  const fields = statistics?.query?.schema?.fields
  const type = statistics?.query?.statementType
  if (type !== 'SELECT')
    throw tools.sourceFailure('ZEN_SOURCE_QUERY', spec, new Error(`it is no single SELECT, but ${type ?? 'nothing'}`))
  if (fields === undefined || fields.length === 0)
    throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('BigQuery tells no columns'))
  return {
    // A line of its own: the query may end with a comment.
    from: table === undefined ? `(${query}\n)` : `${sqlOf(table)}${momentOf(resource!, statistics!, spec, tools)}`,
    fields,
    primaryKey: resource?.tableConstraints?.primaryKey?.columns ?? [],
  }
}

/** The time as of which a table is read; of a view it would be the time of its definition. */
function momentOf(
  { type }: TableResource,
  { creationTime = '' }: NonNullable<JobResource['statistics']>,
  spec: BigQueryDatasource,
  tools: SourceTools,
): string {
  if (type !== 'TABLE') return ''
  if (!/^\d{1,15}$/.test(creationTime))
    throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('BigQuery does not tell the time'))
  return ` FOR SYSTEM_TIME AS OF TIMESTAMP '${new Date(Number(creationTime)).toISOString()}'`
}

function sqlOf({ project, dataset, table }: TableName): string {
  return [project, dataset, table].map(quotedName).join('.')
}

async function startReading(
  client: Client,
  { spec, batchSize }: ConnectOptions<BigQueryDatasource> & { readonly batchSize?: number },
  tools: SourceTools,
): Promise<RowReading> {
  const { fields, from, primaryKey } = await describe(client, spec, tools)
  const columns = columnsOf(fields, spec, tools)
  const key = spec.key ?? primaryKey
  if (key.length === 0) throw tools.noPrimaryKey(spec)
  const batches = new tools.RowBatches(spec, columns, key, batchSize)
  const order = key.map((name) => {
    const column = columns.find((one) => one.name === name)!
    if (column.order !== undefined) return column.order
    throw new tools.ZenmlError(
      'ZEN_SOURCE_KEY',
      `${tools.placeOf(spec)}: the column "${name}" (${column.type}) of the key has no order.`,
      { facts: { column: name, type: column.type }, next: 'Name other columns as key.' },
    )
  })
  const job = await client.start({ query: `SELECT * FROM ${from} ORDER BY ${order.join(', ')}` })
  let isRunning = true
  async function* read(): AsyncGenerator<ExampleBatch> {
    let count = 0
    for await (const { fields: found, rows } of resultPages(client, job, spec, tools)) {
      isRunning = false
      if (signature(found) !== signature(fields))
        throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('its columns changed while it was read'))
      for (const raw of rows) {
        const full = batches.add(converted(raw, columns, ++count, spec, tools))
        if (full !== undefined) yield full
      }
    }
    const rest = batches.rest()
    if (rest !== undefined) yield rest
  }
  return {
    kinds: batches.kinds,
    batches: read(),
    async [Symbol.asyncDispose]() {
      if (isRunning) await client.cancel(job)
    },
  }
}

function converted(
  raw: readonly RawValue[],
  columns: readonly BigQueryColumn[],
  row: number,
  spec: BigQueryDatasource,
  tools: SourceTools,
): RowCell[] {
  return columns.map(({ name, type, convert }, index) => {
    const cell = convert(raw[index]!)
    if (cell !== undefined) return cell
    throw new tools.ZenmlError(
      'ZEN_SOURCE_VALUE',
      `${tools.placeOf(spec)}: row ${row}: the column "${name}" (${type}) is ${JSON.stringify(raw[index]).slice(0, 50)}, which no feature holds.`,
      {
        facts: { row, feature: name },
        next: 'Mend the value, or bring the column into form in a query (CAST).',
        exitCode: 1,
      },
    )
  })
}

function signature(fields: readonly Field[]): string {
  return JSON.stringify(fields.map(({ name, type, mode }) => [name, type, mode === 'REPEATED']))
}
