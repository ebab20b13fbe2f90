import { ZenmlError } from '../base/errors.ts'
import type { AnomalyReason, DistanceMeasurement } from '../formats/anomalies-proto.ts'
import type { FeatureComparator } from '../formats/schema-proto.ts'
import type { FeatureNameStatistics } from '../formats/statistics-proto.ts'
import { histogramOf, sixDigits, valueCountsOf } from './feature-view.ts'
import { histogramDivergence, lInfinity, valueDivergence } from './histogram-distances.ts'

/** The distances of a feature that its comparator limits, and those that are too large. */
export interface Comparison {
  readonly measurements: readonly DistanceMeasurement[]
  readonly reasons: readonly AnomalyReason[]
}

/** What is compared: today's data with the previous one, or that of training with that of serving. */
export type ComparisonKind = 'drift' | 'skew'

const sides = { drift: ['current', 'previous'], skew: ['training', 'serving'] } as const

/** Measures what the comparator limits. `control` is undefined where the other data set does not have the feature. */
export function compareFeature(
  name: string,
  statistics: FeatureNameStatistics,
  control: FeatureNameStatistics | undefined,
  comparator: FeatureComparator,
  kind: ComparisonKind,
): Comparison {
  if (comparator.normalizedAbsDifference?.threshold !== undefined)
    throw new ZenmlError(
      'ZEN_VALIDATE_COMPARATOR',
      `The ${kind} comparator of "${name}" limits the normalized absolute difference, which is not measured here.`,
      { next: 'Limit infinity_norm or jensen_shannon_divergence instead.', exitCode: 1 },
    )
  const linf = comparator.infinityNorm?.threshold
  const divergence = comparator.jensenShannonDivergence?.threshold
  if (linf === undefined && divergence === undefined) return { measurements: [], reasons: [] }
  const [treatmentName, controlName] = sides[kind]
  if (control === undefined) {
    const missing: AnomalyReason = {
      type: 'COMPARATOR_CONTROL_DATA_MISSING',
      shortDescription: `${controlName} data missing`,
      description: `${controlName} data is missing.`,
    }
    return { measurements: [], reasons: [missing] }
  }
  const measurements: DistanceMeasurement[] = []
  const reasons: AnomalyReason[] = []
  const take = (measured: Measured | undefined, name: string, histograms: string): void => {
    if (measured === undefined)
      reasons.push({
        type: 'STATS_NOT_AVAILABLE',
        shortDescription: `No ${name} between ${treatmentName} and ${controlName}`,
        description: `The schema limits the ${name} between ${treatmentName} and ${controlName}, but not both have ${histograms}.`,
      })
    else {
      measurements.push(measured.measurement)
      if (measured.reason !== undefined) reasons.push(measured.reason)
    }
  }
  if (linf !== undefined) take(distance(statistics, control, linf, kind), 'Linfty distance', 'counts of values')
  if (divergence !== undefined)
    take(
      jensenShannon(statistics, control, comparator, divergence, kind),
      'Jensen-Shannon divergence',
      'counts of values, or both a histogram of numbers',
    )
  return { measurements, reasons }
}

interface Measured {
  readonly measurement: DistanceMeasurement
  /** Where the distance is too large. */
  readonly reason?: AnomalyReason
}

function distance(
  treatment: FeatureNameStatistics,
  control: FeatureNameStatistics,
  threshold: number,
  kind: ComparisonKind,
): Measured | undefined {
  const found = lInfinity(valueCountsOf(treatment), valueCountsOf(control))
  if (found === undefined) return undefined
  const measurement = { type: 'L_INFTY', value: found.distance, threshold } as const
  if (found.distance <= threshold) return { measurement }
  const between = sides[kind].join(' and ')
  return {
    measurement,
    reason: {
      type: 'COMPARATOR_L_INFTY_HIGH',
      shortDescription: `High Linfty distance between ${between}`,
      description: `The Linfty distance between ${between} is ${sixDigits(found.distance)} (up to six significant digits), above the threshold ${sixDigits(threshold)}. The feature value with maximum difference is: ${found.value}`,
    },
  }
}

function jensenShannon(
  treatment: FeatureNameStatistics,
  control: FeatureNameStatistics,
  { jensenShannonDivergence }: FeatureComparator,
  threshold: number,
  kind: ComparisonKind,
): Measured | undefined {
  const [left, right] = [valueCountsOf(treatment), valueCountsOf(control)]
  const source = jensenShannonDivergence?.source?.type
  const [leftNumbers, rightNumbers] = [histogramOf(treatment, source), histogramOf(control, source)]
  const value =
    left.size > 0 && right.size > 0
      ? valueDivergence(left, right)
      : leftNumbers !== undefined && rightNumbers !== undefined
        ? histogramDivergence(leftNumbers, rightNumbers)
        : undefined
  if (value === undefined) return undefined
  const measurement = { type: 'JENSEN_SHANNON_DIVERGENCE', value, threshold } as const
  if (value <= threshold) return { measurement }
  const between = sides[kind].join(' and ')
  return {
    measurement,
    reason: {
      type: 'COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH',
      shortDescription: `High approximate Jensen-Shannon divergence between ${between}`,
      description: `The approximate Jensen-Shannon divergence between ${between} is ${sixDigits(value)} (up to six significant digits), above the threshold ${sixDigits(threshold)}.`,
    },
  }
}
