import { ZenmlError } from '../base/errors.ts'
import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { exampleDecoder } from '../formats/decode-examples.ts'
import { readRecordBlocks } from '../formats/tfrecord.ts'
import type { SourceFile } from '../model/source-files.ts'
import type { KindsSoFar } from './kinds.ts'

/**
 * Finds the kinds of TFRecord files of `tf.train.Example`, gzip or plain, by reading them through: the files say a feature's kind with each
 * value. A feature that never has one has no kind. A schema spares the read: it names every feature, as that of a staged source does.
 *
 * Throws `ZEN_EXAMPLE_KIND` where a feature has two kinds, with file and record.
 */
export async function findTfrecordKinds(
  files: readonly SourceFile[],
  schema: { readonly [feature: string]: FeatureKind },
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
  const known = Object.entries(schema)
  if (known.length > 0) return new Map(known)
  const decoder = exampleDecoder({ batchSize: 4096 })
  const kinds: KindsSoFar = new Map()
  for (const { path, name } of files) {
    for await (const block of readRecordBlocks(path, { signal, name })) {
      for (let from = 0; from < block.count; ) {
        from = decoder.decode(block, from, name)
        for (const [feature, { kind }] of decoder.take().columns) kinds.set(feature, kind)
      }
    }
  }
  for (const name of decoder.names()) if (!kinds.has(name)) kinds.set(name, undefined)
  return kinds
}

/** Reads TFRecord files of `tf.train.Example` as batches of the kinds given, rows in the order of the files. */
export async function* readTfrecord(
  files: readonly SourceFile[],
  kinds: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const decoder = exampleDecoder({ features: kinds, batchSize, batchBytes })
  for (const { path, name } of files) {
    for await (const block of readRecordBlocks(path, { signal, name })) {
      for (let from = 0; from < block.count; ) {
        try {
          from = decoder.decode(block, from, name)
        } catch (error) {
          throw error instanceof ZenmlError && error.code === 'ZEN_EXAMPLE_UNKNOWN' ? notInSchema(error) : error
        }
        if (decoder.full) yield decoder.take()
      }
    }
  }
  if (decoder.rows > 0) yield decoder.take()
}

/** Only a schema leaves a feature out: without one, the kinds are those of all features there are. */
function notInSchema({ facts, cause }: ZenmlError): ZenmlError {
  const { file, record, feature } = facts
  return new ZenmlError(
    'ZEN_SOURCE_SCHEMA',
    `${file}: record ${record} has the feature ${JSON.stringify(feature)}, which the schema does not name.`,
    { facts, next: 'Name every feature in the schema of TFRecord files, or leave the schema out.', exitCode: 1, cause },
  )
}
