import type { MatrixBlocks } from './matrix-blocks.ts'

/** Part of the mean square of the features that is always added to the diagonal: features that say the same leave no unique answer. */
const floor = 1e-9

/**
 * Weights of ridge regression, `width` and then the constant, which is not penalised: the normal equations around the means, solved by Cholesky
 * factors. Two passes over the data; sums go row by row. `width` squared numbers of memory.
 */
export async function leastSquares(
  data: MatrixBlocks,
  width: number,
  l2: number,
  signal: AbortSignal,
): Promise<Float64Array> {
  const means = new Float64Array(width)
  let labelMean = 0
  let count = 0
  for await (const { rows, features, labels } of data.read(signal)) {
    for (let row = 0; row < rows; row++) {
      for (let index = 0; index < width; index++) means[index] = means[index]! + features[row * width + index]!
      labelMean += labels[row]!
    }
    count += rows
  }
  for (let index = 0; index < width; index++) means[index] = means[index]! / count
  labelMean /= count
  const products = new Float64Array(width * width)
  const targets = new Float64Array(width)
  const centred = new Float64Array(width)
  for await (const { rows, features, labels } of data.read(signal)) {
    signal.throwIfAborted()
    for (let row = 0; row < rows; row++) {
      for (let index = 0; index < width; index++) centred[index] = features[row * width + index]! - means[index]!
      const label = labels[row]! - labelMean
      for (let index = 0; index < width; index++) {
        const value = centred[index]!
        if (value === 0) continue
        targets[index] = targets[index]! + value * label
        for (let other = 0; other <= index; other++)
          products[index * width + other] = products[index * width + other]! + value * centred[other]!
      }
    }
  }
  let trace = 0
  for (let index = 0; index < width; index++) trace += products[index * width + index]!
  const ridge = l2 * count + (floor * trace) / Math.max(1, width)
  for (let index = 0; index < width; index++) products[index * width + index] = products[index * width + index]! + ridge
  const weights = solve(products, targets, width)
  let constant = labelMean
  for (let index = 0; index < width; index++) constant -= weights[index]! * means[index]!
  return Float64Array.from([...weights, constant])
}

/** Solves for a symmetric positive definite matrix, of which the lower triangle is given; it is overwritten. A feature without any variation gets 0. */
function solve(matrix: Float64Array, targets: Float64Array, size: number): Float64Array {
  const at = (row: number, column: number): number => matrix[row * size + column]!
  for (let column = 0; column < size; column++) {
    let pivot = at(column, column)
    for (let index = 0; index < column; index++) pivot -= at(column, index) ** 2
    const root = pivot > 0 ? Math.sqrt(pivot) : 0
    matrix[column * size + column] = root
    for (let row = column + 1; row < size; row++) {
      let sum = at(row, column)
      for (let index = 0; index < column; index++) sum -= at(row, index) * at(column, index)
      matrix[row * size + column] = root === 0 ? 0 : sum / root
    }
  }
  const result = targets.slice()
  for (let row = 0; row < size; row++) {
    let sum = result[row]!
    for (let index = 0; index < row; index++) sum -= at(row, index) * result[index]!
    result[row] = at(row, row) === 0 ? 0 : sum / at(row, row)
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = result[row]!
    for (let index = row + 1; index < size; index++) sum -= at(index, row) * result[index]!
    result[row] = at(row, row) === 0 ? 0 : sum / at(row, row)
  }
  return result
}
