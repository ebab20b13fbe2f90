import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'
import { batchBytes, bytesAt, type Column, type ExampleBatch, type FeatureKind, rowEnd, rowStart } from './batch.ts'
import { exampleDecoder } from './decode-examples.ts'
import { type ExamplesSummary, shardName, summaryFile } from './examples-writer.ts'
import { isFile } from './file-tree.ts'
import { strictText } from './text.ts'
import { type ReadRecordsOptions, type RecordBlock, RecordBuffers, readRecordBlocks } from './tfrecord.ts'

/** What to read. */
export interface ReadOptions {
  /** Features to decode; the others are stepped over. Default all. */
  readonly columns?: readonly string[] | undefined
  /** Rows of each batch but the last. Default 4096, or fewer where these are more than 16 MiB. */
  readonly batchSize?: number | undefined
  /** The first row to read: files before it are not opened. Default 0. */
  readonly start?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A value of an example as people read it: text where the bytes are UTF-8, a bigint beyond 2^53 - 1. */
export type ExampleValue = number | bigint | string | Uint8Array

/** An example as people read it: one value by itself, several as a list, none as null. */
export interface ExampleObject {
  readonly [feature: string]: ExampleValue | readonly ExampleValue[] | null
}

/** Examples in files. */
export interface ExamplesReader {
  readonly directory: string
  /** Whether equal rows are equal bytes: our own writer has one encoding of a row, another may have several. */
  readonly canonical: boolean
  /** Sorted. */
  readonly splits: readonly string[]
  /** All features of all splits with their kinds, sorted by name. */
  readonly features: ReadonlyMap<string, FeatureKind>
  /** Number of examples in a split. */
  rows(split: string): number
  /** Absolute paths of a split's shards, in reading order. */
  shards(split: string): readonly string[]
  /** Number of examples in each shard of a split, in reading order. */
  shardRows(split: string): readonly number[]
  /**
   * The rows of a split in order, in batches that each have every feature asked for. The arrays are the caller's. Throws what
   * the TFRecord reader and the decoder throw, and `ZEN_EXAMPLES_COLUMN` for a feature that is not there.
   */
  read(split: string, options?: ReadOptions): AsyncIterable<ExampleBatch>
  /** The records of one shard (from 0) as bytes; a block is valid until the next one. Throws what the TFRecord reader throws. */
  records(split: string, shard: number, options?: ReadRecordsOptions): AsyncIterable<RecordBlock>
  /** The rows of a split one by one, for people: scalars unwrapped. Slow beside `read`. */
  objects(split: string, options?: ReadOptions): AsyncIterable<ExampleObject>
}

/**
 * Opens a directory of examples: one of ours, or one that TensorFlow Extended wrote (`Split-<name>/` with TFRecord files, gzip or
 * plain, without `examples.json`), which is read through once to learn its features and count its rows.
 *
 * Throws `ZEN_EXAMPLES_FORMAT` where the directory is not laid out like that.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'examples-'))
 * const writer = await createExamplesWriter(directory)
 * await writer.write('train', batchOf([{ x: 1 }, { x: 2 }]))
 * await writer.finish()
 * const examples = await openExamples(directory)
 * examples.rows('train') // 2
 * for await (const { length } of examples.read('train', { columns: ['x'] })) console.log(length)
 * await rm(directory, { recursive: true })
 */
export async function openExamples(directory: string): Promise<ExamplesReader> {
  const summary = await readSummary(directory)
  return summary === undefined ? openForeign(directory) : openOwn(directory, summary)
}

async function readSummary(directory: string): Promise<ExamplesSummary | undefined> {
  let text: string
  try {
    text = await readFile(join(directory, summaryFile), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw malformed(directory, `${summaryFile} is no JSON`, error)
  }
  if (!isSummary(parsed)) throw malformed(directory, `${summaryFile} does not say format 1, features and splits`)
  return parsed
}

function isSummary(value: unknown): value is ExamplesSummary {
  if (!isJsonObject(value) || value['format'] !== 1) return false
  const { features, splits } = value
  if (!isJsonObject(features) || !isJsonObject(splits)) return false
  if (!Object.values(features).every((kind) => kind === 'int' || kind === 'float' || kind === 'bytes')) return false
  return Object.entries(splits).every(([name, split]) => {
    if (!isJsonObject(split) || name === '' || /[/\\\0]/.test(name)) return false
    const { rows, shards } = split
    if (!Array.isArray(shards) || shards.length === 0 || !shards.every(isCount)) return false
    return rows === shards.reduce((sum: number, count: number) => sum + count, 0)
  })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

interface Split {
  readonly rows: number
  readonly shards: readonly string[]
  /** Rows of each shard. */
  readonly counts: readonly number[]
}

function openOwn(directory: string, summary: ExamplesSummary): ExamplesReader {
  const splits = new Map<string, Split>()
  for (const name of Object.keys(summary.splits).sort(compareText)) {
    const { rows, shards } = summary.splits[name]!
    const paths = shards.map((_, index) => join(directory, `Split-${name}`, shardName(index, shards.length)))
    splits.set(name, { rows, shards: paths, counts: shards })
  }
  return reader(directory, true, splits, sortedFeatures(Object.entries(summary.features)))
}

async function openForeign(directory: string): Promise<ExamplesReader> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('Split-') && entry.name.length > 'Split-'.length)
    .map((entry) => entry.name.slice('Split-'.length))
    .sort(compareText)
  if (names.length === 0) throw malformed(directory, `it has neither ${summaryFile} nor a directory Split-<name>`)
  const splits = new Map<string, Split>()
  const buffers = new RecordBuffers()
  // Kinds are learned over all splits by one decoder, so that two splits cannot disagree.
  const decoder = exampleDecoder({ batchSize: 4096 })
  let features: [string, FeatureKind][] = []
  for (const name of names) {
    const folder = join(directory, `Split-${name}`)
    const files: string[] = []
    for (const file of (await readdir(folder)).sort(compareText))
      if (!/^[._]/.test(file) && (await isFile(join(folder, file)))) files.push(file)
    if (files.length === 0) throw malformed(directory, `Split-${name} is empty`)
    const shards = files.map((file) => join(folder, file))
    const counts: number[] = []
    for (const shard of shards) {
      let rows = 0
      for await (const block of readRecordBlocks(shard, { buffers })) {
        rows += block.count
        for (let from = 0; from < block.count; ) {
          from = decoder.decode(block, from, shard)
          features = [...decoder.take().columns].map(([feature, { kind }]) => [feature, kind])
        }
      }
      counts.push(rows)
    }
    splits.set(name, { rows: counts.reduce((sum, rows) => sum + rows, 0), shards, counts })
  }
  // A feature without any value in any example has no kind in the files; it counts as one of bytes.
  const kinds = new Map(features)
  for (const name of decoder.names()) if (!kinds.has(name)) kinds.set(name, 'bytes')
  return reader(directory, false, splits, sortedFeatures(kinds))
}

function sortedFeatures(features: Iterable<[string, FeatureKind]>): Map<string, FeatureKind> {
  return new Map([...features].sort(([left], [right]) => compareText(left, right)))
}

function reader(
  directory: string,
  canonical: boolean,
  splits: ReadonlyMap<string, Split>,
  features: ReadonlyMap<string, FeatureKind>,
): ExamplesReader {
  function splitOf(name: string): Split {
    const split = splits.get(name)
    if (split !== undefined) return split
    const known = [...splits.keys()]
    throw new ZenmlError('ZEN_EXAMPLES_SPLIT', `There is no split "${name}".${didYouMean(name, known)}`, {
      facts: { split: name, splits: known },
      next: `Take one of ${known.join(', ')}.`,
    })
  }

  async function* records(
    name: string,
    index: number,
    options: ReadRecordsOptions = {},
  ): AsyncGenerator<RecordBlock, void, undefined> {
    const split = splitOf(name)
    const shard = split.shards[index]
    if (shard === undefined)
      throw new RangeError(`split "${name}" has shards 0 to ${split.shards.length - 1}, none ${index}`)
    let rows = 0
    for await (const block of readRecordBlocks(shard, options)) {
      rows += block.count
      yield block
    }
    if (rows === split.counts[index]) return
    throw new ZenmlError(
      'ZEN_TFRECORD_CORRUPT',
      `${shard}: it has ${rows} records instead of ${split.counts[index]}.`,
      {
        facts: { file: shard, records: rows, expected: split.counts[index]! },
        next: 'Restore the file, or make the artifact again.',
        exitCode: 1,
      },
    )
  }

  async function* read(name: string, options: ReadOptions = {}): AsyncGenerator<ExampleBatch, void, undefined> {
    const split = splitOf(name)
    const { columns, batchSize = 4096, start = 0, signal } = options
    if (!Number.isSafeInteger(batchSize) || batchSize < 1)
      throw new RangeError(`batchSize must be a whole number from 1, not ${batchSize}`)
    if (!Number.isSafeInteger(start) || start < 0)
      throw new RangeError(`start must be a whole number from 0, not ${start}`)
    for (const column of columns ?? []) {
      if (features.has(column)) continue
      throw new ZenmlError(
        'ZEN_EXAMPLES_COLUMN',
        `There is no feature "${column}".${didYouMean(column, features.keys())}`,
        {
          facts: { feature: column, features: [...features.keys()] },
          next: `Take some of ${[...features.keys()].join(', ')}.`,
        },
      )
    }
    const decoder = exampleDecoder({
      features,
      columns: columns === undefined ? undefined : new Set(columns),
      batchSize,
      batchBytes: options.batchSize === undefined ? batchBytes : undefined,
    })
    const buffers = new RecordBuffers()
    /** Rows before the first one that are still to be passed over. */
    let before = start
    for (const [index, shard] of split.shards.entries()) {
      if (before >= split.counts[index]!) {
        before -= split.counts[index]!
        continue
      }
      for await (const block of records(name, index, { signal, buffers })) {
        let from = Math.min(before, block.count)
        before -= from
        while (from < block.count) {
          from = decoder.decode(block, from, shard)
          if (decoder.full) {
            yield decoder.take()
            signal?.throwIfAborted()
          }
        }
      }
    }
    if (decoder.rows > 0) yield decoder.take()
  }

  async function* objects(name: string, options: ReadOptions = {}): AsyncGenerator<ExampleObject, void, undefined> {
    for await (const batch of read(name, options)) {
      for (let row = 0; row < batch.length; row++) {
        yield Object.fromEntries([...batch.columns].map(([feature, column]) => [feature, cellAt(column, row)]))
      }
    }
  }

  return {
    directory,
    canonical,
    records,
    splits: [...splits.keys()],
    features,
    rows: (name) => splitOf(name).rows,
    shards: (name) => splitOf(name).shards,
    shardRows: (name) => splitOf(name).counts,
    read,
    objects,
  }
}

/** The values of a row as people read them. */
export function cellAt(column: Column, row: number): ExampleValue | readonly ExampleValue[] | null {
  const start = rowStart(column, row)
  const end = rowEnd(column, row)
  if (end === start) return null
  if (end === start + 1) return valueAt(column, start)
  return Array.from({ length: end - start }, (_, index) => valueAt(column, start + index))
}

function valueAt(column: Column, value: number): ExampleValue {
  if (column.kind === 'bytes') {
    const bytes = bytesAt(column, value)
    return strictText(bytes) ?? bytes.slice()
  }
  const number = column.values[value]!
  if (column.kind === 'int' && column.big !== undefined && !Number.isSafeInteger(number)) return column.big[value]!
  return number
}

function malformed(directory: string, reason: string, cause?: unknown): ZenmlError {
  return new ZenmlError('ZEN_EXAMPLES_FORMAT', `${directory} holds no examples: ${reason}.`, {
    facts: { directory, reason },
    next: 'Give the directory of an Examples artifact.',
    exitCode: 1,
    cause,
  })
}
