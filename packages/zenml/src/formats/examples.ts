import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import type { ExampleBatch } from './batch.ts'
import { type ExamplesReader, openExamples } from './examples-reader.ts'
import { createExamplesWriter } from './examples-writer.ts'

export { batchOf, type Cell, type CellValue } from './batch-of.ts'
export {
  cellAt,
  type ExampleObject,
  type ExamplesReader,
  openExamples,
  type ReadOptions,
} from './examples-reader.ts'
export { createExamplesWriter, type ExamplesSummary, type ExamplesWriter } from './examples-writer.ts'
export { textAt } from './text.ts'

/** What a step may return for an output of type Examples: batches by split, consumed one split after the other. */
export interface ExamplesSource {
  readonly splits: { readonly [split: string]: Iterable<ExampleBatch> | AsyncIterable<ExampleBatch> }
}

/**
 * Examples by split, as TFRecord files of `tf.train.Example` that any TensorFlow tool opens. Steps that fill several splits at
 * once write with `createExamplesWriter(context.directories.…)` instead of returning a source.
 */
export const Examples: ArtifactType<'Examples', ExamplesSource, ExamplesReader> = /* @__PURE__ */ artifactType(
  'Examples',
  { save: saveExamples, load: openExamples },
  'mlmd.Dataset',
)

async function saveExamples(source: ExamplesSource, directory: string): Promise<void> {
  const writer = await createExamplesWriter(directory)
  try {
    for (const [split, batches] of Object.entries(source.splits)) {
      await writer.declare(split)
      for await (const batch of batches) await writer.write(split, batch)
    }
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}
