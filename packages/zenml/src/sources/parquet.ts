import { messageOf, ZenmlError } from '../base/errors.ts'
import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { ColumnBuilder } from '../formats/column-builder.ts'
import type { SourceFile } from '../model/source-files.ts'
import { duckdbChunks } from './duckdb-chunks.ts'
import { type DuckdbColumn, duckdbColumn } from './duckdb-columns.ts'
import { valueFailure } from './duckdb-failures.ts'
import { RawVectors } from './duckdb-vectors.ts'
import { type KindsSoFar, notOfKind, widened } from './kinds.ts'

/**
 * Finds the kinds of Parquet files by the types of their columns: whole numbers, booleans (0 and 1), dates and times (microseconds
 * since the epoch, of a time of day since midnight) are ints; floats and decimals are floats; texts and blobs are bytes; lists of any of
 * these but dates and times are several values.
 *
 * Throws `ZEN_PARQUET_TYPE` for a column that a feature cannot hold, `ZEN_SOURCE_READ` where a file cannot be read.
 */
export async function findParquetKinds(files: readonly SourceFile[]): Promise<KindsSoFar> {
  const kinds: KindsSoFar = new Map()
  for (const file of files) {
    await using parquet = await ParquetFile.open(file)
    for (const { name, kind } of parquet.columns) kinds.set(name, widened(kinds.get(name), kind))
  }
  return kinds
}

/**
 * Reads Parquet files by DuckDB as batches of the kinds given, rows in the order of the files.
 *
 * Throws what `findParquetKinds` throws, and `ZEN_SOURCE_VALUE` for a value that is not of the kind that `schema` names.
 */
export async function* readParquet(
  files: readonly SourceFile[],
  kinds: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const builders = new Map([...kinds].map(([name, kind]) => [name, new ColumnBuilder(name, kind, batchSize)]))
  const vectors = await RawVectors.load()
  let rows = 0
  const take = (): ExampleBatch => {
    const length = rows
    rows = 0
    return { length, columns: new Map([...builders].map(([name, builder]) => [name, builder.take(length)])) }
  }
  for (const file of files) {
    await using parquet = await ParquetFile.open(file)
    const columns = parquet.columns.map(({ name }) => builders.get(name)!)
    let before = 0
    for await (const chunk of parquet.chunks(signal)) {
      for (let from = 0; from < chunk.rowCount; ) {
        const end = Math.min(chunk.rowCount, from + batchSize - rows)
        for (const [index, builder] of columns.entries()) {
          const { kind, form } = parquet.columns[index]!
          if (form !== undefined && kind === builder.kind) {
            vectors.column(chunk, index, form).addTo(builder, from, end, rows)
            continue
          }
          const vector = chunk.getColumnVector(index) as Vector
          for (let row = from; row < end; row++) {
            const value = vector.getItem(row)
            if (value === null) continue
            const at = rows + row - from
            if (builder.nextRow !== at) builder.openRow(at)
            if (typeof value === 'object' && 'items' in value)
              for (const item of value.items) addValue(builder, item, file, before + row)
            else addValue(builder, value, file, before + row)
            builder.closeRow(at)
          }
        }
        rows += end - from
        from = end
        const bytes = columns.reduce((sum, { dataLength }) => sum + dataLength, 0)
        if (rows === batchSize || bytes >= batchBytes) yield take()
      }
      before += chunk.rowCount
    }
  }
  if (rows > 0) yield take()
}

/** A column of a chunk: single values, or lists of them. */
interface Vector {
  getItem(row: number): Value | { readonly items: readonly (Value | null)[] } | null
}

type Value = number | bigint | { readonly bytes: Uint8Array }

const encoder = new TextEncoder()

function addValue(builder: ColumnBuilder, value: Value | null, file: SourceFile, at: number): void {
  if (value === null) {
    throw new ZenmlError(
      'ZEN_SOURCE_VALUE',
      `${file.name}: row ${at + 1}: the list "${builder.name}" has a null among its values, which a feature cannot hold.`,
      {
        facts: { file: file.name, row: at + 1, feature: builder.name },
        next: 'Write the list without it.',
        exitCode: 1,
      },
    )
  }
  if (typeof value === 'object') {
    if (builder.kind !== 'bytes') throw notOfKind(String(value), builder.kind, builder.name, file.name, at + 1)
    builder.addBytes(value.bytes, 0, value.bytes.length)
  } else if (builder.kind === 'bytes') {
    const bytes = encoder.encode(String(value))
    builder.addBytes(bytes, 0, bytes.length)
  } else if (builder.kind === 'float') builder.addFloat(Number(value))
  else if (Number.isSafeInteger(Number(value))) builder.addWhole(Number(value))
  else if (typeof value === 'bigint') builder.addInt(Number(value >> 32n), Number(value & 0xffffffffn))
  else throw notOfKind(String(value), builder.kind, builder.name, file.name, at + 1)
}

type Chunk = import('@duckdb/node-api').DuckDBDataChunk
type Connection = import('@duckdb/node-api').DuckDBConnection
type Instance = import('@duckdb/node-api').DuckDBInstance

/** A Parquet file open in a DuckDB of its own; closes itself. */
class ParquetFile implements AsyncDisposable {
  readonly columns: readonly DuckdbColumn[]
  private readonly file: SourceFile
  private readonly instance: Instance
  private readonly connection: Connection

  private constructor(file: SourceFile, instance: Instance, connection: Connection, columns: readonly DuckdbColumn[]) {
    this.file = file
    this.instance = instance
    this.connection = connection
    this.columns = columns
  }

  static async open(file: SourceFile): Promise<ParquetFile> {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    // One thread: the rows keep their order, and memory stays small.
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' })
    const connection = await instance.connect()
    try {
      const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from(file)}`)
      const columns = described.getRows().map(([name, type]) => columnOf(String(name), String(type), file))
      // DuckDB holds a few vectors of each column at once, however few the rows are.
      const megabytes = 256 + Math.ceil(columns.length / 16)
      await connection.run(`SET memory_limit = '${megabytes}MB'`)
      return new ParquetFile(file, instance, connection, columns)
    } catch (error) {
      connection.closeSync()
      instance.closeSync()
      throw unreadable(file, error)
    }
  }

  async *chunks(signal: AbortSignal | undefined): AsyncGenerator<Chunk> {
    try {
      const result = await this.connection.stream(
        `SELECT ${this.columns.map(({ sql }) => sql).join(', ')} FROM ${from(this.file)}`,
      )
      yield* duckdbChunks(result, signal)
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw unreadable(this.file, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.closeSync()
    this.instance.closeSync()
  }
}

/** Exactly this file, and only what is in it: no pattern, and no column from a folder that is called "year=2020". */
function from({ path }: SourceFile): string {
  const literal = path.replace(/[*?[]/g, '[$&]').replaceAll("'", "''")
  return `read_parquet('${literal}', hive_partitioning = false)`
}

function columnOf(name: string, type: string, file: SourceFile): DuckdbColumn {
  const column = duckdbColumn(name, type)
  if (column !== undefined) return column
  throw new ZenmlError('ZEN_PARQUET_TYPE', `${file.name}: column "${name}" is ${type}, which a feature cannot hold.`, {
    facts: { file: file.name, column: name, type },
    next: 'Write the file without it.',
    exitCode: 1,
  })
}

function unreadable(file: SourceFile, error: unknown): ZenmlError {
  if (error instanceof ZenmlError) return error
  const ofValue = valueFailure(file.name, messageOf(error))
  if (ofValue !== undefined) return ofValue
  return new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read as Parquet: ${messageOf(error)}.`, {
    facts: { file: file.name },
    cause: error,
    exitCode: 1,
  })
}
