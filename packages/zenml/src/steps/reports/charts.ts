import { type ScaleLinear, scaleLinear } from 'd3-scale'
import { area, curveStepAfter, line } from 'd3-shape'
import { html, type Markup, type Part } from './html.ts'
import { seriesColours } from './style.ts'

/** The class that colours a series. */
export function seriesClass(series: number): string {
  return `s${series % seriesColours}`
}

/** Which colour is which series; nothing where there is only one. */
export function legend(names: readonly Part[]): Markup | null {
  if (names.length < 2) return null
  const items = names.map(
    (name, index) =>
      html`<li><svg class="${seriesClass(index)}" viewBox="0 0 12 12" aria-hidden="true"><rect class="solid" width="12" height="12" rx="3"/></svg>${name}</li>`,
  )
  return html`<ul class="legend">${items}</ul>`
}

/** A bucket of a histogram. */
export interface Bar {
  readonly low: number
  readonly high: number
  readonly count: number
}

const width = 760
const height = 160
const margin = { top: 8, right: 12, bottom: 24, left: 12 }
const floor = height - margin.bottom

/**
 * Histograms over one axis, each of a series: the areas are shares of the series, so that large and small ones can be compared whatever
 * their buckets. Buckets that end beyond 1e300 are left out. Null where no bucket is left.
 */
export function histogramChart(title: string, series: readonly (readonly Bar[])[]): Markup | null {
  const bars = series.map((all) => all.filter(({ low, high }) => drawn(low) && drawn(high)))
  const ends = bars.flat().flatMap(({ low, high }) => [low, high])
  if (ends.length === 0) return null
  const [least, most] = [Math.min(...ends), Math.max(...ends)]
  const span = most - least
  // One value, or several that lie together.
  const pad = span > 1e-290 ? 0 : Math.max(0.5, Math.abs(least) * 1e-6)
  const x = scaleLinear([least - pad, most + pad], [margin.left, width - margin.right])
  const thinnest = (pad > 0 ? 2 * pad : span) / 120
  const shapes = bars.map((all) => outlineOf(all, thinnest))
  const highest = Math.max(...shapes.flat().map(([, density]) => density))
  const y = scaleLinear([0, highest > 0 ? highest : 1], [floor, margin.top])
  const fill = area<Point>(
    ([at]) => x(at),
    floor,
    ([, density]) => y(density),
  ).curve(curveStepAfter)
  const outline = line<Point>(
    ([at]) => x(at),
    ([, density]) => y(density),
  ).curve(curveStepAfter)
  const areas = shapes.map((points, index) =>
    points.length === 0
      ? null
      : html`<g class="${seriesClass(index)}"><path class="fill" d="${fill(points)}"/><path class="outline" d="${outline(points)}"/></g>`,
  )
  return chart(title, html`${areas}${axis(x, floor, 8)}`)
}

/** Geometry of larger numbers would overflow. */
function drawn(value: number): boolean {
  return Math.abs(value) <= 1e300
}

type Point = readonly [at: number, density: number]

/** The upper edge of a histogram from left to right, from 0 and back to it. */
function outlineOf(bars: readonly Bar[], thinnest: number): Point[] {
  const total = bars.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return []
  const points: Point[] = []
  let end = Number.NEGATIVE_INFINITY
  for (const { low, high, count } of bars) {
    const thin = high - low < thinnest
    const [from, to] =
      thin && count > 0 ? [(low + high) / 2 - thinnest / 2, (low + high) / 2 + thinnest / 2] : [low, high]
    if (thin && count === 0) continue
    if (end < from) points.push([Number.isFinite(end) ? end : from, 0], [from, 0])
    points.push([from, count / total / (to - from)])
    end = to
  }
  return [...points, [end, 0]]
}

function axis(x: ScaleLinear<number, number>, at: number, ticksWanted: number): Markup {
  const format = x.tickFormat(ticksWanted)
  const [from, to] = x.range() as [number, number]
  const ticks = x.ticks(ticksWanted).map((tick) => {
    const place = x(tick)
    // At the ends a label would be cut off.
    const anchor = place - from < 14 ? 'start' : to - place < 14 ? 'end' : 'middle'
    return html`<path class="axis" d="M${round(place)},${at}v4"/><text x="${round(place)}" y="${at + 16}" text-anchor="${anchor}">${format(tick)}</text>`
  })
  return html`<path class="axis" d="M${from},${at}H${to}"/>${ticks}`
}

function chart(title: string, inner: Markup, [w, h]: readonly [number, number] = [width, height]): Markup {
  return html`<svg role="img" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" preserveAspectRatio="xMinYMin meet"><title>${title}</title>${inner}</svg>`
}

/** A share as a bar, for a cell of a table that says the number too. */
export function shareBar(value: number, series: number): Markup {
  const length = Math.max(0, Math.min(1, value)) * 120
  return html`<svg class="${seriesClass(series)}" viewBox="0 0 120 10" width="120" height="10" aria-hidden="true"><rect class="fill" width="120" height="10" rx="2"/><rect class="solid" width="${round(length)}" height="10" rx="2"/></svg>`
}

/** A point of a calibration curve. */
export interface CalibrationPoint {
  /** What the model said. */
  readonly said: number
  /** What was so. */
  readonly was: number
  readonly rows: number
}

const size = 320
const inset = { left: 52, bottom: 40, top: 10, right: 12 }

/** What a model said against what was so; on the dashed line both are equal. The size of a point grows with its rows. */
export function calibrationChart(
  title: string,
  points: readonly CalibrationPoint[],
  labels: { readonly said: string; readonly was: string },
  domain?: readonly [number, number],
): Markup | null {
  const shown = points.filter(({ rows, said, was }) => rows > 0 && drawn(said) && drawn(was))
  if (shown.length === 0) return null
  const values = shown.flatMap(({ said, was }) => [said, was])
  const [least, most] = domain ?? [Math.min(...values), Math.max(...values)]
  const ends: [number, number] = least < most ? [least, most] : [least - 0.5, most + 0.5]
  const [x, y] = squareScales(ends)
  if (domain === undefined) for (const scale of [x, y]) scale.nice()
  const [low, high] = x.domain() as [number, number]
  const largest = Math.max(...shown.map(({ rows }) => rows))
  const path = line<CalibrationPoint>(
    ({ said }) => x(said),
    ({ was }) => y(was),
  )
  const dots = shown.map(
    ({ said, was, rows: many }) =>
      html`<circle class="solid" cx="${round(x(said))}" cy="${round(y(was))}" r="${round(2.5 + 4.5 * Math.sqrt(many / largest))}"/>`,
  )
  return squareChart(
    title,
    [x, y],
    html`<path class="guide" d="M${round(x(low))},${round(y(low))}L${round(x(high))},${round(y(high))}"/><g class="s0"><path class="outline" d="${path(shown)}"/>${dots}</g><text transform="translate(12,${(size - inset.bottom) / 2}) rotate(-90)" text-anchor="middle">${labels.was}</text>`,
    labels.said,
  )
}

/** A measure where a threshold is; null where it cannot be told. */
export interface ThresholdPoint {
  readonly threshold: number
  readonly value: number | null
}

/** Measures from 0 to 1 by threshold, a line each, which has a gap where a measure cannot be told. */
export function thresholdChart(title: string, series: readonly (readonly ThresholdPoint[])[]): Markup {
  const [x, y] = squareScales([0, 1])
  const path = line<ThresholdPoint>(
    ({ threshold }) => x(threshold),
    ({ value }) => y(value ?? 0),
  ).defined(({ value }) => value !== null)
  const lines = series.map((points, index) => {
    const sorted = [...points].sort((a, b) => a.threshold - b.threshold)
    const dots = sorted.map(({ threshold, value }) =>
      value === null ? null : html`<circle class="solid" cx="${round(x(threshold))}" cy="${round(y(value))}" r="2.5"/>`,
    )
    return html`<g class="${seriesClass(index)}"><path class="outline" d="${path(sorted) ?? ''}"/>${dots}</g>`
  })
  return squareChart(title, [x, y], html`${lines}`, 'threshold')
}

type Scale = ScaleLinear<number, number>

function squareScales(ends: readonly [number, number]): readonly [x: Scale, y: Scale] {
  return [scaleLinear(ends, [inset.left, size - inset.right]), scaleLinear(ends, [size - inset.bottom, inset.top])]
}

function squareChart(title: string, [x, y]: readonly [Scale, Scale], inner: Markup, label: string): Markup {
  const format = y.tickFormat(5)
  const rows = y
    .ticks(5)
    .map(
      (tick) =>
        html`<path class="axis" d="M${inset.left},${round(y(tick))}H${size - inset.right}"/><text x="${inset.left - 6}" y="${round(y(tick) + 4)}" text-anchor="end">${format(tick)}</text>`,
    )
  return chart(
    title,
    html`${rows}${axis(x, size - inset.bottom, 5)}${inner}<text x="${(inset.left + size) / 2}" y="${size - 6}" text-anchor="middle">${label}</text>`,
    [size, size],
  )
}

/** Two digits of a pixel are enough, and keep files small. */
function round(value: number): number {
  return Math.round(value * 100) / 100
}
