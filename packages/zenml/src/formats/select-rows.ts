import { type Column, type ExampleBatch, rowEnd, rowStart } from './batch.ts'
import { copyBytes } from './encode-examples.ts'

/**
 * A batch of some rows of another, in the order given.
 *
 * @example
 * selectRows(batchOf([{ x: 1 }, { x: 2 }, { x: 3 }]), [2, 0]).columns.get('x') // { kind: 'int', values: Float64Array.of(3, 1) }
 */
export function selectRows(batch: ExampleBatch, rows: ArrayLike<number>): ExampleBatch {
  return {
    length: rows.length,
    columns: new Map([...batch.columns].map(([name, column]) => [name, selectColumn(column, rows)])),
  }
}

function selectColumn(column: Column, rows: ArrayLike<number>): Column {
  const offsets = column.offsets === undefined ? undefined : offsetsOf(column, rows)
  const values = offsets === undefined ? rows : valuesOf(column, rows, offsets)
  const at = offsets === undefined ? {} : { offsets }
  const { length } = values
  if (column.kind === 'float') {
    const picked = new Float32Array(length)
    for (let index = 0; index < length; index++) picked[index] = column.values[values[index]!]!
    return { kind: 'float', values: picked, ...at }
  }
  if (column.kind === 'int') {
    const picked = new Float64Array(length)
    for (let index = 0; index < length; index++) picked[index] = column.values[values[index]!]!
    const { big } = column
    if (big === undefined) return { kind: 'int', values: picked, ...at }
    return { kind: 'int', values: picked, big: BigInt64Array.from(values, (value) => big[value]!), ...at }
  }
  const ends = new Uint32Array(length)
  let end = 0
  for (let index = 0; index < length; index++) {
    const value = values[index]!
    end += column.ends[value]! - (value === 0 ? 0 : column.ends[value - 1]!)
    ends[index] = end
  }
  const data = new Uint8Array(end)
  for (let index = 0; index < length; index++) {
    const start = index === 0 ? 0 : ends[index - 1]!
    const size = ends[index]! - start
    copyBytes(column.data, column.ends[values[index]!]! - size, size, data, start)
  }
  return { kind: 'bytes', data, ends, ...at }
}

function offsetsOf(column: Column, rows: ArrayLike<number>): Uint32Array {
  const offsets = new Uint32Array(rows.length + 1)
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    offsets[index + 1] = offsets[index]! + rowEnd(column, row) - rowStart(column, row)
  }
  return offsets
}

/** Places of the values of the rows. */
function valuesOf(column: Column, rows: ArrayLike<number>, offsets: Uint32Array): Uint32Array {
  const values = new Uint32Array(offsets[rows.length]!)
  for (let index = 0; index < rows.length; index++) {
    const start = rowStart(column, rows[index]!)
    const from = offsets[index]!
    for (let value = from; value < offsets[index + 1]!; value++) values[value] = start + value - from
  }
  return values
}
