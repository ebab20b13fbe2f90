import { type noParameters, type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { Statistics } from '../formats/types.ts'
import { statisticsOf } from './examples-statistics.ts'

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
    const { statistics: bySplit, estimated } = await statisticsOf(examples, {
      signal: context.signal,
      onProgress: (done, total) => context.progress(done, total, 'rows'),
    })
    if (estimated.length > 0) context.describe('statistics', { estimated: [...estimated] })
    return { statistics: bySplit }
  },
})
