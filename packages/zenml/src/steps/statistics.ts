import { type noParameters, type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import type { DatasetFeatureStatisticsList } from '../formats/statistics-proto.ts'
import { Statistics } from '../formats/types.ts'
import { SplitStatistics } from './feature-statistics.ts'

/**
 * Statistics of every split, as TensorFlow Data Validation writes them (`DatasetFeatureStatisticsList`): presence, numbers, histograms,
 * frequent values. Exact; memory grows by 8 bytes a number and by the distinct texts.
 *
 * @example
 * const { statistics: facts } = statistics({ examples })
 */
export const statistics: Step<
  { readonly examples: typeof Examples },
  { readonly statistics: typeof Statistics },
  typeof noParameters
> = step({
  name: 'statistics',
  description: 'Computes statistics of every feature and split.',
  inputs: { examples: Examples },
  outputs: { statistics: Statistics },
  run: async ({ inputs: { examples }, context }) => {
    const bySplit: { [split: string]: DatasetFeatureStatisticsList } = {}
    for (const split of examples.splits) {
      const gathered = new SplitStatistics(examples.features)
      let done = 0
      for await (const batch of examples.read(split, { signal: context.signal })) {
        gathered.add(batch)
        done += batch.length
        context.progress(done, examples.rows(split), 'rows')
      }
      bySplit[split] = { datasets: [gathered.finish()] }
    }
    return { statistics: bySplit }
  },
})
