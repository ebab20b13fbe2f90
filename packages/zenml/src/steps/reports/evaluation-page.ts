import type { ClassificationReport, EvaluationData, RegressionReport, Report } from '../../formats/evaluation.ts'
import { calibrationChart } from './charts.ts'
import { count, dataText, html, type Markup, share } from './html.ts'
import { type Metric, metricTable, shown } from './metric-table.ts'
import { page } from './page.ts'
import { rankingSection } from './ranking-section.ts'
import { thresholdsSection } from './thresholds-section.ts'

/** An evaluation as a page: metrics overall and by slice, ranking, confusion, thresholds, calibration; another evaluation beside it where there is one. */
export function evaluationPage(title: string, evaluation: EvaluationData, baseline?: EvaluationData): string {
  const { overall, ranking, slices, split } = evaluation
  return page(
    { title, about: `How well the model does on ${count(overall.rows)} rows of the split "${split}".` },
    html`<ul class="numbers">${metricsOf(overall)
      .slice(0, 5)
      .map(({ name, value }) => html`<li><b>${shown(value)}</b>${name}</li>`)}</ul>
<section aria-labelledby="metrics"><h2 id="metrics">Metrics</h2>${overallTable(overall, baseline?.overall)}</section>
${ranking === undefined ? null : rankingSection(ranking, baseline)}
${overall.kind === 'classification' ? classification(overall) : regression(overall)}
${slices.length === 0 ? null : html`<section aria-labelledby="slices"><h2 id="slices">Slices</h2>${sliceTable(evaluation)}</section>`}`,
  )
}

function metricsOf(report: Report): readonly Metric[] {
  if (report.kind === 'regression')
    return [
      { name: 'RMSE', value: report.rmse, more: false },
      { name: 'MAE', value: report.mae, more: false },
      { name: 'R²', value: report.r2, more: true },
      { name: 'bias', value: report.bias, more: null },
    ]
  return [
    { name: 'accuracy', value: report.accuracy, more: true },
    { name: 'ROC AUC', value: report.rocAuc, more: true },
    { name: 'average precision', value: report.averagePrecision ?? null, more: true },
    { name: 'log loss', value: report.logLoss, more: false },
    { name: 'calibration error', value: report.calibrationError, more: false },
  ]
}

function overallTable(overall: Report, baseline: Report | undefined): Markup {
  const isComparable = baseline?.kind === overall.kind
  return html`${metricTable(metricsOf(overall), isComparable ? metricsOf(baseline) : undefined)}${baseline === undefined || isComparable ? null : html`<p class="quiet">The baseline is of another kind of task, and is not compared.</p>`}`
}

function classification({ classes, confusion, calibration, thresholds }: ClassificationReport): Markup {
  const chart = calibrationChart(
    'How sure the model was, and how often it was right',
    calibration.map(({ confidence: said, accuracy: was, rows }) => ({ said, was, rows })),
    { said: 'how sure it was', was: 'how often it was right' },
    [0, 1],
  )
  return html`<section aria-labelledby="confusion"><h2 id="confusion">Confusion</h2>${confusionTable(classes, confusion)}</section>
<section aria-labelledby="classes"><h2 id="classes">Classes</h2>${classTable(classes)}</section>
${thresholds === undefined ? null : thresholdsSection(thresholds)}
<section aria-labelledby="calibration"><h2 id="calibration">Calibration</h2><div class="card columns"><div>${chart ?? html`<p class="quiet">Nothing to draw.</p>`}</div>
<div class="scroll">${calibrationTable(
    ['How sure it was', 'How often it was right'],
    calibration.map(({ confidence, accuracy, rows }) => [confidence, accuracy, rows]),
  )}</div></div></section>`
}

function regression({ calibration }: RegressionReport): Markup {
  const chart = calibrationChart(
    'Mean prediction and mean label',
    calibration.map(({ predicted: said, actual: was, rows }) => ({ said, was, rows })),
    { said: 'mean prediction', was: 'mean label' },
  )
  return html`<section aria-labelledby="calibration"><h2 id="calibration">Calibration</h2><div class="card columns"><div>${chart ?? html`<p class="quiet">Nothing to draw.</p>`}</div>
<div class="scroll">${calibrationTable(
    ['Mean prediction', 'Mean label'],
    calibration.map(({ predicted, actual, rows }) => [predicted, actual, rows]),
  )}</div></div></section>`
}

function calibrationTable(
  names: readonly [string, string],
  groups: readonly (readonly [said: number, was: number, rows: number])[],
): Markup {
  const rows = groups
    .filter(([, , rows]) => rows > 0)
    .map(
      ([
        said,
        was,
        rows,
      ]) => html`<tr>${[said, was].map((value) => html`<td class="number">${shown(value)}</td>`)}<td class="number">${count(rows)}</td></tr>
`,
    )
  return html`<table><thead><tr>${[...names, 'Rows'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`
}

function confusionTable(
  classes: ClassificationReport['classes'],
  confusion: ClassificationReport['confusion'],
): Markup {
  const names = classes.map(({ name }) => dataText(name, 60))
  const rows = confusion.map((row, actual) => {
    const total = row.reduce((sum, cell) => sum + cell, 0)
    const cells = row.map((cell) => {
      const shade = total === 0 ? 0 : Math.round((10 * cell) / total)
      return html`<td class="h${shade}">${count(cell)}<br><span class="quiet">${share(cell, total)}</span></td>`
    })
    return html`<tr><th scope="row">${names[actual]!}</th>${cells}</tr>
`
  })
  return html`<div class="card scroll"><table class="matrix"><caption>Rows are what was so, columns what the model said; shares are of the row.</caption><thead><tr><td></td>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
${rows}</tbody></table></div>`
}

function classTable(classes: ClassificationReport['classes']): Markup {
  const rows = classes.map(
    ({ name, precision, recall, f1, rocAuc, averagePrecision = null }) =>
      html`<tr><th scope="row">${dataText(name)}</th>${[precision, recall, f1, rocAuc, averagePrecision].map((value) => html`<td class="number">${shown(value)}</td>`)}</tr>
`,
  )
  const head = ['Precision', 'Recall', 'F1', 'ROC AUC', 'Average precision'].map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )
  return html`<div class="card scroll"><table><thead><tr><th scope="col">Class</th>${head}</tr></thead><tbody>
${rows}</tbody></table></div>`
}

function sliceTable({ overall, slices }: EvaluationData): Markup {
  const head = metricsOf(overall).map(({ name }) => html`<th scope="col" class="number">${name}</th>`)
  const row = (feature: Markup, value: Markup, report: Report): Markup =>
    html`<tr><th scope="row">${feature}</th><th scope="row">${value}</th><td class="number">${count(report.rows)}</td>${metricsOf(report).map((metric) => html`<td class="number">${shown(metric.value)}</td>`)}</tr>
`
  return html`<div class="card scroll"><table><thead><tr><th scope="col">Feature</th><th scope="col">Value</th><th scope="col" class="number">Rows</th>${head}</tr></thead><tbody>
${row(html`<i>all</i>`, html``, overall)}${slices.map(({ feature, value, report }) => row(dataText(feature), dataText(value), report))}</tbody></table></div>`
}
