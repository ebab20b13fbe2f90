import { sixDigits } from '../feature-view.ts'

/** Markup that is safe to put into a page. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What stands in a template: markup as it is, everything else as text. */
export type Part = Markup | string | number | readonly Part[] | null

/**
 * A piece of a page. Every value that is not markup is escaped, whether it becomes text or the value of a quoted attribute, so that nothing of
 * the data can become an element.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, literal, index) => text + written(parts[index - 1]!) + literal))
}

function written(part: Part): string {
  if (part === null) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(written).join('')
  return escaped(String(part))
}

const forbidden = /(?![\t\n])[\p{Cc}\p{Noncharacter_Code_Point}]/gu

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Controls, noncharacters and halves of surrogate pairs, which HTML does not allow, become U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(forbidden, '\ufffd')
}

/** A name or value of the data: its direction of writing stays its own, and a long one is cut. */
export function dataText(text: string, longest = 200): Markup {
  if (text === '') return html`<i class="quiet">(empty)</i>`
  const characters = [...text.slice(0, 2 * longest + 2)]
  const shown = characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text
  return html`<bdi>${shown}</bdi>`
}

/** A whole number with commas between thousands. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A whole number of which all digits are shown, or another with six significant ones. */
export function figure(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? count(value) : sixDigits(value)
}

/** A share as per cent with one digit; `-` of nothing. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '-'
  const percent = (100 * part) / whole
  if (part > 0 && percent < 0.05) return '<0.1%'
  if (part < whole && percent >= 99.95) return '>99.9%'
  return `${percent.toFixed(1).replace(/\.0$/, '')}%`
}
