import type { Path } from '../formats/derived-feature-proto.ts'
import type {
  CommonStatistics,
  DatasetFeatureStatistics,
  FeatureNameStatistics,
  Histogram,
  NumericStatistics,
} from '../formats/statistics-proto.ts'
import type { ValueCounts } from './histogram-distances.ts'

/** The features of a data set that have statistics, by serialised path. */
export function featuresOf({ features = [] }: DatasetFeatureStatistics): ReadonlyMap<string, FeatureNameStatistics> {
  return new Map(
    features
      .filter(
        ({ numStats, stringStats, bytesStats, structStats }) => numStats ?? stringStats ?? bytesStats ?? structStats,
      )
      .map((feature) => [serialisedPath(stepsOf(feature)), feature]),
  )
}

/** Where a feature is: its path, or its name as the only step. */
export function stepsOf({ path, name = '' }: { readonly path?: Path; readonly name?: string }): readonly string[] {
  return path?.step ?? [name]
}

/**
 * A path as one text, as `Path::Serialize` of TensorFlow Data Validation: steps with `.`, `(`, `)` or `'` in them, and empty ones, in
 * single quotes, but for steps that are parenthesised as a whole.
 *
 * @example
 * serialisedPath(['a', "b.c'd"]) // "a.'b.c''d'"
 */
export function serialisedPath(steps: readonly string[]): string {
  return steps
    .map((step) => (/^(?:\([^()]*\)|[^().']+)$/.test(step) ? step : `'${step.replaceAll("'", "''")}'`))
    .join('.')
}

/** What people call a feature: its name as it is, and the serialised path of one inside of a structure. */
export function featureName(steps: readonly string[]): string {
  return steps.length === 1 ? steps[0]! : serialisedPath(steps)
}

/** Presence and number of values, whatever kind the feature is of. */
export function commonOf({ numStats, stringStats, bytesStats, structStats }: FeatureNameStatistics): CommonStatistics {
  return numStats?.commonStats ?? stringStats?.commonStats ?? bytesStats?.commonStats ?? structStats?.commonStats ?? {}
}

/** The values that the rank histogram counts. */
export function valueCountsOf({ stringStats }: FeatureNameStatistics): ValueCounts {
  return new Map(
    (stringStats?.rankHistogram?.buckets ?? []).map(({ label = '', sampleCount = 0 }) => [label, sampleCount]),
  )
}

/** The histogram of a type; DEFAULT is STANDARD. */
export function histogramOf(
  { numStats }: FeatureNameStatistics,
  type: 'DEFAULT' | 'QUANTILES' | 'STANDARD' = 'DEFAULT',
): Histogram | undefined {
  const wanted = type === 'DEFAULT' ? 'STANDARD' : type
  return numStats?.histograms?.find((histogram) => (histogram.type ?? 'STANDARD') === wanted)
}

/** Whether the histograms say that there are values, but none that is a number: then least and greatest value, which are absent, do not mean 0. */
export function isOnlyNan({ histograms = [] }: NumericStatistics): boolean {
  return histograms.some(({ numNan = 0 }) => numNan > 0) && histograms.every(({ buckets = [] }) => buckets.length === 0)
}

/**
 * A number with up to six significant digits, as `%g` of C.
 *
 * @example
 * sixDigits(0.123456789) // '0.123457'
 */
export function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf'
  if (value === 0) return '0'
  const [mantissa, exponent] = value.toExponential(5).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(Number(value.toPrecision(6)))
  return `${String(Number(mantissa))}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
