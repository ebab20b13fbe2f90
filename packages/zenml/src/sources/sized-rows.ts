import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { batchOf, type Cell } from '../formats/examples.ts'
import type { Row } from './row.ts'

/** Gathers rows into batches that end by their number of rows or by the bytes in them, whichever comes first. */
export class SizedRows {
  private readonly kinds: { readonly [feature: string]: FeatureKind }
  private readonly batchSize: number
  private rows: Row[] = []
  private bytes = 0

  constructor(kinds: ReadonlyMap<string, FeatureKind>, batchSize: number) {
    this.kinds = Object.fromEntries(kinds)
    this.batchSize = batchSize
  }

  /** Adds a row whose large value has so many bytes; a full batch, where it completes one. */
  add(row: { readonly [feature: string]: Cell }, bytes: number): ExampleBatch | undefined {
    this.rows.push(row)
    this.bytes += bytes
    return this.rows.length >= this.batchSize || this.bytes >= batchBytes ? this.rest() : undefined
  }

  /** The rows since the last batch; undefined where there are none. */
  rest(): ExampleBatch | undefined {
    if (this.rows.length === 0) return undefined
    const batch = batchOf(this.rows, this.kinds)
    this.rows = []
    this.bytes = 0
    return batch
  }
}
