import type { ClassificationReport } from '../../formats/evaluation.ts'
import { legend, thresholdChart } from './charts.ts'
import { count, dataText, html, type Markup } from './html.ts'
import { shown } from './metric-table.ts'

const measures = [
  ['Precision', 'precision'],
  ['Recall', 'recall'],
  ['F1', 'f1'],
] as const
const counts = [
  ['True positives', 'truePositives'],
  ['False positives', 'falsePositives'],
  ['False negatives', 'falseNegatives'],
  ['True negatives', 'trueNegatives'],
] as const

/** What telling a class from each threshold on would give, drawn and as a table. */
export function thresholdsSection({ positive, table }: NonNullable<ClassificationReport['thresholds']>): Markup {
  const chart = thresholdChart(
    'Precision, recall and F1 by threshold',
    measures.map(([, key]) => table.map((row) => ({ threshold: row.threshold, value: row[key] }))),
  )
  const head = ['Threshold', ...[...measures, ...counts].map(([name]) => name)]
  const rows = table.map(
    (
      row,
    ) => html`<tr><th scope="row">${String(row.threshold)}</th>${measures.map(([, key]) => html`<td class="number">${shown(row[key])}</td>`)}${counts.map(([, key]) => html`<td class="number">${count(row[key])}</td>`)}</tr>
`,
  )
  return html`<section aria-labelledby="thresholds"><h2 id="thresholds">Thresholds</h2>
<p class="quiet">A row is told ${dataText(positive)} where the probability of it is at least the threshold.</p>
<div class="card columns"><div>${legend(measures.map(([name]) => name))}${chart}</div>
<div class="scroll"><table><thead><tr>${head.map((name, index) => html`<th scope="col"${index === 0 ? null : html` class="number"`}>${name}</th>`)}</tr></thead><tbody>
${rows}</tbody></table></div></div></section>`
}
