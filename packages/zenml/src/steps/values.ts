import { type Column, rowEnd, rowStart } from '../formats/batch.ts'
import { textAt } from '../formats/examples.ts'

/** First value of a row as a number; undefined where there is none, or it is NaN. Of a text there is none. */
export function numberAt(column: Column | undefined, row: number): number | undefined {
  return numberOf(column, firstOf(column, row))
}

/**
 * First value of a row as a text; undefined where there is none, or it is NaN. Numbers are written as JavaScript does, whole ones exactly.
 *
 * @example
 * wordAt(batchOf([{ island: 'Dream' }]).columns.get('island'), 0) // 'Dream'
 */
export function wordAt(column: Column | undefined, row: number): string | undefined {
  return wordOf(column, firstOf(column, row))
}

/** Index of the first value of a row; -1 where there is none. */
function firstOf(column: Column | undefined, row: number): number {
  if (column === undefined) return -1
  const start = rowStart(column, row)
  return start === rowEnd(column, row) ? -1 : start
}

/** A value by its index as a number; undefined for index -1, NaN and texts. */
export function numberOf(column: Column | undefined, index: number): number | undefined {
  if (column === undefined || index < 0 || column.kind === 'bytes') return undefined
  const value = column.values[index]!
  return Number.isNaN(value) ? undefined : value
}

/** A value by its index as a text; undefined for index -1 and NaN, which no request can send to what serves a model. */
export function wordOf(column: Column | undefined, index: number): string | undefined {
  if (column === undefined || index < 0) return undefined
  if (column.kind === 'bytes') return textAt(column, index)
  if (Number.isNaN(column.values[index])) return undefined
  // Identifiers beyond 2^53 must not fall together.
  return String(column.kind === 'int' && column.big !== undefined ? column.big[index] : column.values[index])
}

/** Whether a row has a value that is not NaN. */
export function hasWord(column: Column, row: number): boolean {
  const end = rowEnd(column, row)
  let value = rowStart(column, row)
  if (column.kind === 'float') while (value < end && Number.isNaN(column.values[value])) value++
  return value < end
}

/** All values of a row as texts, but NaN. */
export function* wordsOf(column: Column, row: number): Generator<string, void, undefined> {
  for (let value = rowStart(column, row); value < rowEnd(column, row); value++) {
    const word = wordOf(column, value)
    if (word !== undefined) yield word
  }
}
