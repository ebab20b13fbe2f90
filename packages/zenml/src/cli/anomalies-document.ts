import type { JsonObject } from '../base/json.ts'
import type { AnomaliesBySplit } from '../formats/anomalies.ts'
import { featureName } from '../steps/feature-view.ts'
import type { ListedAnomaly } from '../steps/validate-splits.ts'
import { printable, shortened } from './printable.ts'
import { number, table } from './table.ts'
import type { Colors } from './terminal.ts'

/** A distance that was measured. */
export interface ListedDistance {
  readonly split: string
  readonly feature: string
  readonly from: 'drift' | 'skew'
  readonly measure: 'L_INFTY' | 'JENSEN_SHANNON_DIVERGENCE'
  readonly value: number
  readonly threshold: number
}

/** All distances, also those below their thresholds. */
export function distancesOf(bySplit: AnomaliesBySplit): readonly ListedDistance[] {
  return Object.entries(bySplit).flatMap(([split, { driftSkewInfo = [] }]) =>
    driftSkewInfo.flatMap(({ path, driftMeasurements = [], skewMeasurements = [] }) =>
      [
        ...driftMeasurements.map((measured) => ({ from: 'drift' as const, ...measured })),
        ...skewMeasurements.map((measured) => ({ from: 'skew' as const, ...measured })),
      ].map(({ from, type, value = 0, threshold = 0 }) => ({
        split,
        feature: featureName(path?.step ?? []),
        from,
        measure: type === 'L_INFTY' ? ('L_INFTY' as const) : ('JENSEN_SHANNON_DIVERGENCE' as const),
        value,
        threshold,
      })),
    ),
  )
}

/** The JSON of anomalies, as scripts know it. */
export function anomaliesDocument(
  anomalies: readonly ListedAnomaly[],
  distances: readonly ListedDistance[],
): JsonObject {
  return {
    anomalies: anomalies.map(({ split, feature, severity, summary, description, reasons }) => ({
      split,
      feature: feature === '' ? null : feature,
      severity,
      summary,
      description,
      reasons: reasons.map(({ type, shortDescription: summary = '', description = '' }) => ({
        type: type ?? 'UNKNOWN_TYPE',
        summary,
        description,
      })),
    })),
    distances: distances.map((distance) => ({ ...distance })),
  }
}

/** Anomalies as a table, a line a reason, and the distances that were measured. */
export function anomaliesText(
  splits: readonly string[],
  anomalies: readonly ListedAnomaly[],
  distances: readonly ListedDistance[],
  { bold, red, yellow }: Pick<Colors, 'bold' | 'red' | 'yellow'>,
): string {
  const parts: string[] = []
  if (anomalies.length === 0) parts.push(`No anomalies in ${splits.map(printable).join(', ')}.`)
  else {
    const rows = anomalies.flatMap(({ split, feature, severity, summary, description, reasons }) =>
      (reasons.length > 0 ? reasons : [{ shortDescription: summary, description }]).map((reason) => [
        printable(split),
        feature === '' ? '(all)' : shortened(feature, 40),
        severity,
        ('type' in reason && reason.type) || '-',
        printable(reason.shortDescription ?? ''),
        shortened(reason.description ?? '', 500),
      ]),
    )
    parts.push(table(['SPLIT', 'FEATURE', 'SEVERITY', 'KIND', 'SUMMARY', 'DESCRIPTION'], rows, bold))
  }
  if (distances.length > 0) {
    const rows = distances.map(({ split, feature, from, measure, value, threshold }) => [
      ...[printable(split), shortened(feature, 40), from, measure, number(value), number(threshold)],
    ])
    parts.push(table(['SPLIT', 'FEATURE', 'OF', 'DISTANCE', 'VALUE', 'LIMIT'], rows, bold))
  }
  const errors = anomalies.filter(({ severity }) => severity === 'ERROR').length
  if (anomalies.length > 0) {
    const count = (many: number, noun: string): string => `${many} feature${many === 1 ? '' : 's'} with ${noun}s`
    const others = anomalies.length - errors
    parts.push(
      [
        ...(errors === 0 ? [] : [red(count(errors, 'error'))]),
        ...(others === 0 ? [] : [yellow(count(others, 'warning'))]),
      ].join(', '),
    )
  }
  return parts.join('\n\n')
}
