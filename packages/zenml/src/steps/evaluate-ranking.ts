import { ZenmlError } from '../base/errors.ts'
import { Sum } from '../base/sum.ts'
import type { RankingReport } from '../formats/evaluation.ts'
import { scoreAreas } from './evaluate-curves.ts'

/** The rows of a query: how relevant each is, and how high it was scored. */
export interface RankedQuery {
  readonly relevances: ArrayLike<number>
  readonly scores: ArrayLike<number>
}

/**
 * How well scores order the rows of each query; the mean over the queries that have a relevant row, those with a relevance above 0. Rows of equal scores
 * count as all of their orders would on average, so that the order of the rows does not matter.
 *
 * `ndcg@k` as `ndcg_score` of scikit-learn: gain is the relevance itself, discounted by log2(rank + 1) (Järvelin and Kekäläinen, 2002; ties as McSherry and
 * Najork, 2008). `map` is the mean of `average_precision_score`, `mrr` of 1 / rank of the first relevant row, `precision@k` of relevant rows among the first k.
 * Throws `ZEN_EVALUATE_NUMBERS` for a relevance below 0.
 *
 * @example
 * rankingReport([{ relevances: [0, 1], scores: [0.9, 0.5] }], 'session', [1]).metrics.mrr // 0.5
 */
export function rankingReport(queries: readonly RankedQuery[], query: string, at: readonly number[]): RankingReport {
  const sums = new Map<string, Sum>()
  let counted = 0
  for (const { relevances, scores } of queries) {
    const groups = groupsOf(relevances, scores)
    if (groups.every(({ relevant }) => relevant === 0)) continue
    counted++
    const rows = scores.length
    const { averagePrecision } = scoreAreas(
      rows,
      (row) => scores[row]!,
      (row) => relevances[row]! > 0,
    )
    const metrics = [
      ['map', averagePrecision!],
      ['mrr', reciprocalRank(groups)],
      ...at.map((most) => [`ndcg@${most}`, gainOf(groups, most) / idealGain(relevances, most)] as const),
      ...at.map((most) => [`precision@${most}`, relevantAmong(groups, most) / most] as const),
    ] as const
    for (const [name, value] of metrics) {
      const sum = sums.get(name) ?? new Sum()
      sum.add(value)
      sums.set(name, sum)
    }
  }
  const names = ['map', 'mrr', ...at.map((most) => `ndcg@${most}`), ...at.map((most) => `precision@${most}`)]
  return {
    query,
    queries: counted,
    queriesWithoutRelevant: queries.length - counted,
    metrics: Object.fromEntries(names.map((name) => [name, counted === 0 ? null : sums.get(name)!.value() / counted])),
  }
}

/** Rows of one score, from rank `from` (counted from 0) to before `to`. */
interface Group {
  readonly from: number
  readonly to: number
  readonly relevant: number
  /** Sum of their relevances. */
  readonly gain: number
}

/** The groups from the highest score on. */
function groupsOf(relevances: ArrayLike<number>, scores: ArrayLike<number>): Group[] {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row)
  // Of equal scores by relevance, so that sums do not depend on the order of the rows.
  order.sort((a, b) => scores[b]! - scores[a]! || relevances[b]! - relevances[a]!)
  const groups: Group[] = []
  for (let from = 0; from < order.length; ) {
    let [to, relevant, gain] = [from, 0, 0]
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) {
      const relevance = relevances[order[to]!]!
      if (!(relevance >= 0)) throw negative(relevance)
      if (relevance > 0) relevant++
      gain += relevance
    }
    groups.push({ from, to, relevant, gain })
    from = to
  }
  return groups
}

/** The discounted gain of the first rows: each row of a group has its mean relevance. */
function gainOf(groups: readonly Group[], most: number): number {
  let total = 0
  for (const { from, to, gain } of groups) {
    let discounts = 0
    for (let rank = from; rank < Math.min(to, most); rank++) discounts += 1 / Math.log2(rank + 2)
    total += (gain / (to - from)) * discounts
  }
  return total
}

function idealGain(relevances: ArrayLike<number>, most: number): number {
  return gainOf(groupsOf(relevances, relevances), most)
}

function relevantAmong(groups: readonly Group[], most: number): number {
  let total = 0
  for (const { from, to, relevant } of groups)
    total += (relevant * Math.max(0, Math.min(to, most) - from)) / (to - from)
  return total
}

/** Of the first group with a relevant row: the mean of 1 / rank over the places that the first of its relevant rows may have. */
function reciprocalRank(groups: readonly Group[]): number {
  const { from, to, relevant } = groups.find((group) => group.relevant > 0)!
  const rows = to - from
  let total = 0
  let chance = relevant / rows
  for (let place = 1; place <= rows - relevant + 1; place++) {
    total += chance / (from + place)
    chance *= (rows - place - relevant + 1) / (rows - place)
  }
  return total
}

function negative(relevance: number): ZenmlError {
  return new ZenmlError('ZEN_EVALUATE_NUMBERS', `A row has the relevance ${relevance}, which must be 0 or more.`, {
    next: 'Take a label that says how relevant a row is, or leave out "ranking".',
    exitCode: 1,
  })
}
