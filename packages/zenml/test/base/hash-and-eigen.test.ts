import fc from 'fast-check'
import { expect, it } from 'vitest'
import { symmetricEigen } from '../../src/base/eigen.ts'
import { murmur3 } from '../../src/base/murmur3.ts'

const hashOf = (text: string): number => murmur3(new TextEncoder().encode(text))

it('MurmurHash3 gives the values that others give for it', () => {
  // Known answers of MurmurHash3_x86_32 with seed 0.
  expect(hashOf('')).toBe(0)
  expect(hashOf('a')).toBe(0x3c2569b2)
  expect(hashOf('test')).toBe(0xba6bd213)
  expect(hashOf('Hello, world!')).toBe(0xc0363e43)
  expect(hashOf('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723)
})

it('eigenvectors are orthogonal, of length 1, and give the matrix back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.infiniteStream(fc.integer({ min: -50, max: 50 })),
      (size, stream) => {
        const matrix = new Float64Array(size * size)
        for (let i = 0; i < size; i++)
          for (let j = i; j < size; j++) matrix[i * size + j] = matrix[j * size + i] = stream.next().value as number
        const { values, vectors } = symmetricEigen(matrix, size)
        expect([...values].sort((a, b) => b - a)).toEqual(values)
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const product = vectors[i]!.reduce((sum, entry, at) => sum + entry * vectors[j]![at]!, 0)
            expect(product).toBeCloseTo(i === j ? 1 : 0, 10)
            const again = values.reduce((sum, value, at) => sum + value * vectors[at]![i]! * vectors[at]![j]!, 0)
            expect(again).toBeCloseTo(matrix[i * size + j]!, 9)
          }
          const greatest = vectors[i]!.reduce((best, entry) => (Math.abs(entry) > Math.abs(best) ? entry : best), 0)
          expect(greatest).toBeGreaterThan(0)
        }
      },
    ),
  )
})

it('eigenvalues are those written in books', () => {
  const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2)
  expect(values[0]).toBeCloseTo(3, 14)
  expect(values[1]).toBeCloseTo(1, 14)
  expect(vectors[0]![0]).toBeCloseTo(Math.SQRT1_2, 14)
  expect(vectors[0]![1]).toBeCloseTo(Math.SQRT1_2, 14)
  expect(symmetricEigen(new Float64Array(9), 3).values).toEqual([0, 0, 0])
})
