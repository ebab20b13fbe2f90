import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { exampleDecoder } from '../formats/decode-examples.ts'
import { readRecordBlocks } from '../formats/tfrecord.ts'
import type { SourceFile } from '../model/source-files.ts'
import type { KindsSoFar } from './kinds.ts'

/**
 * Finds the kinds of TFRecord files of `tf.train.Example`, gzip or plain, by reading them through: the files say a feature's kind with each
 * value. A feature that never has one has no kind. Throws `ZEN_EXAMPLE_KIND` where a feature has two, with file and record.
 */
export async function findTfrecordKinds(
  files: readonly SourceFile[],
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
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

/** Reads TFRecord files of `tf.train.Example` as batches of the kinds given. */
export async function* readTfrecord(
  files: readonly SourceFile[],
  kinds: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const decoder = exampleDecoder({ features: kinds, batchSize })
  for (const { path, name } of files) {
    for await (const block of readRecordBlocks(path, { signal, name })) {
      for (let from = 0; from < block.count; ) {
        from = decoder.decode(block, from, name)
        if (decoder.rows === batchSize) yield decoder.take()
      }
    }
  }
  if (decoder.rows > 0) yield decoder.take()
}
