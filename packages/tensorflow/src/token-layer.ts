import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import type { layers as kinds } from '@tensorflow/tfjs-layers'
import type { TensorFlow } from './tfjs.ts'

/** Where in a row ids of tokens stand, and how many tokens there are. */
export interface TokenSpan {
  readonly at: number
  readonly length: number
  readonly vocabulary: number
}

/** How ids become numbers. */
export interface TokenLayerOptions {
  readonly inputs: number
  readonly spans: readonly TokenSpan[]
  /** Numbers a token. */
  readonly size: number
  readonly pooling: 'mean' | 'max'
  readonly seed: number
}

/** The class of the layer in `model.json`. */
export const tokenLayerName = 'ZenmlTokenPooling'

type LayerArguments = ConstructorParameters<typeof kinds.Layer>[0]
type Made = (options: TokenLayerOptions) => kinds.Layer

let made: { readonly tensorflow: TensorFlow['layers']; readonly make: Made } | undefined

/**
 * A layer that looks up learned numbers for the tokens of each span, takes their mean or greatest (padding, id 0, left out), and puts them behind the
 * row's other numbers. Registers it, so that a model with it can be loaded.
 */
export function tokenLayer({ core, layers }: TensorFlow): Made {
  if (made?.tensorflow === layers) return made.make
  registerSegmentSum(core)
  class TokenPooling extends layers.layers.Layer {
    static readonly className = tokenLayerName
    private readonly options: TokenLayerOptions
    private tables: ReturnType<kinds.Layer['addWeight']>[] = []

    constructor(options: TokenLayerOptions & LayerArguments) {
      super(options)
      const { inputs, spans, size, pooling, seed } = options
      this.options = { inputs, spans, size, pooling, seed }
    }

    override build(): void {
      const { spans, size, seed } = this.options
      this.tables = spans.map(({ vocabulary }, index) =>
        this.addWeight(
          `tokens${index}`,
          [vocabulary, size],
          'float32',
          layers.initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: seed + index }),
        ),
      )
      this.built = true
    }

    override computeOutputShape(shape: (number | null)[]): (number | null)[] {
      return [shape[0] ?? null, outputsOf(this.options)]
    }

    override call(given: Tensor | Tensor[]): Tensor {
      const x = (Array.isArray(given) ? given[0]! : given) as Tensor2D
      return core.tidy(() => {
        const { inputs, spans, size, pooling } = this.options
        const rest: Tensor2D[] = []
        const pooled: Tensor2D[] = []
        let from = 0
        for (const [index, { at, length }] of spans.entries()) {
          if (at > from) rest.push(core.slice2d(x, [0, from], [-1, at - from]))
          const ids = core.slice2d(x, [0, at], [-1, length])
          from = at + length
          const isToken = core.expandDims(core.cast(core.notEqual(ids, 0), 'float32'), 2)
          const flat = core.reshape(core.cast(ids, 'int32'), [-1])
          const found = core.reshape(core.gather(this.tables[index]!.read(), flat), [-1, length, size])
          const own = core.mul(found, isToken)
          if (pooling === 'mean') pooled.push(core.div(core.sum(own, 1), core.maximum(core.sum(isToken, 1), 1)))
          else {
            // Padding is far below every number; a text without a token has zeros.
            const masked = core.add(own, core.mul(core.sub(isToken, 1), 1e9))
            pooled.push(core.mul(core.max(masked, 1), core.max(isToken, 1)))
          }
        }
        if (from < inputs) rest.push(core.slice2d(x, [0, from], [-1, inputs - from]))
        return core.concat([...rest, ...pooled], 1)
      })
    }

    override getConfig() {
      const { spans, ...rest } = this.options
      return { ...super.getConfig(), ...rest, spans: spans.map((span) => ({ ...span })) }
    }
  }
  core.serialization.registerClass(TokenPooling)
  const make: Made = (options) =>
    new TokenPooling({ name: 'tokens', inputShape: [options.inputs], ...options } as TokenLayerOptions & LayerArguments)
  made = { tensorflow: layers, make }
  return make
}

function outputsOf({ inputs, spans, size }: TokenLayerOptions): number {
  return inputs - spans.reduce((sum, { length }) => sum + length, 0) + spans.length * size
}

/** The sum by segment, which the gradient of a look-up is made of, and which the WebAssembly backend lacks: in the order of the rows. */
function registerSegmentSum(core: TensorFlow['core']): void {
  if (core.getKernel('UnsortedSegmentSum', 'wasm') !== undefined) return
  core.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, segmentIds } = inputs as { x: Tensor; segmentIds: Tensor }
      const segments = (attrs as unknown as { numSegments: number }).numSegments
      const { readSync, makeOutput } = backend as {
        readSync(id: object): ArrayLike<number>
        makeOutput(shape: number[], dtype: 'float32', place?: number, values?: Float32Array): Tensor
      }
      const values = readSync.call(backend, x.dataId)
      const ids = readSync.call(backend, segmentIds.dataId)
      const width = x.shape.slice(1).reduce((product, size) => product * size, 1)
      const sums = new Float32Array(segments * width)
      for (let row = 0; row < ids.length; row++) {
        const to = ids[row]! * width
        for (let index = 0; index < width; index++) sums[to + index] = sums[to + index]! + values[row * width + index]!
      }
      return makeOutput.call(backend, [segments, ...x.shape.slice(1)], 'float32', undefined, sums)
    },
  })
}
