import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { exampleDecoder } from '../formats/decode-examples.ts'
import { readRecordBlocks } from '../formats/tfrecord.ts'
import type { SourceFile } from '../model/source-files.ts'

/** Reads TFRecord files of `tf.train.Example` whose features are known, rows in the order of the files. */
export async function* readTfrecord(
  files: readonly SourceFile[],
  features: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const decoder = exampleDecoder({ features, batchSize })
  for (const { path, name } of files) {
    for await (const block of readRecordBlocks(path, { signal })) {
      for (let from = 0; from < block.count; ) {
        from = decoder.decode(block, from, name)
        if (decoder.rows === batchSize) yield decoder.take()
      }
    }
  }
  if (decoder.rows > 0) yield decoder.take()
}
