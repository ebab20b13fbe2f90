import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { AnomaliesBySplit } from '../formats/anomalies.ts'
import type {
  Anomalies as AnomaliesMessage,
  AnomalyInfo,
  AnomalyReason,
  AnomalySeverity,
} from '../formats/anomalies-proto.ts'
import type { Schema } from '../formats/schema-proto.ts'
import type { DatasetFeatureStatistics } from '../formats/statistics-proto.ts'
import type { StatisticsBySplit } from '../formats/types.ts'
import { featureName } from './feature-view.ts'
import { type ValidationOptions, validateStatistics } from './validate-statistics.ts'

/** What splits are held against beside the schema. */
export interface SplitValidation extends Pick<ValidationOptions, 'environment' | 'newFeatures'> {
  /** Default all but `servingSplit`. */
  readonly splits?: readonly string[] | undefined
  /** The split that stands for the data of serving. Default none. */
  readonly servingSplit?: string | undefined
  /** Statistics of earlier data: each split is held against the one of its name, or the only one. Default none. */
  readonly baseline?: StatisticsBySplit | undefined
}

/** The anomalies of each split, by name. Throws `ZEN_VALIDATE_SPLIT` for a split that is not there. */
export function validateSplits(
  statistics: StatisticsBySplit,
  schema: Schema,
  { splits, servingSplit, baseline, ...shared }: SplitValidation = {},
): AnomaliesBySplit {
  const serving = servingSplit === undefined ? undefined : datasetOf(statistics, servingSplit, 'statistics')
  const chosen = splits ?? Object.keys(statistics).filter((split) => split !== servingSplit)
  const anomalies: { [split: string]: AnomaliesMessage } = {}
  for (const split of [...chosen].sort(compareText)) {
    anomalies[split] = validateStatistics(datasetOf(statistics, split, 'statistics'), schema, {
      ...shared,
      ...(serving === undefined ? {} : { serving }),
      ...(baseline === undefined ? {} : { previous: datasetOf(baseline, onlyOr(baseline, split), 'baseline') }),
    })
  }
  return anomalies
}

function onlyOr(statistics: StatisticsBySplit, split: string): string {
  const splits = Object.keys(statistics)
  return splits.length === 1 ? splits[0]! : split
}

function datasetOf(statistics: StatisticsBySplit, split: string, input: string): DatasetFeatureStatistics {
  const dataset = Object.hasOwn(statistics, split) ? statistics[split]!.datasets?.[0] : undefined
  if (dataset !== undefined) return dataset
  throw new ZenmlError(
    'ZEN_VALIDATE_SPLIT',
    `The input "${input}" has no split "${split}", but ${Object.keys(statistics).join(', ') || 'none'}.`,
    { facts: { input, split }, next: 'Name splits that there are.', exitCode: 1 },
  )
}

/** What is wrong with one feature of one split. */
export interface ListedAnomaly {
  readonly split: string
  /** Its name; empty for the data set as a whole. */
  readonly feature: string
  readonly severity: AnomalySeverity
  /** Of the only reason, or "Multiple errors". */
  readonly summary: string
  readonly description: string
  readonly reasons: readonly AnomalyReason[]
}

/** All anomalies, those of a data set as a whole before those of its features. */
export function listAnomalies(bySplit: AnomaliesBySplit): readonly ListedAnomaly[] {
  return Object.entries(bySplit).flatMap(([split, { anomalyInfo = new Map(), datasetAnomalyInfo, dataMissing }]) => [
    ...(dataMissing === true ? [{ split, feature: '', ...noExamples }] : []),
    ...(datasetAnomalyInfo === undefined ? [] : [listed(split, '', datasetAnomalyInfo)]),
    ...[...anomalyInfo].map(([name, info]) =>
      listed(split, info.path?.step === undefined ? name : featureName(info.path.step), info),
    ),
  ])
}

const noExamples = {
  severity: 'ERROR',
  summary: 'No examples',
  description: 'There are no examples.',
  reasons: [],
} as const

function listed(split: string, feature: string, info: AnomalyInfo): ListedAnomaly {
  const { severity = 'UNKNOWN', shortDescription: summary = '', description = '', reason: reasons = [] } = info
  return { split, feature, severity, summary, description, reasons }
}
