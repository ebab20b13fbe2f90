import type { StatisticsBySplit } from '../formats/types.ts'
import { driftBetween, type FeatureDrift } from '../steps/drift.ts'
import { shortened } from './printable.ts'
import { number, table } from './table.ts'

/** The drift of every feature, by split. */
export interface SplitDrift {
  readonly [split: string]: readonly FeatureDrift[]
}

/** The drift of the splits that both have. */
export function driftBySplit(before: StatisticsBySplit, after: StatisticsBySplit): SplitDrift {
  return Object.fromEntries(
    Object.entries(before)
      .filter(([split]) => Object.hasOwn(after, split))
      .map(([split, { datasets }]) => [split, driftBetween(datasets?.[0] ?? {}, after[split]!.datasets?.[0] ?? {})]),
  )
}

/** The drift as a table, the largest of each split first. */
export function driftTable(drift: SplitDrift, bold: (text: string) => string): string {
  const rows = Object.entries(drift).flatMap(([split, features]) =>
    features
      .toSorted((a, b) => (b.lInfinity ?? b.jensenShannon) - (a.lInfinity ?? a.jensenShannon))
      .map(({ feature, lInfinity, value, jensenShannon }) => [
        ...[split, shortened(feature, 40), lInfinity === null ? '-' : number(lInfinity), number(jensenShannon)],
        value === null || lInfinity === 0 ? '' : shortened(value, 40),
      ]),
  )
  const header = ['SPLIT', 'FEATURE', 'L-INFINITY', 'JENSEN-SHANNON', 'VALUE THAT MOVED MOST']
  return table(header, rows, bold)
}
