import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import { type DuckdbDatasource, placeOf } from '../model/datasource-spec.ts'
import { type ConnectOptions, type RowConnector, type RowReading, sourceFailure } from './connector.ts'
import { duckdbChunks } from './duckdb-chunks.ts'
import { type DuckdbColumn, duckdbColumn } from './duckdb-columns.ts'
import { valueFailure } from './duckdb-failures.ts'
import { resolveFile } from './resolve-source.ts'
import { RowBatches, type RowCell, type RowValue } from './row-batches.ts'
import { noPrimaryKey, quotedName, sourceText, unsupportedType, versionText, withoutEnd } from './sql-text.ts'

type Connection = import('@duckdb/node-api').DuckDBConnection

/**
 * Reads a table or query of a DuckDB database, read-only and in one transaction. DuckDB lets no other process write meanwhile, nor reads
 * what another one has open to write: `ZEN_SOURCE_CONNECT`.
 */
export const duckdbConnector: RowConnector<DuckdbDatasource> = {
  kind: 'rows',
  async version(options) {
    const { spec } = options
    if (spec.versionColumn === undefined) return undefined
    await using database = await open(options)
    try {
      const described = await describe(database.connection, spec)
      const reader = await database.connection.runAndReadAll(
        `SELECT CAST(max(${quotedName(spec.versionColumn)}) AS VARCHAR), count(*) FROM ${sourceText(spec, quotedName)}`,
      )
      const [largest, rows] = reader.getRows()[0]!
      return versionText(spec.versionColumn, largest, rows, described)
    } catch (error) {
      throw failure(spec, error)
    }
  },
  async read(options) {
    const database = await open(options)
    try {
      return await startReading(database, options)
    } catch (error) {
      await database[Symbol.asyncDispose]()
      throw failure(options.spec, error)
    }
  },
}

async function startReading(
  database: AsyncDisposable & { readonly connection: Connection },
  { spec, signal, batchSize }: ConnectOptions<DuckdbDatasource> & { readonly batchSize?: number },
): Promise<RowReading> {
  const { connection } = database
  const columns = (await describe(connection, spec)).map(({ name, type }): DuckdbColumn => {
    const column = duckdbColumn(name, type)
    if (column === undefined) throw unsupportedType(spec, name, type)
    return column
  })
  const key = spec.key ?? (await primaryKey(connection, spec))
  const batches = new RowBatches(spec, columns, key, batchSize)
  const selected = columns.map(({ sql }) => sql).join(', ')
  const order = key.map((name) => `source.${quotedName(name)} NULLS FIRST`).join(', ')
  const from = spec.table === undefined ? sourceText(spec, quotedName) : `${sourceText(spec, quotedName)} AS source`
  const result = await connection.stream(`SELECT ${selected} FROM ${from} ORDER BY ${order}`)
  async function* read(): AsyncGenerator<ExampleBatch> {
    try {
      for await (const chunk of duckdbChunks(result, signal)) {
        const vectors = columns.map((_column, index) => chunk.getColumnVector(index))
        for (let row = 0; row < chunk.rowCount; row++) {
          const full = batches.add(vectors.map((vector) => cellOf(vector.getItem(row) as Value)))
          if (full !== undefined) yield full
        }
      }
      const rest = batches.rest()
      if (rest !== undefined) yield rest
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : failure(spec, error)
    }
  }
  return { kinds: batches.kinds, batches: read(), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

type Single = RowValue | { readonly bytes: Uint8Array }
type Value = Single | { readonly items: readonly Single[] }

function cellOf(value: Value): RowCell {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return 'items' in value ? value.items.map((item) => cellOf(item) as RowValue) : value.bytes
}

async function open({
  spec,
  places,
}: ConnectOptions<DuckdbDatasource>): Promise<AsyncDisposable & { readonly connection: Connection }> {
  const path = await resolveFile(spec.path, places)
  const { DuckDBInstance } = await import('@duckdb/node-api')
  // What is sorted and does not fit into memory: not beside the database, which may lie where nothing is to be written.
  const scratch = await mkdtemp(join(tmpdir(), 'zenml-duckdb-'))
  try {
    const instance = await DuckDBInstance.create(path, {
      access_mode: 'READ_ONLY',
      // One thread: the rows keep their order, and memory stays small.
      threads: '1',
      memory_limit: '256MB',
      temp_directory: scratch,
      default_collation: '',
      // A query reads this database and no other file.
      enable_external_access: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      lock_configuration: 'true',
    })
    const connection = await instance.connect()
    return {
      connection,
      async [Symbol.asyncDispose]() {
        connection.closeSync()
        instance.closeSync()
        await rm(scratch, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw failure(spec, error)
  }
}

async function describe(connection: Connection, spec: DuckdbDatasource): Promise<{ name: string; type: string }[]> {
  await connection.run('BEGIN TRANSACTION READ ONLY')
  // By itself it must be one statement: it cannot close the parenthesis that it is put into.
  if (spec.query !== undefined) {
    const statements = await connection.extractStatements(withoutEnd(spec.query))
    if (statements.count !== 1)
      throw sourceFailure('ZEN_SOURCE_QUERY', spec, new Error('it is more than one statement'))
  }
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${sourceText(spec, quotedName)}`)
  return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
}

async function primaryKey(connection: Connection, spec: DuckdbDatasource): Promise<readonly string[]> {
  const [table, schema = 'main'] = spec.table!.split('.').reverse()
  const reader = await connection.runAndReadAll(
    `SELECT unnest(constraint_column_names) FROM duckdb_constraints()
WHERE constraint_type = 'PRIMARY KEY' AND lower(table_name) = lower($1) AND lower(schema_name) = lower($2)`,
    [table!, schema],
  )
  const names = reader.getRows().map(([name]) => String(name))
  if (names.length === 0) throw noPrimaryKey(spec)
  return names
}

function failure(spec: DuckdbDatasource, error: unknown): unknown {
  if (error instanceof ZenmlError) return error
  const said = messageOf(error)
  const ofValue = valueFailure(placeOf(spec), said)
  if (ofValue !== undefined) return ofValue
  if (/lock on file/.test(said)) return sourceFailure('ZEN_SOURCE_CONNECT', spec, new Error(lockedBy(said)))
  if (/^(Failed to extract|(Parser|Binder|Catalog|Permission|Invalid Input) Error)/.test(said))
    return sourceFailure('ZEN_SOURCE_QUERY', spec, error)
  return sourceFailure('ZEN_SOURCE_READ', spec, error)
}

/** Without the names of other programs' files, and the address of a manual. */
function lockedBy(said: string): string {
  const process = /PID (\d+)/.exec(said)?.[1]
  return `the process ${process ?? 'of another program'} has it open to write`
}
