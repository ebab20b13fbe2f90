import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { DatasourceFormat } from '../model/datasource-spec.ts'
import type { SourceFile, SourceFiles } from '../model/source-files.ts'
import { findCsvKinds, readCsv } from './csv.ts'
import { findImageKinds, readImages } from './image-rows.ts'
import { findJsonKinds, type JsonFormat, readJsonRows } from './json-rows.ts'
import { type KindsSoFar, withSchema } from './kinds.ts'
import { findParquetKinds, readParquet } from './parquet.ts'
import { checkOptions, type SourceOptions } from './source-options.ts'
import { readTexts, textKinds } from './text-rows.ts'
import { findTfrecordKinds, readTfrecord } from './tfrecord.ts'

/** Options of reading. */
export interface ReadSourceOptions {
  readonly signal?: AbortSignal
  /** Rows in a batch. Default 4096. */
  readonly batchSize?: number
}

/** Kind of every feature in the order of the names' UTF-8 bytes; undefined where no value was seen. */
export type SourceKinds = ReadonlyMap<string, FeatureKind | undefined>

/** A format of files: finds its features, then reads its rows. */
interface Format {
  find(files: Files, options: SourceOptions, signal: Signal, sample: boolean): Promise<KindsSoFar>
  read(files: Files, options: SourceOptions, kinds: SourceKinds, batchSize: number, signal: Signal): Batches
}
/** Formats that have rows. */
type RowFormat = Exclude<DatasourceFormat, 'pbtxt'>
type Files = readonly SourceFile[]
type Signal = AbortSignal | undefined
type Batches = AsyncGenerator<ExampleBatch>

const formats: { readonly [format in RowFormat]: Format } = {
  csv: {
    find: (files, options, signal, sample) => findCsvKinds(files, options, sample, signal),
    read: (files, options, kinds, batchSize, signal) =>
      readCsv(files, options, kinds, options.schema, batchSize, signal),
  },
  json: jsonOf('json'),
  jsonl: jsonOf('jsonl'),
  parquet: {
    find: (files) => findParquetKinds(files),
    read: (files, _options, kinds, batchSize, signal) => readParquet(files, settled(kinds), batchSize, signal),
  },
  tfrecord: {
    find: (files, { schema }, signal) => findTfrecordKinds(files, schema, signal),
    read: (files, _options, kinds, batchSize, signal) => readTfrecord(files, settled(kinds), batchSize, signal),
  },
  text: {
    find: async () => new Map(textKinds),
    read: (files, options, _kinds, batchSize, signal) => readTexts(files, options, batchSize, signal),
  },
  image: {
    find: (files, options, signal) => findImageKinds(files, options, signal),
    read: (files, options, kinds, batchSize, signal) => readImages(files, options, settled(kinds), batchSize, signal),
  },
}

function jsonOf(format: JsonFormat): Format {
  return {
    find: (files, { encoding }, signal, sample) => findJsonKinds(format, files, encoding, sample, signal),
    read: (files, { encoding, schema }, kinds, batchSize, signal) =>
      readJsonRows(format, files, encoding, kinds, schema, batchSize, signal),
  }
}

/** A feature without a kind is one of bytes. */
function settled(kinds: SourceKinds): ReadonlyMap<string, FeatureKind> {
  return new Map([...kinds].map(([name, kind]) => [name, kind ?? 'bytes']))
}

/**
 * Finds each feature's kind: of CSV and JSON the narrowest of int, float and bytes that holds every value, of Parquet what the column's
 * type says, of TFRecord what its values say. `options.schema` decides for the features that it names.
 *
 * With `sample`, only the beginnings of CSV and JSON files are looked at, which is enough for most: `readSource` throws `KindMismatch` where
 * it was not.
 */
export async function findKinds(
  source: SourceFiles,
  { signal, sample = false }: { readonly signal?: AbortSignal; readonly sample?: boolean } = {},
): Promise<SourceKinds> {
  const options = checkOptions(source)
  const found = await formatOf(source).find(source.files, options, signal, sample)
  return withSchema(found, options.schema)
}

/** Reads a source as batches of the kinds that `findKinds` found, in constant memory. A feature without a kind is one of bytes. */
export async function* readSource(
  source: SourceFiles,
  kinds: SourceKinds,
  { signal, batchSize = 4096 }: ReadSourceOptions = {},
): AsyncGenerator<ExampleBatch> {
  const options = checkOptions(source)
  yield* formatOf(source).read(source.files, options, kinds, batchSize, signal)
}

function formatOf({ format }: SourceFiles): Format {
  return formats[format as RowFormat]
}
