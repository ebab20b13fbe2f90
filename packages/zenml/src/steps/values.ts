import { type Column, rowEnd, rowStart } from '../formats/batch.ts'
import { textAt } from '../formats/examples.ts'

/** The class of a row; undefined where there is none. NaN is no class. */
export function labelWordAt(column: Column | undefined, row: number): string | undefined {
  if (column === undefined || column.kind === 'bytes') return wordAt(column, row)
  return numberAt(column, row) === undefined ? undefined : wordAt(column, row)
}

/** First value of a row as a number; undefined where there is none, or it is NaN. Of a text there is none. */
export function numberAt(column: Column | undefined, row: number): number | undefined {
  return numberOf(column, firstOf(column, row))
}

/**
 * First value of a row as a text; undefined where there is none. Numbers are written as JavaScript does, whole ones exactly.
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

/** A value by its index as a text; undefined for index -1. */
export function wordOf(column: Column | undefined, index: number): string | undefined {
  if (column === undefined || index < 0) return undefined
  if (column.kind === 'bytes') return textAt(column, index)
  // Identifiers beyond 2^53 must not fall together.
  return String(column.kind === 'int' && column.big !== undefined ? column.big[index] : column.values[index])
}
