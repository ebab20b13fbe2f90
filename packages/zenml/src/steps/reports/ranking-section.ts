import type { EvaluationData, RankingReport } from '../../formats/evaluation.ts'
import { count, dataText, html, type Markup } from './html.ts'
import { type Metric, metricTable } from './metric-table.ts'

/** How well the rows of each query are ordered; the baseline beside it where that ranked the queries of the same feature. */
export function rankingSection(ranking: RankingReport, baseline: EvaluationData | undefined): Markup {
  const { query, queries, queriesWithoutRelevant } = ranking
  const before = baseline?.ranking?.query === query ? baseline.ranking : undefined
  const left =
    queriesWithoutRelevant === 0
      ? null
      : html`; ${count(queriesWithoutRelevant)} without a relevant row ${queriesWithoutRelevant === 1 ? 'is' : 'are'} left out`
  return html`<section aria-labelledby="ranking"><h2 id="ranking">Ranking</h2>
<p class="quiet">Means over ${count(queries)} ${queries === 1 ? 'query' : 'queries'} of ${dataText(query)}${left}.</p>
${metricTable(metricsOf(ranking), before && metricsOf(before))}${
  baseline === undefined || before !== undefined
    ? null
    : html`<p class="quiet">The baseline has no ranking by this feature, and is not compared.</p>`
}</section>`
}

function metricsOf({ metrics }: RankingReport): readonly Metric[] {
  return Object.entries(metrics).map(([name, value]) => ({
    name: name.replace(/^(?:map|mrr|ndcg)/, (word) => word.toUpperCase()),
    value,
    more: true,
  }))
}
