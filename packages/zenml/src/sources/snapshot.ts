import { ZenmlError } from '../base/errors.ts'
import { type noParameters, Source, type SourcePort, type Step, step } from '../define/step.ts'
import { createExamplesWriter, Examples } from '../formats/examples.ts'
import { inspectSource, readSource } from './read-source.ts'

/**
 * Reads a datasource into an immutable snapshot: TFRecord files of `tf.train.Example` with the single split `all`.
 *
 * @example
 * const { examples } = snapshot({ source: datasource('penguins', { path: 'data/penguins.csv' }) })
 */
export const snapshot: Step<
  { readonly source: SourcePort },
  { readonly examples: typeof Examples },
  typeof noParameters
> = step({
  name: 'snapshot',
  description: 'Reads a datasource into an immutable TFRecord snapshot.',
  inputs: { source: Source },
  outputs: { examples: Examples },
  run: async ({ inputs: { source }, context }) => {
    const { signal } = context
    const shape = await inspectSource(source, { signal })
    if (shape.rows === 0)
      throw new ZenmlError(
        'ZEN_SOURCE_EMPTY',
        `The datasource has no rows: ${source.files.map(({ name }) => name).join(', ')}.`,
        { exitCode: 1 },
      )
    const writer = await createExamplesWriter(context.directories.examples)
    try {
      let done = 0
      for await (const batch of readSource(source, shape, { signal })) {
        await writer.write('all', batch)
        done += batch.length
        context.progress(done, shape.rows, 'rows')
      }
      await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
    context.describe('examples', {
      rows: shape.rows,
      splits: { all: shape.rows },
      features: Object.fromEntries(shape.kinds),
    })
    return {}
  },
})
