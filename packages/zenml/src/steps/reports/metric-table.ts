import { sixDigits } from '../feature-view.ts'
import { html, type Markup } from './html.ts'

/** A metric as it is shown. */
export interface Metric {
  readonly name: string
  readonly value: number | null
  /** Whether more is better; null where neither is, as of a bias. */
  readonly more: boolean | null
}

/** A metric with four significant digits; `-` where it cannot be told. */
export function shown(value: number | null): string {
  return value === null ? '-' : sixDigits(Number(value.toPrecision(4)))
}

/** Metrics below each other; with a baseline, its metrics of the same names and the change. */
export function metricTable(metrics: readonly Metric[], baseline?: readonly Metric[]): Markup {
  const rows = metrics.map(({ name, value, more }) => {
    const own = html`<th scope="row">${name}</th><td class="number">${value === null ? '-' : sixDigits(value)}</td>`
    if (baseline === undefined) return html`<tr>${own}</tr>`
    const other = baseline.find((metric) => metric.name === name)?.value ?? null
    const change = value === null || other === null ? null : value - other
    const kind = change === null || change === 0 || more === null ? 'quiet' : change > 0 === more ? 'fine' : 'error'
    const sign = change !== null && change > 0 ? '+' : ''
    return html`<tr>${own}<td class="number">${other === null ? '-' : sixDigits(other)}</td><td class="number ${kind}">${change === null ? '-' : `${sign}${sixDigits(change)}`}</td></tr>`
  })
  const head =
    baseline === undefined
      ? null
      : html`<th scope="col" class="number">Baseline</th><th scope="col" class="number">Change</th>`
  return html`<div class="card scroll"><table class="slim"><thead><tr><th scope="col">Metric</th><th scope="col" class="number">Value</th>${head}</tr></thead><tbody>
${rows}</tbody></table></div>`
}
