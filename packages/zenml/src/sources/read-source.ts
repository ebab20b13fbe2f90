import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { SourceFiles } from '../model/source-files.ts'
import { findCsvKinds, readCsv } from './csv.ts'
import { findRowKinds, readRows } from './json-rows.ts'
import { withSchema } from './kinds.ts'
import { findParquetKinds, readParquet } from './parquet.ts'
import { checkOptions } from './source-options.ts'
import { findTfrecordKinds, readTfrecord } from './tfrecord.ts'

/** Options of reading. */
export interface ReadSourceOptions {
  readonly signal?: AbortSignal
  /** Rows in a batch. Default 4096. */
  readonly batchSize?: number
}

/** Kind of every feature in the order of the names' UTF-8 bytes; undefined where no value was seen. */
export type SourceKinds = ReadonlyMap<string, FeatureKind | undefined>

/**
 * Finds each feature's kind: of CSV and JSON the narrowest of int, float and bytes that holds every value, of Parquet what the column's
 * type says, of TFRecord what its values say. `options.schema` decides for the features that it names.
 *
 * With `sample`, only the beginnings of CSV files are looked at, which is enough for most: `readSource` throws `KindMismatch` where
 * it was not.
 */
export async function findKinds(
  source: SourceFiles,
  { signal, sample = false }: { readonly signal?: AbortSignal; readonly sample?: boolean } = {},
): Promise<SourceKinds> {
  const options = checkOptions(source)
  const { format, files } = source
  const found =
    format === 'csv'
      ? await findCsvKinds(files, options, sample, signal)
      : format === 'parquet'
        ? await findParquetKinds(files)
        : format === 'tfrecord'
          ? await findTfrecordKinds(files, options.schema, signal)
          : await findRowKinds(format, files, options.encoding, signal)
  return withSchema(found, options.schema)
}

/** Reads a source as batches of the kinds that `findKinds` found, in constant memory. A feature without a kind is one of bytes. */
export async function* readSource(
  source: SourceFiles,
  kinds: SourceKinds,
  { signal, batchSize = 4096 }: ReadSourceOptions = {},
): AsyncGenerator<ExampleBatch> {
  const options = checkOptions(source)
  const { format, files } = source
  const { schema } = options
  if (format === 'csv') yield* readCsv(files, options, kinds, schema, batchSize, signal)
  else {
    const settled = new Map([...kinds].map(([name, kind]) => [name, kind ?? 'bytes']))
    if (format === 'tfrecord') yield* readTfrecord(files, settled, batchSize, signal)
    else if (format === 'parquet') yield* readParquet(files, settled, batchSize, signal)
    else yield* readRows(format, files, options.encoding, settled, batchSize, signal)
  }
}
