import { messageOf, ZenmlError } from '../base/errors.ts'
import type { CellValue } from '../formats/examples.ts'
import type { SourceFile } from '../model/source-files.ts'
import type { Row } from './row.ts'

/**
 * Rows of a Parquet file, read by DuckDB in the order of the file. Booleans are 0 and 1; dates and times are integers, microseconds
 * since the epoch (times of day: since midnight); decimals are floats.
 *
 * Throws `ZEN_PARQUET_TYPE` for nested columns, `ZEN_SOURCE_READ` where the file cannot be read.
 */
export async function* readParquet(file: SourceFile, signal: AbortSignal | undefined): AsyncGenerator<Row> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' })
  const connection = await instance.connect()
  try {
    const from = `read_parquet('${file.path.replaceAll("'", "''")}')`
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`)
    const columns = described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
    const result = await connection.stream(
      `SELECT ${columns.map((column) => expression(column, file)).join(', ')} FROM ${from}`,
    )
    for (;;) {
      signal?.throwIfAborted()
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      const values = columns.map((_, index) => chunk.getColumnValues(index))
      for (let row = 0; row < chunk.rowCount; row++) {
        yield Object.fromEntries(columns.map(({ name }, index) => [name, values[index]![row] as CellValue | null]))
      }
    }
  } catch (error) {
    if (error instanceof ZenmlError || signal?.aborted === true) throw error
    throw new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read as Parquet: ${messageOf(error)}.`, {
      cause: error,
      exitCode: 1,
    })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function expression({ name, type }: { readonly name: string; readonly type: string }, file: SourceFile): string {
  const column = `"${name.replaceAll('"', '""')}"`
  if (/^(VARCHAR|ENUM.*|UUID)$/.test(type)) return `CAST(${column} AS VARCHAR)`
  if (/^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER|BOOLEAN)$/.test(type)) return `CAST(${column} AS INTEGER)`
  if (type === 'BIGINT') return column
  if (/^(FLOAT|DOUBLE|DECIMAL.*|HUGEINT|UBIGINT|UHUGEINT)$/.test(type)) return `CAST(${column} AS DOUBLE)`
  if (/^(TIMESTAMP.*|DATE)$/.test(type)) return `epoch_us(CAST(${column} AS TIMESTAMP))`
  if (type === 'TIME') return `epoch_us(${column})`
  throw new ZenmlError('ZEN_PARQUET_TYPE', `${file.name}: column "${name}" is ${type}, which a feature cannot hold.`, {
    facts: { file: file.name, column: name, type },
    next: 'Write the file without it.',
    exitCode: 1,
  })
}
