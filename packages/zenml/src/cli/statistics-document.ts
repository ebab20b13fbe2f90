import type { Json, JsonObject } from '../base/json.ts'
import type { OpenStatistics } from '../project/open-statistics.ts'
import { type FeatureFacts, factsOf } from '../steps/feature-facts.ts'
import { numberInJson } from './printable.ts'

/** The facts of one split. */
export interface SplitFacts {
  readonly rows: number
  readonly features: readonly FeatureFacts[]
}

/** The facts of every split, or of one. */
export function splitFacts({ statistics }: OpenStatistics): ReadonlyMap<string, SplitFacts> {
  return new Map(
    Object.entries(statistics).map(([split, { datasets }]) => {
      const dataset = datasets?.[0] ?? {}
      return [split, { rows: dataset.numExamples ?? 0, features: factsOf(dataset) }]
    }),
  )
}

/** The JSON of statistics, as scripts know it. */
export function statisticsDocument(
  { digest, type, estimated }: OpenStatistics,
  splits: ReadonlyMap<string, SplitFacts>,
): JsonObject {
  return {
    artifact: digest,
    type,
    estimated: [...estimated],
    splits: Object.fromEntries(
      [...splits].map(([split, { rows, features }]) => [split, { rows, features: features.map(featureDocument) }]),
    ),
  }
}

function featureDocument({ feature, kind, count, missing, valuesPerExample, numbers, texts }: FeatureFacts): Json {
  const shared = { feature, kind, count, missing, valuesPerExample: { ...valuesPerExample } }
  if (texts !== null)
    return {
      ...shared,
      unique: texts.unique,
      meanLength: texts.meanLength,
      topValues: texts.topValues.map((value) => ({ ...value })),
    }
  if (numbers === null) return shared
  const { mean, std, min, median, max, zeros, nan, quantiles, histogram } = numbers
  return {
    ...shared,
    mean: numberInJson(mean),
    std: numberInJson(std),
    min: numberInJson(min),
    median: numberInJson(median),
    max: numberInJson(max),
    zeros,
    nan,
    quantiles: quantiles.map(numberInJson),
    histogram: histogram.map(({ low, high, count }) => ({
      low: numberInJson(low),
      high: numberInJson(high),
      count,
    })),
  }
}
