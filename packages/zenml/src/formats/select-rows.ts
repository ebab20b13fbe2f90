import { bytesAt, type Column, type ExampleBatch, rowEnd, rowStart } from './batch.ts'

/** A batch of some rows of another, in the order given. */
export function selectRows(batch: ExampleBatch, rows: ArrayLike<number>): ExampleBatch {
  return {
    length: rows.length,
    columns: new Map([...batch.columns].map(([name, column]) => [name, selectColumn(column, rows)])),
  }
}

function selectColumn(column: Column, rows: ArrayLike<number>): Column {
  const values: number[] = []
  const offsets = new Uint32Array(rows.length + 1)
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    for (let value = rowStart(column, row); value < rowEnd(column, row); value++) values.push(value)
    offsets[index + 1] = values.length
  }
  const at = column.offsets === undefined ? {} : { offsets }
  if (column.kind === 'float')
    return { kind: 'float', values: Float32Array.from(values, (value) => column.values[value]!), ...at }
  if (column.kind === 'int') {
    const { big } = column
    return {
      kind: 'int',
      values: Float64Array.from(values, (value) => column.values[value]!),
      ...(big === undefined ? {} : { big: BigInt64Array.from(values, (value) => big[value]!) }),
      ...at,
    }
  }
  const parts = values.map((value) => bytesAt(column, value))
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  const ends = new Uint32Array(parts.length)
  let end = 0
  for (const [index, part] of parts.entries()) {
    data.set(part, end)
    end += part.length
    ends[index] = end
  }
  return { kind: 'bytes', data, ends, ...at }
}
