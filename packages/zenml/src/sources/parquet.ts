import { messageOf, ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { ColumnBuilder } from '../formats/column-builder.ts'
import type { SourceFile } from '../model/source-files.ts'
import { type KindsSoFar, notOfKind, widened } from './kinds.ts'

/**
 * Finds the kinds of Parquet files by the types of their columns: whole numbers, booleans (0 and 1), dates and times (microseconds
 * since the epoch, of a time of day since midnight) are ints; floats and decimals are floats; texts are bytes.
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
          const vector = chunk.getColumnVector(index)
          for (let row = from; row < end; row++) {
            const value = vector.getItem(row) as Value | null
            if (value !== null) add(builder, rows + row - from, value, file, before + row)
          }
        }
        rows += end - from
        from = end
        if (rows === batchSize) yield take()
      }
      before += chunk.rowCount
    }
  }
  if (rows > 0) yield take()
}

type Value = number | bigint | string

const encoder = new TextEncoder()

function add(builder: ColumnBuilder, row: number, value: Value, file: SourceFile, at: number): void {
  if (builder.nextRow !== row) builder.openRow(row)
  if (builder.kind === 'bytes') {
    const bytes = encoder.encode(String(value))
    builder.addBytes(bytes, 0, bytes.length)
  } else if (typeof value === 'string') throw notOfKind(value, builder.kind, builder.name, file.name, at + 1)
  else if (builder.kind === 'float') builder.addFloat(Number(value))
  else if (typeof value === 'bigint') builder.addInt(Number(value >> 32n), Number(value & 0xffffffffn))
  else if (Number.isSafeInteger(value)) builder.addWhole(value)
  else throw notOfKind(String(value), builder.kind, builder.name, file.name, at + 1)
  builder.closeRow(row)
}

interface ParquetColumn {
  readonly name: string
  readonly kind: FeatureKind
  /** The column as SQL, of a type that `add` knows. */
  readonly sql: string
}

type Chunk = import('@duckdb/node-api').DuckDBDataChunk
type Connection = import('@duckdb/node-api').DuckDBConnection
type Instance = import('@duckdb/node-api').DuckDBInstance

/** A Parquet file open in a DuckDB of its own; closes itself. */
class ParquetFile implements AsyncDisposable {
  readonly columns: readonly ParquetColumn[]
  private readonly file: SourceFile
  private readonly instance: Instance
  private readonly connection: Connection

  private constructor(file: SourceFile, instance: Instance, connection: Connection, columns: readonly ParquetColumn[]) {
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
      for (;;) {
        signal?.throwIfAborted()
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        yield chunk
      }
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

function from({ path }: SourceFile): string {
  return `read_parquet('${path.replaceAll("'", "''")}')`
}

function columnOf(name: string, type: string, file: SourceFile): ParquetColumn {
  const column = `"${name.replaceAll('"', '""')}"`
  if (/^(VARCHAR|ENUM.*|UUID)$/.test(type)) return { name, kind: 'bytes', sql: `CAST(${column} AS VARCHAR)` }
  if (/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|BOOLEAN)$/.test(type))
    return { name, kind: 'int', sql: `CAST(${column} AS INTEGER)` }
  if (/^(UINTEGER|BIGINT)$/.test(type)) return { name, kind: 'int', sql: `CAST(${column} AS BIGINT)` }
  if (/^(FLOAT|DOUBLE|DECIMAL.*|HUGEINT|UBIGINT|UHUGEINT)$/.test(type))
    return { name, kind: 'float', sql: `CAST(${column} AS DOUBLE)` }
  if (/^(TIMESTAMP.*|DATE)$/.test(type)) return { name, kind: 'int', sql: `epoch_us(CAST(${column} AS TIMESTAMP))` }
  if (type === 'TIME') return { name, kind: 'int', sql: `epoch_us(${column})` }
  throw new ZenmlError('ZEN_PARQUET_TYPE', `${file.name}: column "${name}" is ${type}, which a feature cannot hold.`, {
    facts: { file: file.name, column: name, type },
    next: 'Write the file without it.',
    exitCode: 1,
  })
}

function unreadable(file: SourceFile, error: unknown): ZenmlError {
  if (error instanceof ZenmlError) return error
  return new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read as Parquet: ${messageOf(error)}.`, {
    facts: { file: file.name },
    cause: error,
    exitCode: 1,
  })
}
