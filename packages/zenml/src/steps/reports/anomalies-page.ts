import type { AnomaliesBySplit } from '../../formats/anomalies.ts'
import { featureName, sixDigits } from '../feature-view.ts'
import { type ListedAnomaly, listAnomalies } from '../validate-splits.ts'
import { shareBar } from './charts.ts'
import { count, dataText, html, type Markup } from './html.ts'
import { page } from './page.ts'

/** Anomalies as a page: how many of which severity, each with its reasons, and the distances that were measured. */
export function anomaliesPage(title: string, anomalies: AnomaliesBySplit): string {
  const found = listAnomalies(anomalies)
  const splits = Object.keys(anomalies)
  const errors = found.filter(({ severity }) => severity === 'ERROR').length
  const numbers = [
    html`<li><b class="${errors > 0 ? 'error' : 'fine'}">${count(errors)}</b>features with errors</li>`,
    html`<li><b class="${found.length > errors ? 'warning' : 'fine'}">${count(found.length - errors)}</b>with warnings</li>`,
    html`<li><b>${count(splits.length)}</b>${splits.length === 1 ? 'split' : 'splits'} validated</li>`,
  ]
  return page(
    { title, about: 'What the data and its schema do not agree in.' },
    html`<ul class="numbers">${numbers}</ul>
${splits.map((split, index) => section(split, index, found, anomalies))}`,
  )
}

function section(split: string, index: number, found: readonly ListedAnomaly[], anomalies: AnomaliesBySplit): Markup {
  const own = found.filter((anomaly) => anomaly.split === split)
  const table =
    own.length === 0
      ? html`<p class="card"><span class="badge fine">no anomalies</span></p>`
      : html`<div class="card scroll"><table><thead><tr><th scope="col">Feature</th><th scope="col">Severity</th><th scope="col">Anomaly</th><th scope="col">What was found</th></tr></thead><tbody>
${own.flatMap(rowsOf)}</tbody></table></div>`
  return html`<section aria-labelledby="s${index}"><h2 id="s${index}">${dataText(split)}</h2>
${table}
${distances(anomalies[split]!)}</section>
`
}

function rowsOf({ feature, severity, summary, description, reasons }: ListedAnomaly): Markup[] {
  const all = reasons.length > 0 ? reasons : [{ shortDescription: summary, description }]
  const kind = severity === 'ERROR' ? 'error' : 'warning'
  return all.map((reason, index) => {
    const first =
      index > 0
        ? null
        : html`<th scope="rowgroup" rowspan="${all.length}">${feature === '' ? html`<i>the data as a whole</i>` : dataText(feature)}</th><td rowspan="${all.length}"><span class="badge ${kind}">${severity.toLowerCase()}</span></td>`
    const code = 'type' in reason ? (reason.type ?? '') : ''
    return html`<tr>${first}<td>${reason.shortDescription ?? ''}<br><span class="quiet small">${code.split('_').map((word, at) => (at === 0 ? word : html`_<wbr>${word}`))}</span></td><td>${dataText(reason.description ?? '', 1000)}</td></tr>
`
  })
}

function distances({ driftSkewInfo = [] }: AnomaliesBySplit[string]): Markup | null {
  const rows = driftSkewInfo.flatMap(({ path, driftMeasurements = [], skewMeasurements = [] }) =>
    [
      ...driftMeasurements.map((one) => ['drift', one] as const),
      ...skewMeasurements.map((one) => ['skew', one] as const),
    ].map(
      ([from, { type, value = 0, threshold = 0 }]) =>
        html`<tr><th scope="row">${dataText(featureName(path?.step ?? []))}</th><td>${from}</td><td>${type === 'L_INFTY' ? 'L-infinity' : 'Jensen-Shannon divergence'}</td><td>${shareBar(value, value > threshold ? 6 : 0)}</td><td class="number">${sixDigits(value)}</td><td class="number">${sixDigits(threshold)}</td><td>${value > threshold ? html`<span class="badge error">above</span>` : html`<span class="badge fine">within</span>`}</td></tr>
`,
    ),
  )
  if (rows.length === 0) return null
  return html`<div class="card scroll"><table class="bars"><caption>Distances from earlier data (drift) and from that of serving (skew).</caption><thead><tr><th scope="col">Feature</th><th scope="col">Of</th><th scope="col">Distance</th><td></td><th scope="col" class="number">Value</th><th scope="col" class="number">Limit</th><td></td></tr></thead><tbody>
${rows}</tbody></table></div>`
}
