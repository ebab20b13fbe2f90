import { expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { classificationReport } from '../../src/steps/evaluate-metrics.ts'
import { type RankedQuery, rankingReport } from '../../src/steps/evaluate-ranking.ts'

const log = Math.log2

function metricsOf(relevances: number[], scores: number[], at: number[]): { [name: string]: number | null } {
  return rankingReport([{ relevances, scores }], 'q', at).metrics
}

it('the discounted gain is that of the example of ndcg_score in the manual of scikit-learn', () => {
  const relevances = [10, 0, 0, 1, 5]
  const scores = [0.1, 0.2, 0.3, 4, 70]
  // In the order of scores: 5, 1, 0, 0, 10; the ideal order is 10, 5, 1, 0, 0. The manual says 0.69, and 0.35 for the first four.
  const ideal = 10 + 5 / log(3) + 1 / 2
  const metrics = metricsOf(relevances, scores, [4, 5])
  expect(metrics['ndcg@5']).toBeCloseTo((5 + 1 / log(3) + 10 / log(6)) / ideal, 14)
  expect(metrics['ndcg@5']).toBeCloseTo(0.6956940443813076, 12)
  expect(metrics['ndcg@4']).toBeCloseTo((5 + 1 / log(3)) / ideal, 14)
  // Its second set of scores has ties, and the mean of both orders: 0.75 of the first one.
  const tied = metricsOf(relevances, [1, 0, 0, 0, 1], [1])
  expect(tied['ndcg@1']).toBeCloseTo(0.75, 14)
})

it('precision, the mean average precision and the reciprocal rank are what one counts by hand', () => {
  const first = { relevances: [0, 1, 0, 2, 0], scores: [5, 4, 3, 2, 1] }
  const second = { relevances: [1, 0], scores: [0.9, 0.1] }
  const without = { relevances: [0, 0, 0], scores: [3, 2, 1] }
  const report = rankingReport([first, second, without], 'session', [1, 2])
  expect(report).toMatchObject({ query: 'session', queries: 2, queriesWithoutRelevant: 1 })
  expect(report.metrics['map']).toBeCloseTo(((1 / 2 + 2 / 4) / 2 + 1) / 2, 14)
  expect(report.metrics['mrr']).toBeCloseTo((1 / 2 + 1) / 2, 14)
  expect(report.metrics['precision@1']).toBeCloseTo((0 + 1) / 2, 14)
  // Less rows than are looked at count as irrelevant.
  expect(report.metrics['precision@2']).toBeCloseTo((1 / 2 + 1 / 2) / 2, 14)
  expect(rankingReport([without], 'session', [1]).metrics).toEqual({
    map: null,
    mrr: null,
    'ndcg@1': null,
    'precision@1': null,
  })
})

it('rows of equal scores count as the mean of all their orders, for all metrics that look at ranks', () => {
  const orders = (rows: number[]): number[][] =>
    rows.length < 2
      ? [rows]
      : rows.flatMap((row) => orders(rows.filter((other) => other !== row)).map((rest) => [row, ...rest]))
  for (const relevances of [
    [1, 0, 0],
    [1, 1, 0, 0],
    [3, 0, 1, 0, 1],
    [0, 2, 1],
  ]) {
    const rows = relevances.map((_, row) => row)
    const all = orders(rows).map((order) =>
      metricsOf(
        order.map((row) => relevances[row]!),
        rows.map((row) => -row),
        [1, 2],
      ),
    )
    const tied = metricsOf(
      relevances,
      relevances.map(() => 0.5),
      [1, 2],
    )
    for (const name of ['mrr', 'ndcg@1', 'ndcg@2', 'precision@1', 'precision@2'])
      expect(tied[name], name).toBeCloseTo(all.reduce((sum, metrics) => sum + metrics[name]!, 0) / all.length, 12)
  }
})

it('the order of the rows changes no bit, and a relevance below 0 is an error', () => {
  const random = seededRandom('rows')
  const queries: RankedQuery[] = Array.from({ length: 20 }, () => {
    const rows = Array.from({ length: 30 }, () => [random.integer(4) / 3, random.integer(9) / 7])
    return { relevances: rows.map(([relevance]) => relevance!), scores: rows.map(([, score]) => score!) }
  })
  const mixed = queries.map(({ relevances, scores }) => {
    const order = Uint32Array.from({ length: 30 }, (_, row) => row)
    random.shuffle(order)
    return {
      relevances: Array.from(order, (row) => relevances[row]!),
      scores: Array.from(order, (row) => scores[row]!),
    }
  })
  expect(rankingReport(mixed, 'q', [1, 5, 100])).toEqual(rankingReport(queries, 'q', [1, 5, 100]))
  expect(() => metricsOf([1, -1], [0, 1], [1])).toThrow(expect.objectContaining({ code: 'ZEN_EVALUATE_NUMBERS' }))
})

it('the average precision is that of the example of average_precision_score in the manual of scikit-learn, ties together', () => {
  const scores = [0.1, 0.4, 0.35, 0.8]
  const report = classificationReport(
    [0, 0, 1, 1],
    scores.flatMap((score) => [1 - score, score]),
    ['no', 'yes'],
  )
  expect(report.classes[1]!.averagePrecision).toBeCloseTo(0.8333333333333333, 14)
  // For the other class 0.9, 0.65, 0.6, 0.2, of which the first and the third are right.
  expect(report.classes[0]!.averagePrecision).toBeCloseTo((1 + 2 / 3) / 2, 14)
  expect(report.averagePrecision).toBeCloseTo(0.8333333333333333, 14)
  const tied = classificationReport([1, 0, 1], [0.5, 0.5, 0.5, 0.5, 0.9, 0.1], ['no', 'yes'])
  // Both rows of the higher score are one step of precision 1/2; then 2/3.
  expect(tied.classes[1]!.averagePrecision).toBeCloseTo((1 / 2) * (1 / 2) + (1 / 2) * (2 / 3), 14)
  expect(classificationReport([0, 0], [1, 0, 1, 0], ['no', 'yes']).classes[1]!.averagePrecision).toBeNull()
})

it('by threshold the second of two classes is told where its probability is at least so much; of more, the one that is named', () => {
  const scores = [0.25, 0.5, 0.75, 1]
  const report = classificationReport(
    [0, 1, 0, 1],
    scores.flatMap((score) => [1 - score, score]),
    ['no', 'yes'],
    {
      thresholds: [0, 0.5, 0.75, 1],
    },
  )
  expect(report.thresholds).toEqual({
    positive: 'yes',
    table: [
      {
        threshold: 0,
        truePositives: 2,
        falsePositives: 2,
        falseNegatives: 0,
        trueNegatives: 0,
        precision: 1 / 2,
        recall: 1,
        f1: 2 / 3,
      },
      {
        threshold: 0.5,
        truePositives: 2,
        falsePositives: 1,
        falseNegatives: 0,
        trueNegatives: 1,
        precision: 2 / 3,
        recall: 1,
        f1: 4 / 5,
      },
      {
        threshold: 0.75,
        truePositives: 1,
        falsePositives: 1,
        falseNegatives: 1,
        trueNegatives: 1,
        precision: 1 / 2,
        recall: 1 / 2,
        f1: 1 / 2,
      },
      {
        threshold: 1,
        truePositives: 1,
        falsePositives: 0,
        falseNegatives: 1,
        trueNegatives: 2,
        precision: 1,
        recall: 1 / 2,
        f1: 2 / 3,
      },
    ],
  })
  const three = [0.2, 0.3, 0.5, 0.1, 0.1, 0.8]
  expect(classificationReport([0, 2], three, ['a', 'b', 'c']).thresholds).toBeUndefined()
  const named = classificationReport([0, 2], three, ['a', 'b', 'c'], { positive: 'c', thresholds: [0.6] }).thresholds
  expect(named).toMatchObject({ positive: 'c', table: [{ truePositives: 1, falsePositives: 0, trueNegatives: 1 }] })
  const none = classificationReport([0], [1, 0], ['a', 'b'], { thresholds: [0.5] }).thresholds
  expect(none!.table[0]).toMatchObject({ precision: null, recall: null, f1: null })
})
