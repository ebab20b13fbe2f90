import { ZenmlError } from '../base/errors.ts'
import { type noParameters, Source, type SourcePort, type Step, type StepContext, step } from '../define/step.ts'
import { createExamplesWriter, Examples } from '../formats/examples.ts'
import type { SourceFiles } from '../model/source-files.ts'
import { KindMismatch } from './kinds.ts'
import { findKinds, readSource, type SourceKinds } from './read-source.ts'

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
    let kinds = await findKinds(source, { signal, sample: true })
    let rows: number
    try {
      rows = await write(source, kinds, context)
    } catch (error) {
      if (!(error instanceof KindMismatch)) throw error
      // A value further on is wider than the beginning of the files let expect: look at all of them first.
      kinds = await findKinds(source, { signal })
      rows = await write(source, kinds, context)
    }
    context.describe('examples', {
      rows,
      splits: { all: rows },
      features: Object.fromEntries([...kinds].map(([name, kind]) => [name, kind ?? 'bytes'])),
    })
    return {}
  },
})

async function write(source: SourceFiles, kinds: SourceKinds, context: StepContext): Promise<number> {
  const writer = await createExamplesWriter(context.directories['examples']!)
  try {
    let rows = 0
    for await (const batch of readSource(source, kinds, { signal: context.signal })) {
      await writer.write('all', batch)
      rows += batch.length
      context.progress(rows, null, 'rows')
    }
    if (rows === 0)
      throw new ZenmlError(
        'ZEN_SOURCE_EMPTY',
        `The datasource has no rows: ${source.files.map(({ name }) => name).join(', ')}.`,
        { next: 'Look at the files: a snapshot has at least one row.', exitCode: 1 },
      )
    await writer.finish()
    return rows
  } catch (error) {
    await writer.abort()
    throw error
  }
}
