import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { bytesOfBatch } from '../formats/batch.ts'
import type { ExamplesReader } from '../formats/examples-reader.ts'
import { rowsHash } from '../formats/rows-digest.ts'
import { findParquetKinds, readParquet } from './parquet.ts'
import { cellsOf, type ParquetColumn, ParquetColumns, typeOf } from './parquet-values.ts'

/** Options of `exportParquet`. */
export interface ExportParquetOptions {
  /** Texts that every file holds among its metadata. */
  readonly metadata?: { readonly [name: string]: string } | undefined
  /** A file ends when the values in it take as many bytes in memory; 64 MiB by default. */
  readonly fileBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A split as Parquet. */
export interface ExportedSplit {
  readonly rows: number
  /** Of the rows in their order; see `digestOfRows`. */
  readonly digest: Digest
  /** Relative to the directory, in the order of the rows. */
  readonly files: readonly string[]
}

/**
 * Writes examples as Parquet (`Split-all/data-00000-of-00001.parquet`), all or nothing, into a new or empty directory, and reads them back: that the
 * files hold the same rows is proven by the digest of the rows, which every file has in its metadata as `zenml.rows`. The bytes of the files are
 * DuckDB's and change with its version. A feature is a nullable column, a list where any row has several values, and text where all its bytes
 * are UTF-8. Memory: a few times `fileBytes`.
 *
 * Throws `ZEN_EXPORT_FEATURE` for names of features that Parquet files cannot tell apart, `ZEN_EXPORT_TARGET` where the directory is not empty,
 * `ZEN_EXPORT_DIFFERS` where other rows were read back, and what reading throws.
 */
export async function exportParquet(
  examples: ExamplesReader,
  target: string,
  { metadata = {}, fileBytes = 64 * 1024 * 1024, signal }: ExportParquetOptions = {},
): Promise<{ readonly [split: string]: ExportedSplit }> {
  checkNames([...examples.features.keys()])
  const directory = resolve(target)
  const part = `${directory}.${process.pid}.part`
  await makeRoom(directory)
  try {
    const found = new ParquetColumns(examples.features)
    const digests = new Map<string, Digest>()
    for (const split of examples.splits) {
      const hash = rowsHash()
      for await (const batch of examples.read(split, { signal })) {
        hash.add(batch)
        found.see(batch)
      }
      digests.set(split, hash.digest())
    }
    const columns = found.columns()
    const splits: [string, ExportedSplit][] = []
    for (const split of examples.splits) {
      const digest = digests.get(split)!
      const folder = join(part, `Split-${split}`)
      await mkdir(folder, { recursive: true })
      const facts = { ...metadata, 'zenml.rows': digest }
      const names = await writeSplit(examples, split, columns, folder, facts, fileBytes, signal)
      await proveSame(examples, split, digest, folder, names, signal)
      const files = names.map((name) => `Split-${split}/${name}`)
      splits.push([split, { rows: examples.rows(split), digest, files }])
    }
    await rename(part, directory)
    return Object.fromEntries(splits)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

function checkNames(names: readonly string[]): void {
  const seen = new Map<string, string>()
  const refuse = (message: string): ZenmlError =>
    new ZenmlError('ZEN_EXPORT_FEATURE', message, {
      facts: { features: [...names] },
      next: 'Rename the features in a step, and export what it gives.',
      exitCode: 1,
    })
  if (names.length === 0) throw refuse('The examples have no features: a Parquet file needs a column.')
  for (const name of names) {
    if (name === '' || name.includes('\0'))
      throw refuse(`${JSON.stringify(name)} cannot be the name of a column in a Parquet file.`)
    const other = seen.get(name.toLowerCase())
    if (other !== undefined)
      throw refuse(`"${other}" and "${name}" differ only in case, which readers of Parquet do not tell apart.`)
    seen.set(name.toLowerCase(), name)
  }
}

async function makeRoom(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true })
  try {
    await rmdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw new ZenmlError('ZEN_EXPORT_TARGET', `${directory} is there already and not an empty folder.`, {
      next: 'Name another folder.',
      cause: error,
    })
  }
}

async function writeSplit(
  examples: ExamplesReader,
  split: string,
  columns: readonly ParquetColumn[],
  folder: string,
  facts: { readonly [name: string]: string },
  fileBytes: number,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const duckdb = await import('@duckdb/node-api')
  // One thread: the rows keep their order.
  const instance = await duckdb.DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const types = columns.map((column) => typeOf(column, duckdb))
  const names = columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`)
  const table = `CREATE OR REPLACE TABLE examples (${names.map((name, index) => `${name} ${types[index]!.sql}`).join(', ')})`
  const kept = Object.entries(facts).map((pair) => pair.map(literal).join(': '))
  let files = 0
  let held = 0
  const endFile = async (): Promise<void> => {
    const path = literal(join(folder, `part-${files++}`))
    await connection.run(
      `COPY examples TO ${path} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {${kept.join(', ')}})`,
    )
    await connection.run(table)
    held = 0
  }
  try {
    await connection.run(table)
    for await (const batch of examples.read(split, { batchSize: 2048, signal })) {
      const chunk = duckdb.DuckDBDataChunk.create(
        types.map(({ type }) => type),
        batch.length,
      )
      for (const [index, column] of columns.entries())
        chunk.setColumnValues(index, cellsOf(batch.columns.get(column.name)!, column, 0, batch.length, duckdb))
      const appender = await connection.createAppender('examples')
      appender.appendDataChunk(chunk)
      appender.closeSync()
      held += bytesOfBatch(batch)
      if (held >= fileBytes) await endFile()
    }
    if (held > 0 || files === 0) await endFile()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
  return await Promise.all(
    Array.from({ length: files }, async (_, index) => {
      const name = `data-${numbered(index)}-of-${numbered(files)}.parquet`
      await rename(join(folder, `part-${index}`), join(folder, name))
      return name
    }),
  )
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function numbered(index: number): string {
  return String(index).padStart(5, '0')
}

/** Reads the files of a split back, as a datasource reads them, and holds what they give against the rows that were to be written. */
async function proveSame(
  examples: ExamplesReader,
  split: string,
  digest: Digest,
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      inner: name,
      path: join(folder, name),
      size: (await stat(join(folder, name))).size,
    })),
  )
  const differs = (why: string, cause?: unknown): ZenmlError =>
    new ZenmlError('ZEN_EXPORT_DIFFERS', `The Parquet files of split "${split}" do not hold its rows: ${why}.`, {
      facts: { split, digest },
      next: 'Nothing was kept. Values that Parquet cannot hold have to be changed in a step.',
      exitCode: 1,
      cause,
    })
  const kinds = new Map<string, unknown>(await findParquetKinds(files))
  for (const [name, kind] of examples.features) {
    if (kinds.get(name) !== kind) throw differs(`"${name}" is read back as ${String(kinds.get(name) ?? 'no column')}`)
  }
  const hash = rowsHash()
  try {
    for await (const batch of readParquet(files, examples.features, 4096, signal)) hash.add(batch)
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw differs(messageOf(error), error)
  }
  if (hash.digest() !== digest)
    throw differs(`the digest of what is read back is ${hash.digest()} instead of ${digest}`)
}
