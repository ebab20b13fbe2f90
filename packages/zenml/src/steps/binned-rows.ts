import { Quantiles, valueAtRank } from '../base/quantiles.ts'
import type { MatrixBlocks } from './matrix-blocks.ts'

/** Values are looked at in stretches of this length, wherever blocks end. */
const stretch = 1 << 14

/** Rows whose numbers are replaced by the bin that they fall in: a byte a number. */
export interface BinnedRows {
  readonly rows: number
  readonly width: number
  /** Number by number, a byte a row: `bins[index * rows + row]`. */
  readonly bins: Uint8Array
  readonly labels: Float32Array
  /** By number: where each bin but the first begins, ascending. */
  readonly cuts: readonly Float32Array[]
}

/** Finds cuts at quantiles of each number: at most `most` bins with about as many rows, one for each value where there are few. */
export async function findCuts(
  data: MatrixBlocks,
  width: number,
  most: number,
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const columns = Array.from({ length: width }, () => new Quantiles())
  const open = new Float64Array(width * stretch)
  let filled = 0
  const end = (): void => {
    for (const [index, column] of columns.entries()) column.add(open.slice(index * stretch, index * stretch + filled))
    filled = 0
  }
  for await (const { rows, features } of data.read(signal)) {
    for (let row = 0; row < rows; row++) {
      for (let index = 0; index < width; index++) open[index * stretch + filled] = features[row * width + index]!
      if (++filled === stretch) end()
    }
  }
  end()
  return columns.map((column) => {
    const sorted = column.finish()
    const cuts: number[] = []
    for (let bin = 1; bin < most; bin++) {
      const cut = valueAtRank(sorted, Math.floor((bin / most) * sorted.total))
      if (cut > (cuts.at(-1) ?? sorted.values[0]!)) cuts.push(cut)
    }
    return Float32Array.from(cuts)
  })
}

/** Puts the rows of a split into bins. Memory: a byte a number and 4 a row. */
export async function binRows(
  data: MatrixBlocks,
  rows: number,
  cuts: readonly Float32Array[],
  signal: AbortSignal,
): Promise<BinnedRows> {
  const width = cuts.length
  const bins = new Uint8Array(rows * width)
  const labels = new Float32Array(rows)
  let at = 0
  for await (const block of data.read(signal)) {
    signal.throwIfAborted()
    for (let index = 0; index < width; index++) {
      const own = cuts[index]!
      for (let row = 0; row < block.rows; row++)
        bins[index * rows + at + row] = binOf(own, block.features[row * width + index]!)
    }
    labels.set(block.labels, at)
    at += block.rows
  }
  return at === rows
    ? { rows, width, bins, labels, cuts }
    : { rows: at, width, bins: compact(bins, rows, at, width), labels: labels.subarray(0, at), cuts }
}

/** How many cuts are not above a value. */
function binOf(cuts: Float32Array, value: number): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value < cuts[middle]!) high = middle
    else low = middle + 1
  }
  return low
}

/** Rows without a label were left out. */
function compact(bins: Uint8Array, from: number, to: number, width: number): Uint8Array {
  const fewer = new Uint8Array(to * width)
  for (let index = 0; index < width; index++) fewer.set(bins.subarray(index * from, index * from + to), index * to)
  return fewer
}
