import type { AnomalyReason, AnomalyType } from '../formats/anomalies-proto.ts'
import type { DatasetConstraints } from '../formats/schema-proto.ts'
import type { DatasetFeatureStatistics } from '../formats/statistics-proto.ts'
import { sixDigits } from './feature-view.ts'

/** What the number of examples and the constraints on it do not agree in. `num_examples_version_comparator` has nothing to be held against here. */
export function datasetReasons(
  rows: number,
  { numExamplesDriftComparator, minExamplesCount, maxExamplesCount }: DatasetConstraints,
  previous: DatasetFeatureStatistics | undefined,
): readonly AnomalyReason[] {
  const reasons: AnomalyReason[] = []
  const low = (type: AnomalyType, description: string): void => {
    reasons.push({ type, shortDescription: 'Low num examples', description })
  }
  const high = (type: AnomalyType, description: string): void => {
    reasons.push({ type, shortDescription: 'High num examples', description })
  }
  if (previous !== undefined && numExamplesDriftComparator !== undefined) {
    const { minFractionThreshold, maxFractionThreshold } = numExamplesDriftComparator
    const { numExamples: before = 0 } = previous
    const ratio = rows / before
    const told = `The ratio of num examples in the current dataset versus the previous span is ${sixDigits(ratio)} (up to six significant digits)`
    if (maxFractionThreshold !== undefined && ratio > maxFractionThreshold)
      high(
        'COMPARATOR_HIGH_NUM_EXAMPLES',
        before === 0
          ? 'The previous span has 0 examples.'
          : `${told}, which is above the threshold ${sixDigits(maxFractionThreshold)}.`,
      )
    if (minFractionThreshold !== undefined && ratio < minFractionThreshold)
      low('COMPARATOR_LOW_NUM_EXAMPLES', `${told}, which is below the threshold ${sixDigits(minFractionThreshold)}.`)
  }
  if (minExamplesCount !== undefined && rows < minExamplesCount)
    low('DATASET_LOW_NUM_EXAMPLES', `The dataset has ${rows} examples, which is fewer than ${minExamplesCount}.`)
  if (maxExamplesCount !== undefined && rows > maxExamplesCount)
    high('DATASET_HIGH_NUM_EXAMPLES', `The dataset has ${rows} examples, which is more than ${maxExamplesCount}.`)
  return reasons
}
