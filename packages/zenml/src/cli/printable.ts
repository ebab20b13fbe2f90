import type { Json } from '../base/json.ts'

/** A text of the data without what would move the cursor or end the line. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^\P{ASCII}$/u, '?'),
  )
}

/** A text of the data that fits into a cell. */
export function shortened(text: string, widest: number): string {
  const shown = printable(text)
  return shown.length > widest ? `${shown.slice(0, widest - 1)}…` : shown
}

/** A number in JSON; what JSON has no number for is a text, as in the JSON form of protocol buffers. */
export function numberInJson(value: number): Json {
  return Number.isFinite(value) ? value : String(value)
}

/** Lines of the data, each printable. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
