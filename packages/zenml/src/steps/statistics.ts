import { type noParameters, type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import type { DatasetFeatureStatisticsList } from '../formats/statistics-proto.ts'
import { Statistics } from '../formats/types.ts'
import { SplitStatistics } from './feature-statistics.ts'

/**
 * Statistics of every split, as TensorFlow Data Validation writes them (`DatasetFeatureStatisticsList`): presence, numbers, histograms,
 * frequent values. Counts, means, deviations and extremes are exact at every size. Memory is bounded: beyond 131,072 values of a feature
 * quantiles are estimated (see `Quantiles`), beyond 262,144 distinct texts so are their number and counts (see `ByteCounts`); the
 * property `estimated` of the artifact names these features.
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
    const estimated = new Set<string>()
    const bySplit: { [split: string]: DatasetFeatureStatisticsList } = {}
    for (const split of examples.splits) {
      const gathered = new SplitStatistics(examples.features)
      let done = 0
      for await (const batch of examples.read(split, { signal: context.signal })) {
        gathered.add(batch)
        done += batch.length
        context.progress(done, examples.rows(split), 'rows')
      }
      for (const name of gathered.estimated) estimated.add(name)
      bySplit[split] = { datasets: [gathered.finish()] }
    }
    if (estimated.size > 0) context.describe('statistics', { estimated: [...estimated] })
    return { statistics: bySplit }
  },
})
