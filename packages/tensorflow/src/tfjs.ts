import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as Core from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'

/** TensorFlow.js, ready to compute. */
export interface TensorFlow {
  readonly core: typeof Core
  readonly layers: typeof Layers
}

const wasmPackage = '@tensorflow/tfjs-backend-wasm'

/** Where the package keeps its WebAssembly. */
export function wasmDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve(wasmPackage))
}

/**
 * Loads TensorFlow.js on its WebAssembly backend with one thread: the order of additions, and so every bit, is the same on every
 * machine with the same instruction set. `directory` has the WebAssembly; default the package's own.
 */
export async function loadTensorFlow(directory: string = wasmDirectory()): Promise<TensorFlow> {
  const { core, layers, wasm } = await withoutChance(async () => ({
    core: moduleOf<typeof Core>(await import('@tensorflow/tfjs-core')),
    layers: moduleOf<typeof Layers>(await import('@tensorflow/tfjs-layers')),
    wasm: moduleOf<{ setWasmPaths(path: string): void; setThreadsCount(count: number): void }>(
      await import('@tensorflow/tfjs-backend-wasm'),
    ),
  }))
  wasm.setWasmPaths(`${directory}/`)
  wasm.setThreadsCount(1)
  core.enableProdMode()
  await core.setBackend('wasm')
  await core.ready()
  return { core, layers }
}

/**
 * Loads without using the step's seed: a library of TensorFlow.js mixes a random number into a pool when it is loaded, which decides only
 * sequences that nobody gave a seed, and TensorFlow.js gives one to each.
 */
async function withoutChance<T>(load: () => Promise<T>): Promise<T> {
  const { random } = Math
  Math.random = () => 0.5
  try {
    return await load()
  } finally {
    Math.random = random
  }
}

/** The packages are CommonJS: their names are on the default export where Node finds none by itself. */
function moduleOf<T>(loaded: object): T {
  return ('default' in loaded && typeof loaded.default === 'object' ? loaded.default : loaded) as T
}
