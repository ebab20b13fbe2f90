import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, type ParserError, parse } from 'parse5'
import { describe, expect, it } from 'vitest'
import { hexOf, sha256 } from '../../src/base/digest.ts'
import { runStep } from '../../src/define/run-step.ts'
import { batchOf } from '../../src/formats/batch-of.ts'
import type { EvaluationData, Report } from '../../src/formats/evaluation.ts'
import type { ExampleObject } from '../../src/formats/examples-reader.ts'
import type { StatisticsBySplit } from '../../src/formats/types.ts'
import { SplitStatistics } from '../../src/steps/feature-statistics.ts'
import { anomaliesPage } from '../../src/steps/reports/anomalies-page.ts'
import { histogramChart } from '../../src/steps/reports/charts.ts'
import { evaluationPage } from '../../src/steps/reports/evaluation-page.ts'
import { count, dataText, figure, html, share } from '../../src/steps/reports/html.ts'
import { statisticsPage } from '../../src/steps/reports/statistics-page.ts'
import { anomaliesReport, evaluationReport, statisticsReport } from '../../src/steps/reports.ts'
import { schemaOfSplits } from '../../src/steps/schema.ts'
import { validateSplits } from '../../src/steps/validate-splits.ts'

type Element = DefaultTreeAdapterTypes.Element

/** Parses a page as a browser does; every parse error fails. */
function elementsOf(text: string): Element[] {
  const problems: ParserError[] = []
  const document = parse(text, { onParseError: (error) => problems.push(error), sourceCodeLocationInfo: true })
  expect(problems).toEqual([])
  const found: Element[] = []
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if ('tagName' in node) found.push(node)
    if ('childNodes' in node) node.childNodes.forEach(visit)
  }
  visit(document)
  return found
}

/** What a report may be made of; anything else came from the data. */
const known = new Set(
  `html head meta title style body main h1 h2 h3 p ul li b i bdi br span section article header div table caption thead tbody tr th td a
   details summary wbr svg g path rect circle text`.split(/\s+/),
)

function checkPage(text: string): Element[] {
  const elements = elementsOf(text)
  for (const { tagName, attrs } of elements) {
    expect(known).toContain(tagName)
    for (const { name, value } of attrs) {
      expect(name).not.toMatch(/^(on|src|srcset|style|action|formaction|xlink)/)
      if (name === 'href') expect(value).toMatch(/^#f\d+$/)
    }
  }
  const names = elements.flatMap(({ attrs }) => attrs.filter(({ name }) => name === 'id').map(({ value }) => value))
  expect(new Set(names).size).toBe(names.length)
  for (const { attrs } of elements)
    for (const { name, value } of attrs) if (name === 'aria-labelledby') expect(names).toContain(value)
  return elements
}

function textOf(node: DefaultTreeAdapterTypes.Node): string {
  if ('value' in node) return node.value
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : ''
}

function statisticsOf(splits: { readonly [split: string]: readonly ExampleObject[] }): StatisticsBySplit {
  return Object.fromEntries(
    Object.entries(splits).map(([split, rows]) => {
      const batch = batchOf(rows)
      const gathered = new SplitStatistics(new Map([...batch.columns].map(([name, { kind }]) => [name, kind])))
      gathered.add(batch)
      return [split, { datasets: [gathered.finish()] }]
    }),
  )
}

const rows = Array.from({ length: 50 }, (_, index) => ({
  colour: ['red', 'green', 'blue'][index % 3]!,
  x: index / 4,
  n: index % 2 === 0 ? 0 : index,
}))
const facts = statisticsOf({ train: rows, eval: rows.slice(0, 20) })

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='x",
  ']]></style><style>*{}',
  '&lt;b&gt;',
]

const classified: Report = {
  kind: 'classification',
  rows: 4,
  accuracy: 0.75,
  logLoss: 0.5,
  rocAuc: null,
  confusion: [
    [2, 1],
    [0, 1],
  ],
  classes: hostile.slice(0, 2).map((name) => ({ name, precision: 1, recall: 0.5, f1: 0.6, rocAuc: null })),
  calibration: [
    { rows: 0, confidence: 0, accuracy: 0 },
    { rows: 4, confidence: 0.9, accuracy: 0.75 },
  ],
  calibrationError: 0.15,
}
const regressed: Report = {
  kind: 'regression',
  rows: 4,
  mae: 1,
  rmse: 2,
  r2: null,
  bias: -0.25,
  calibration: [
    { rows: 2, predicted: 1, actual: 1.5 },
    { rows: 2, predicted: 3, actual: 2 },
  ],
}
const evaluationOf = (overall: Report): EvaluationData => ({
  version: 1,
  split: hostile[0]!,
  overall,
  slices: hostile.map((value) => ({ feature: hostile[1]!, value, report: overall })),
})

describe('a report', () => {
  it('is a page that a browser reads without an error, with nothing but what it draws, and forbids all loading', () => {
    const pages = [
      statisticsPage('Points', facts, facts),
      anomaliesPage('Anomalies', validateSplits(facts, { feature: [{ name: 'x', type: 'INT' }] })),
      evaluationPage('Classes', evaluationOf(classified)),
      evaluationPage('Numbers', evaluationOf(regressed), evaluationOf({ ...regressed, mae: 2 })),
    ]
    for (const text of pages) {
      const elements = checkPage(text)
      const [policy] = elements.filter(({ attrs }) => attrs.some(({ value }) => value === 'Content-Security-Policy'))
      const content = policy!.attrs.find(({ name }) => name === 'content')!.value
      const style = elements.find(({ tagName }) => tagName === 'style')!
      const hash = Buffer.from(hexOf(sha256(textOf(style))), 'hex').toString('base64')
      expect(content).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`)
      expect(text).not.toMatch(/https?:|url\(|@import/)
    }
  })

  it('shows names and values of the data as text, whatever they are', () => {
    const row = (value: string): ExampleObject => Object.fromEntries(hostile.map((name) => [name, value]))
    const nasty = statisticsOf({ [hostile[3]!]: hostile.map(row), all: [row('a')] })
    const elements = checkPage(statisticsPage(hostile[0]!, nasty))
    const shown = elements.filter(({ tagName }) => tagName === 'bdi').map(textOf)
    for (const text of hostile) expect(shown).toContain(text)
    expect(textOf(elements.find(({ tagName }) => tagName === 'h1')!)).toBe(hostile[0])
    const schema = { ...schemaOfSplits(nasty, { split: 'all' }), datasetConstraints: { minExamplesCount: 3 } }
    const anomalies = checkPage(anomaliesPage(hostile[0]!, validateSplits(nasty, schema, { baseline: nasty })))
    expect(anomalies.map(textOf).join('')).toContain('Unexpected string values')
    expect(anomalies.map(textOf)).toContain('the data as a whole')
    checkPage(evaluationPage(hostile[0]!, evaluationOf(classified), evaluationOf(regressed)))
  })

  it('keeps any text as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const [bdi] = elementsOf(
          html`<!doctype html><html><head><title>${value}</title></head><body><p title="${value}">${dataText(value)}</p></body></html>`
            .text,
        ).filter(({ tagName }) => tagName === 'p')
        const expected = value.toWellFormed().replace(/(?![\t\n])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '\ufffd')
        expect(textOf(bdi!)).toBe(value === '' ? '(empty)' : expected)
        expect(bdi!.attrs[0]!.value).toBe(expected)
      }),
    )
  })

  it('has the same bytes for the same facts', async () => {
    const run = async () => {
      await using statistics = await runStep(statisticsReport, { inputs: { statistics: facts, baseline: facts } })
      await using anomalies = await runStep(anomaliesReport, {
        inputs: { anomalies: validateSplits(facts, schemaOfSplits(facts)) },
      })
      await using evaluation = await runStep(evaluationReport, {
        inputs: { evaluation: evaluationOf(classified), baseline: undefined },
        parameters: { title: 'Mine' },
      })
      return [statistics.outputs.report, anomalies.outputs.report, evaluation.outputs.report]
    }
    const first = await run()
    expect(await run()).toEqual(first)
    expect(first.map((text) => /<title>(.*)<\/title>/.exec(text)![1])).toEqual(['Statistics', 'Anomalies', 'Mine'])
  })

  it('of statistics has what a person looks for: rows, distributions of every split, quantiles, frequent values', () => {
    const elements = checkPage(statisticsPage('Points', facts))
    const cards = elements.filter(({ tagName }) => tagName === 'article')
    expect(cards).toHaveLength(3)
    const [colour, n] = cards.map(textOf)
    expect(colour).toMatch(/red\s*.*17 \(34%\)/)
    expect(n).toContain('Quantiles')
    expect(elements.filter(({ attrs }) => attrs.some(({ value }) => value === 'outline'))).toHaveLength(4)
    expect(elements.map(textOf)).toContain('mostly zero')
  })
})

describe('the report of an evaluation', () => {
  const named: Report = {
    ...classified,
    averagePrecision: 0.8125,
    classes: classified.classes.map((one, index) => ({ ...one, averagePrecision: [0.8, 0.825][index]! })),
    thresholds: {
      positive: hostile[1]!,
      table: [
        {
          ...{ threshold: 0.9, truePositives: 0, falsePositives: 0, falseNegatives: 1, trueNegatives: 3 },
          ...{ precision: null, recall: 0, f1: 0 },
        },
        {
          ...{ threshold: 0.25, truePositives: 1, falsePositives: 2, falseNegatives: 0, trueNegatives: 1 },
          ...{ precision: 1 / 3, recall: 1, f1: 0.5 },
        },
      ],
    },
  }
  const ranking = {
    ...{ query: hostile[0]!, queries: 1200, queriesWithoutRelevant: 1 },
    metrics: { map: 0.75, mrr: null, 'ndcg@10': 0.5, 'precision@1': 0.25 },
  }
  const ranked = { ...evaluationOf(named), ranking }
  const rowsOf = (text: string): string[] =>
    checkPage(text)
      .filter(({ tagName }) => tagName === 'tr')
      .map((row) => row.childNodes.map(textOf).join('|'))

  it('shows the average precision of the whole, of every class and of every slice', () => {
    const rows = rowsOf(evaluationPage('Classes', ranked))
    expect(rows).toContain('average precision|0.8125')
    expect(rows).toContain(`${hostile[0]}|1|0.5|0.6|-|0.8`)
    expect(rows).toContain(`${hostile[1]}|${hostile[4]}|4|0.75|-|0.8125|0.5|0.15`)
  })

  it('shows what each threshold would give, drawn in their order and as a table', () => {
    const text = evaluationPage('Classes', ranked)
    expect(rowsOf(text)).toContain('0.9|-|0|0|0|0|1|3')
    expect(rowsOf(text)).toContain('0.25|0.3333|1|0.5|1|2|0|1')
    const chart = checkPage(text).find(
      ({ tagName, childNodes }) => tagName === 'svg' && textOf(childNodes[0]!).startsWith('Precision, recall'),
    )!
    const recall = checkPage(text).filter(({ attrs }) => attrs.some(({ value }) => value === 'outline'))[1]!
    expect(textOf(chart)).not.toMatch(/NaN/)
    expect(recall.attrs.find(({ name }) => name === 'd')!.value).toBe('M116,10L282.4,280')
  })

  it('shows how the queries are ranked, beside a baseline that ranked those of the same feature', () => {
    const text = evaluationPage('Ranks', ranked, { ...ranked, ranking: { ...ranking, metrics: { map: 0.5, mrr: 1 } } })
    const rows = rowsOf(text)
    expect(rows).toEqual(expect.arrayContaining(['MAP|0.75|0.5|+0.25', 'MRR|-|1|-', 'NDCG@10|0.5|-|-']))
    expect(textOf(parse(text))).toContain(
      `Means over 1,200 queries of ${hostile[0]}; 1 without a relevant row is left out.`,
    )
    const other = evaluationPage('Ranks', ranked, { ...ranked, ranking: { ...ranking, query: 'another' } })
    expect(rowsOf(other)).toContain('MAP|0.75')
    expect(other).toContain('The baseline has no ranking by this feature')
  })

  it('of an evaluation before these metrics were told shows the others', () => {
    const text = evaluationPage('Classes', evaluationOf(classified), ranked)
    expect(rowsOf(text)).toContain('accuracy|0.75|0.75|0')
    expect(rowsOf(text)).toContain('average precision|-|0.8125|-')
    expect(text).not.toMatch(/id="(thresholds|ranking)"/)
  })
})

describe('a histogram', () => {
  it('is drawn for any finite buckets, and never with what is no number', () => {
    const bucket = fc
      .tuple(fc.double(), fc.double(), fc.nat())
      .map(([a, b, count]) => ({ low: Math.min(a, b), high: Math.max(a, b), count }))
    fc.assert(
      fc.property(fc.array(fc.array(bucket, { maxLength: 4 }), { maxLength: 3 }), (series) => {
        expect(histogramChart('x', series)?.text ?? '').not.toMatch(/NaN|Infinity/)
      }),
    )
    expect(histogramChart('x', [[{ low: -Infinity, high: Infinity, count: 3 }]])).toBeNull()
    expect(histogramChart('x', [[{ low: 0, high: 1e301, count: 3 }]])).toBeNull()
    expect(histogramChart('x', [[{ low: 7, high: 7, count: 3 }]])!.text).toContain('class="outline"')
  })
})

it('numbers are written for people', () => {
  expect([0, 999, 1000, -1234567].map(count)).toEqual(['0', '999', '1,000', '-1,234,567'])
  expect([0.5, 1565350, 1e20, Number.NaN].map(figure)).toEqual(['0.5', '1,565,350', '1e+20', 'nan'])
  expect([share(0, 0), share(0, 3), share(1, 3), share(3, 3), share(1, 1e6), share(1e6 - 1, 1e6)]).toEqual([
    ...['-', '0%', '33.3%', '100%', '<0.1%', '>99.9%'],
  ])
})
