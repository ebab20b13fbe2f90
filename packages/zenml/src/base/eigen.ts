/** Eigenvalues of a symmetric matrix, the greatest first, each with its vector of length 1. */
export interface Eigen {
  readonly values: readonly number[]
  readonly vectors: readonly Float64Array[]
}

/**
 * Eigenvalues and vectors of a symmetric matrix (row after row, `size * size`) by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations,
 * 8.5). Only additions, multiplications, divisions and square roots, in a fixed order: the same bits on every machine. The sign of a vector is such
 * that its entry of the greatest magnitude (the first of equal ones) is positive; equal values keep the order of their columns.
 *
 * @example
 * symmetricEigen(Float64Array.of(2, 0, 0, 3), 2).values // [3, 2]
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const a = matrix.slice()
  const v = new Float64Array(size * size)
  for (let i = 0; i < size; i++) v[i * size + i] = 1
  for (let sweep = 0; sweep < 64; sweep++) {
    let isDiagonal = true
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = a[p * size + q]!
        const [first, second] = [a[p * size + p]!, a[q * size + q]!]
        // Beside its diagonal entries it would be rounded away.
        if (Math.abs(off) <= Number.EPSILON * 0.0625 * Math.sqrt(Math.abs(first * second)) || off === 0) {
          continue
        }
        isDiagonal = false
        rotate(a, v, size, p, q)
      }
    }
    if (isDiagonal) break
  }
  const order = Array.from({ length: size }, (_, index) => index).sort(
    (x, y) => a[y * size + y]! - a[x * size + x]! || x - y,
  )
  return {
    values: order.map((index) => a[index * size + index]!),
    vectors: order.map((index) => signed(Float64Array.from({ length: size }, (_, row) => v[row * size + index]!))),
  }
}

function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const off = a[p * size + q]!
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * off)
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const cosine = 1 / Math.sqrt(tangent * tangent + 1)
  const sine = tangent * cosine
  for (let k = 0; k < size; k++) {
    if (k === p || k === q) continue
    const kp = a[k * size + p]!
    const kq = a[k * size + q]!
    a[k * size + p] = a[p * size + k] = cosine * kp - sine * kq
    a[k * size + q] = a[q * size + k] = sine * kp + cosine * kq
  }
  a[p * size + p] = a[p * size + p]! - tangent * off
  a[q * size + q] = a[q * size + q]! + tangent * off
  a[p * size + q] = a[q * size + p] = 0
  for (let k = 0; k < size; k++) {
    const kp = v[k * size + p]!
    const kq = v[k * size + q]!
    v[k * size + p] = cosine * kp - sine * kq
    v[k * size + q] = sine * kp + cosine * kq
  }
}

function signed(vector: Float64Array): Float64Array {
  let greatest = 0
  for (const entry of vector) if (Math.abs(entry) > Math.abs(greatest)) greatest = entry
  return greatest < 0 ? vector.map((entry) => -entry) : vector
}
