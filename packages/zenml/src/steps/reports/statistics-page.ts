import type { StatisticsBySplit } from '../../formats/types.ts'
import { type FeatureFacts, factsOf } from '../feature-facts.ts'
import { sixDigits } from '../feature-view.ts'
import { histogramChart, legend, shareBar } from './charts.ts'
import { count, dataText, figure, html, type Markup, type Part, share } from './html.ts'
import { page } from './page.ts'

/** One split, or one of the earlier data. */
interface Series {
  readonly name: Markup
  readonly rows: number
  readonly features: ReadonlyMap<string, FeatureFacts>
}

/** Statistics as a page: an overview, and every feature with its distribution in each split; splits of earlier data beside them. */
export function statisticsPage(title: string, statistics: StatisticsBySplit, baseline?: StatisticsBySplit): string {
  const series = [...seriesOf(statistics, ''), ...(baseline === undefined ? [] : seriesOf(baseline, ' (baseline)'))]
  const names = [...new Set(series.flatMap(({ features }) => [...features.keys()]))]
  const rows = series.map(({ name, rows }) => html`<li><b>${count(rows)}</b>rows in ${name}</li>`)
  return page(
    { title, about: `Statistics of ${count(names.length)} features in ${count(series.length)} data sets.` },
    html`<ul class="numbers">${rows}</ul>
<section aria-labelledby="overview"><h2 id="overview">Overview</h2>${overview(names, series)}</section>
<section aria-labelledby="features"><h2 id="features">Features</h2>
${names.map((name, index) => card(name, index, series))}</section>`,
  )
}

function seriesOf(statistics: StatisticsBySplit, suffix: string): Series[] {
  return Object.entries(statistics).map(([split, { datasets }]) => {
    const dataset = datasets?.[0] ?? {}
    return {
      name: html`${dataText(split, 60)}${suffix}`,
      rows: dataset.numExamples ?? 0,
      features: new Map(factsOf(dataset).map((facts) => [facts.feature, facts])),
    }
  })
}

function overview(names: readonly string[], series: readonly Series[]): Markup {
  const rows = names.map((name, index) => {
    const facts = series.map(({ features }) => features.get(name))
    const kinds = [...new Set(facts.flatMap((found) => (found === undefined ? [] : [found.kind])))]
    const missing = facts.map((found) =>
      found === undefined ? '-' : share(found.missing, found.count + found.missing),
    )
    const remarks = [
      ...new Set(facts.flatMap((found) => (found === undefined ? ['not everywhere'] : remarksOn(found)))),
    ]
    return html`<tr><th scope="row"><a href="#f${index}">${dataText(name, 80)}</a></th><td>${kinds.join(', ')}</td><td>${(new Set(missing).size === 1 ? missing.slice(0, 1) : missing).join(' · ')}</td><td>${remarks.join(', ')}</td></tr>`
  })
  return html`<div class="card scroll"><table><caption>Missing: share of the rows without a value, where it is not the same in all, in the order of the data sets above.</caption><thead><tr><th scope="col">Feature</th><th scope="col">Kind</th><th scope="col">Missing</th><th scope="col">What stands out</th></tr></thead><tbody>
${rows}</tbody></table></div>`
}

/** What a person would look at first. */
function remarksOn({ count, missing, numbers, texts, valuesPerExample }: FeatureFacts): string[] {
  const values = count * valuesPerExample.mean
  return [
    ...(count === 0 ? ['no values'] : missing >= count ? ['mostly missing'] : []),
    ...(numbers !== null && numbers.min === numbers.max ? ['one value only'] : []),
    ...(texts?.unique === 1 ? ['one value only'] : []),
    ...(texts !== null && count > 1 && texts.unique >= values ? ['every value another'] : []),
    ...(numbers !== null && numbers.zeros >= values / 2 ? ['mostly zero'] : []),
    ...(numbers !== null && numbers.nan > 0 ? ['NaN'] : []),
    ...(numbers !== null && [numbers.min, numbers.max].some((end) => Math.abs(end) === Infinity) ? ['infinite'] : []),
  ]
}

function card(name: string, index: number, series: readonly Series[]): Markup {
  const found = series.map(({ features }) => features.get(name))
  const kinds = [...new Set(found.flatMap((facts) => (facts === undefined ? [] : [facts.kind])))]
  const isText = found.some((facts) => facts !== undefined && facts.texts !== null)
  return html`<article class="card" aria-labelledby="f${index}"><header><h3 id="f${index}">${dataText(name)}<span class="kind">${kinds.join(', ')}</span></h3></header>
${legend(series.map(({ name }) => name))}
${isText ? texts(found, series) : numbers(name, found, series)}</article>
`
}

type Found = readonly (FeatureFacts | undefined)[]

function numbers(name: string, found: Found, series: readonly Series[]): Markup {
  const chart = histogramChart(
    `Distribution of ${name.length > 80 ? 'the feature' : name}`,
    found.map((facts) => facts?.numbers?.histogram ?? []),
  )
  const measures: readonly (readonly [string, (facts: FeatureFacts) => Part])[] = [
    ['Rows', ({ count: rows }) => count(rows)],
    ['Missing', missingOf],
    ...(['mean', 'std', 'min', 'median', 'max'] as const).map(
      (measure): readonly [string, (facts: FeatureFacts) => Part] => [
        measure === 'std' ? 'Deviation' : `${measure[0]!.toUpperCase()}${measure.slice(1)}`,
        ({ numbers }) => (numbers === null ? '-' : figure(numbers[measure])),
      ],
    ),
    ['Zeros', ({ numbers }) => (numbers === null ? '-' : count(numbers.zeros))],
    ['NaN', ({ numbers }) => (numbers === null ? '-' : count(numbers.nan))],
    ...valuesMeasure(found),
  ]
  const quantiles = found.some((facts) => (facts?.numbers?.quantiles.length ?? 0) > 0)
  return html`${chart ?? html`<p class="quiet">No numbers to draw.</p>`}
<div class="scroll below">${measureTable(measures, found, series)}</div>
${quantiles ? html`<details class="below"><summary>Quantiles</summary><div class="scroll">${quantileTable(found, series)}</div></details>` : null}`
}

function missingOf({ count: rows, missing }: FeatureFacts): Part {
  return missing === 0 ? '0' : html`${count(missing)} (${share(missing, rows + missing)})`
}

/** How many values a row has, where some have another number than one. */
function valuesMeasure(found: Found): readonly (readonly [string, (facts: FeatureFacts) => Part])[] {
  const single = ({ count, valuesPerExample: { min, max } }: FeatureFacts): boolean =>
    count === 0 || (min === 1 && max === 1)
  if (found.every((facts) => facts === undefined || single(facts))) return []
  return [
    [
      'Values of a row',
      ({ valuesPerExample: { min, max, mean } }) => `${count(min)} to ${count(max)}, mean ${sixDigits(mean)}`,
    ],
  ]
}

function measureTable(
  measures: readonly (readonly [string, (facts: FeatureFacts) => Part])[],
  found: Found,
  series: readonly Series[],
): Markup {
  const head = measures.map(([label]) => html`<th scope="col" class="number">${label}</th>`)
  const rows = found.map((facts, index) => {
    const cells = measures.map(([, cell]) => html`<td class="number">${facts === undefined ? '-' : cell(facts)}</td>`)
    return html`<tr><th scope="row">${series[index]!.name}</th>${cells}</tr>
`
  })
  return html`<table><thead><tr><td></td>${head}</tr></thead><tbody>${rows}</tbody></table>`
}

function quantileTable(found: Found, series: readonly Series[]): Markup {
  const most = Math.max(...found.map((facts) => facts?.numbers?.quantiles.length ?? 0))
  const head = Array.from({ length: most }, (_, index) => `${Math.round((100 * index) / (most - 1))}%`)
  const rows = found.map((facts, index) => {
    const quantiles = facts?.numbers?.quantiles ?? []
    const cells = head.map((_, at) => {
      const value = quantiles.length === most ? quantiles[at] : undefined
      return html`<td class="number">${value === undefined ? '-' : figure(value)}</td>`
    })
    return html`<tr><th scope="row">${series[index]!.name}</th>${cells}</tr>`
  })
  return html`<table><thead><tr><td></td>${head.map((label) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`
}

/** Values that the bars show of each series. */
const shownValues = 10

function texts(found: Found, series: readonly Series[]): Markup {
  const measures: readonly (readonly [string, (facts: FeatureFacts) => Part])[] = [
    ['Rows', ({ count: rows }) => count(rows)],
    ['Missing', missingOf],
    ['Different', ({ texts }) => (texts === null ? '-' : count(texts.unique))],
    ['Mean bytes', ({ texts }) => (texts === null ? '-' : sixDigits(texts.meanLength))],
    ...valuesMeasure(found),
  ]
  return html`<div class="scroll">${valueTable(found, series)}</div>
<div class="scroll below">${measureTable(measures, found, series)}</div>`
}

function valueTable(found: Found, series: readonly Series[]): Markup {
  const tops = found.map((facts) => new Map((facts?.texts?.topValues ?? []).map(({ value, count }) => [value, count])))
  const values = [...new Set(tops.flatMap((top) => [...top.keys()].slice(0, shownValues)))]
  if (values.length === 0) return html`<p class="quiet">No values to count.</p>`
  const rows = values.map((value) => {
    const cells = tops.map((top, index) => {
      const times = top.get(value)
      const { count: rows = 0, valuesPerExample } = found[index] ?? {}
      const total = rows * (valuesPerExample?.mean ?? 0)
      const complete = (found[index]?.texts?.unique ?? 0) <= top.size
      if (times === undefined)
        return html`<td></td><td class="number">${complete ? '0' : html`<span class="quiet">rare</span>`}</td>`
      return html`<td>${shareBar(total === 0 ? 0 : times / total, index)}</td><td class="number">${count(times)} (${share(times, total)})</td>`
    })
    return html`<tr><th scope="row">${dataText(value, 60)}</th>${cells}</tr>
`
  })
  const head = series.map(({ name }) => html`<th scope="colgroup" colspan="2">${name}</th>`)
  return html`<table class="bars"><caption>The most frequent values, with their share of all values.</caption><thead><tr><th scope="col">Value</th>${head}</tr></thead><tbody>${rows}</tbody></table>`
}
