import { type Column, type ExampleBatch, valueCount } from './batch.ts'

/**
 * One batch of the rows of several, which all have the same features of the same kinds; throws a `TypeError` where they do not.
 *
 * @example
 * concatBatches([batchOf([{ x: 1 }]), batchOf([{ x: 2 }])]).length // 2
 */
export function concatBatches(batches: readonly ExampleBatch[]): ExampleBatch {
  if (batches.length === 1) return batches[0]!
  const columns = new Map<string, Column>()
  for (const name of batches[0]?.columns.keys() ?? []) {
    const parts = batches.map(({ columns: from, length }) => {
      const column = from.get(name)
      if (column === undefined) throw new TypeError(`one of the batches has no feature ${JSON.stringify(name)}`)
      return { column, length }
    })
    columns.set(name, concatColumns(name, parts))
  }
  return { length: batches.reduce((sum, { length }) => sum + length, 0), columns }
}

interface Part {
  readonly column: Column
  readonly length: number
}

function concatColumns(name: string, parts: readonly Part[]): Column {
  const { kind } = parts[0]!.column
  const columns = parts.map(({ column }) => column)
  if (columns.some((column) => column.kind !== kind))
    throw new TypeError(`the feature ${JSON.stringify(name)} is not of one kind in all batches`)
  const count = columns.reduce((sum, column) => sum + valueCount(column), 0)
  const offsets = columns.every((column) => column.offsets === undefined) ? {} : { offsets: concatOffsets(parts) }
  if (kind === 'bytes') {
    const bytes = columns.filter((column) => column.kind === 'bytes')
    const data = new Uint8Array(bytes.reduce((sum, { ends }) => sum + (ends.at(-1) ?? 0), 0))
    const ends = new Uint32Array(count)
    let at = 0
    let end = 0
    for (const column of bytes) {
      const used = column.ends.at(-1) ?? 0
      data.set(column.data.subarray(0, used), end)
      for (const own of column.ends) ends[at++] = end + own
      end += used
    }
    return { kind, data, ends, ...offsets }
  }
  if (kind === 'float') {
    const values = new Float32Array(count)
    let at = 0
    for (const column of columns) {
      if (column.kind !== 'float') continue
      values.set(column.values, at)
      at += column.values.length
    }
    return { kind, values, ...offsets }
  }
  const ints = columns.filter((column) => column.kind === 'int')
  const values = new Float64Array(count)
  const big = ints.some((column) => column.big !== undefined) ? new BigInt64Array(count) : undefined
  let at = 0
  for (const column of ints) {
    values.set(column.values, at)
    if (big !== undefined)
      for (const [index, value] of column.values.entries()) big[at + index] = column.big?.[index] ?? BigInt(value)
    at += column.values.length
  }
  return { kind, values, ...(big === undefined ? {} : { big }), ...offsets }
}

function concatOffsets(parts: readonly Part[]): Uint32Array {
  const offsets = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0) + 1)
  let row = 0
  let value = 0
  for (const { column, length } of parts) {
    for (let own = 1; own <= length; own++) offsets[row + own] = value + (column.offsets?.[own] ?? own)
    row += length
    value += valueCount(column)
  }
  return offsets
}
