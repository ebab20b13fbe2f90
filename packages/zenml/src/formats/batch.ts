/**
 * A run of examples, column by column: how data moves between files, statistics, transforms and models without an object per
 * row. A feature that a row does not have is a row with no values; a feature with several values has them side by side.
 */
export interface ExampleBatch {
  /** Number of rows. */
  readonly length: number
  /** By feature name, in the order of the names' UTF-8 bytes. */
  readonly columns: ReadonlyMap<string, Column>
}

/** The three kinds of feature that `tf.train.Example` has. */
export type FeatureKind = 'int' | 'float' | 'bytes'

/** One feature of a batch. */
export type Column = IntColumn | FloatColumn | BytesColumn

interface Rows {
  /**
   * Where each row's values start: row r has the values `offsets[r]` to `offsets[r + 1] - 1`; length + 1 entries. Left out
   * where every row has exactly one value.
   */
  readonly offsets?: Uint32Array
}

/** 64-bit signed integers. */
export interface IntColumn extends Rows {
  readonly kind: 'int'
  /** The nearest double of each value: exact up to 2^53. */
  readonly values: Float64Array
  /** The exact values, present only where one of the batch is beyond 2^53 - 1. */
  readonly big?: BigInt64Array
}

/** 32-bit floats, as `tf.train.Example` has them. */
export interface FloatColumn extends Rows {
  readonly kind: 'float'
  readonly values: Float32Array
}

/** Byte strings; texts are UTF-8. */
export interface BytesColumn extends Rows {
  readonly kind: 'bytes'
  readonly data: Uint8Array
  /** Value v is `data[ends[v - 1] .. ends[v]]`, the first starting at 0. */
  readonly ends: Uint32Array
}

/**
 * Number of values (not rows) of a column.
 *
 * @example
 * valueCount(batchOf([{ tags: ['a', 'b'] }, { tags: [] }]).columns.get('tags')!) // 2
 */
export function valueCount(column: Column): number {
  return column.kind === 'bytes' ? column.ends.length : column.values.length
}

/**
 * Index of the first value of a row.
 *
 * @example
 * rowStart(batchOf([{ tags: ['a', 'b'] }, { tags: ['c'] }]).columns.get('tags')!, 1) // 2
 */
export function rowStart(column: Column, row: number): number {
  return column.offsets === undefined ? row : column.offsets[row]!
}

/**
 * Index after the last value of a row.
 *
 * @example
 * rowEnd(batchOf([{ tags: ['a', 'b'] }, { tags: ['c'] }]).columns.get('tags')!, 1) // 3
 */
export function rowEnd(column: Column, row: number): number {
  return column.offsets === undefined ? row + 1 : column.offsets[row + 1]!
}

/**
 * The bytes of one value, without a copy.
 *
 * @example
 * const column = batchOf([{ word: 'a' }, { word: 'bc' }]).columns.get('word')!
 * if (column.kind === 'bytes') console.log(bytesAt(column, 1)) // the bytes of "bc"
 */
export function bytesAt(column: BytesColumn, value: number): Uint8Array {
  return column.data.subarray(value === 0 ? 0 : column.ends[value - 1]!, column.ends[value]!)
}

/** Bytes of values that a batch gathers before it ends, whatever its number of rows: images and documents may be large. */
export const batchBytes: number = 16 << 20

/**
 * Bytes of the values of a batch, about as many as they take in memory.
 *
 * @example
 * bytesOfBatch(batchOf([{ x: 1 }, { x: 2 }])) // 16
 */
export function bytesOfBatch({ columns }: ExampleBatch): number {
  let bytes = 0
  for (const column of columns.values())
    bytes += column.kind === 'bytes' ? column.data.length + 16 * column.ends.length : 8 * column.values.length
  return bytes
}
