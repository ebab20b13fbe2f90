import { loadTensorFlow } from './tfjs.ts'

/**
 * Sums, products and transcendental functions by TensorFlow.js on this machine: its WebAssembly takes other instructions where the
 * processor has no SIMD, and these can round otherwise.
 */
export async function canary(): Promise<Float32Array> {
  const { core } = await loadTensorFlow()
  const size = 12
  const values = Float32Array.from({ length: size * size }, (_, index) => ((index * 37) % 101) / 101 - 0.5)
  const result = core.tidy(() => {
    const matrix = core.tensor2d(values, [size, size])
    const product = core.matMul(matrix, matrix)
    return core.concat([product, core.tanh(product), core.softmax(product), core.sigmoid(product)])
  })
  const numbers = (await result.data()) as Float32Array
  result.dispose()
  return numbers
}
