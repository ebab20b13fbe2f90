import type { Cell } from '../formats/examples.ts'

/** A row of a source: cells by feature name; what is absent is missing. */
export interface Row {
  readonly [feature: string]: Cell
}
