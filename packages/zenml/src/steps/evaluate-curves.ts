import type { ThresholdRow } from '../formats/evaluation.ts'

/** How scores order rows, of which some are positive. */
export interface ScoreAreas {
  /** Area under the ROC curve: the Mann-Whitney U statistic with ties counted half (Hanley and McNeil, 1982); null where a side is missing. */
  readonly rocAuc: number | null
  /** Σ (recall − recall before) × precision over the different scores from the highest on, as `average_precision_score` of scikit-learn; null without a positive row. */
  readonly averagePrecision: number | null
}

/** The areas under both curves, whatever the order of the rows. */
export function scoreAreas(
  rows: number,
  score: (row: number) => number,
  isPositive: (row: number) => boolean,
): ScoreAreas {
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => score(b) - score(a))
  let positives = 0
  for (let row = 0; row < rows; row++) if (isPositive(row)) positives++
  const negatives = rows - positives
  let found = 0
  let rankSum = 0
  let precisionSum = 0
  for (let start = 0; start < rows; ) {
    let end = start
    let own = 0
    for (; end < rows && score(order[end]!) === score(order[start]!); end++) if (isPositive(order[end]!)) own++
    // Ranks from the lowest score, which has 1; rows with the same score share the mean of theirs.
    rankSum += own * (rows - (start + end - 1) / 2)
    found += own
    precisionSum += own * (found / end)
    start = end
  }
  return {
    rocAuc:
      positives === 0 || negatives === 0
        ? null
        : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives),
    averagePrecision: positives === 0 ? null : precisionSum / positives,
  }
}

/** What telling the class where its probability is at least a threshold would give, for each threshold. */
export function thresholdTable(
  rows: number,
  score: (row: number) => number,
  isPositive: (row: number) => boolean,
  thresholds: readonly number[],
): ThresholdRow[] {
  return thresholds.map((threshold) => {
    const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 }
    for (let row = 0; row < rows; row++) {
      if (score(row) >= threshold) counts[isPositive(row) ? 'truePositives' : 'falsePositives']++
      else counts[isPositive(row) ? 'falseNegatives' : 'trueNegatives']++
    }
    const { truePositives, falsePositives, falseNegatives } = counts
    const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)
    return {
      threshold,
      ...counts,
      precision: share(truePositives, truePositives + falsePositives),
      recall: share(truePositives, truePositives + falseNegatives),
      f1: share(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    }
  })
}
