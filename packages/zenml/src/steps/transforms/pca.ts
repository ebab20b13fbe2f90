import { symmetricEigen } from '../../base/eigen.ts'
import { numberAt } from '../values.ts'
import { type Fit, type Inputs, type TransformFamily, type TransformOf, unfit } from './family.ts'
import { FittedNumbers } from './fitted-numbers.ts'

/** Principal components of several features of numbers, under a name of their own. A missing value counts as the mean. */
export interface PcaRequest {
  transform: 'pca'
  /** Features that it is made of. Unless `features` names them too, they give nothing else. */
  features: string[]
  /** Number of components. Default 2. */
  components?: number | undefined
  /** True: each feature is divided by its deviation first. Default false. */
  standardize?: boolean | undefined
}

/** Rows whose products are summed by themselves: fewer roundings, and the same ones wherever batches end. */
const blockRows = 1024

class PcaFit implements Fit<TransformOf<'pca'>> {
  readonly passes = 2
  private readonly request: PcaRequest
  private readonly numbers: readonly FittedNumbers[]
  private readonly size: number
  private means = new Float64Array(0)
  private scales = new Float64Array(0)
  private readonly centred: Float64Array
  private readonly total: Float64Array
  private block: Float64Array
  private rows = 0

  constructor(request: PcaRequest, split: string) {
    this.request = request
    this.size = request.features.length
    this.numbers = request.features.map((input) => new FittedNumbers(input, split, false))
    this.centred = new Float64Array(this.size)
    this.total = new Float64Array(this.size * this.size)
    this.block = new Float64Array(this.size * this.size)
  }

  get hasValues(): boolean {
    return this.numbers.every(({ hasValues }) => hasValues)
  }

  see(inputs: Inputs, rows: number, pass: number): void {
    if (pass === 0) {
      for (const [input, column] of inputs.entries()) {
        for (let row = 0; row < rows; row++) {
          const value = numberAt(column, row)
          if (value !== undefined) this.numbers[input]!.add(value)
        }
      }
      return
    }
    if (this.rows === 0) this.learnMoments()
    for (let row = 0; row < rows; row++) this.addProducts(inputs, row)
  }

  private learnMoments(): void {
    for (const numbers of this.numbers) numbers.finish()
    this.means = Float64Array.from(this.numbers, ({ moments }) => moments.mean)
    this.scales = Float64Array.from(this.numbers, ({ moments: { min, max, deviation } }) =>
      this.request.standardize === true && min !== max ? deviation : 1,
    )
  }

  private addProducts(inputs: Inputs, row: number): void {
    const { size, centred, block } = this
    for (let input = 0; input < size; input++) {
      const value = numberAt(inputs[input], row)
      centred[input] = value === undefined ? 0 : (value - this.means[input]!) / this.scales[input]!
    }
    for (let first = 0; first < size; first++) {
      const by = centred[first]!
      for (let second = first; second < size; second++) block[first * size + second]! += by * centred[second]!
    }
    if (++this.rows % blockRows === 0) this.endBlock()
  }

  private endBlock(): void {
    for (let at = 0; at < this.total.length; at++) this.total[at]! += this.block[at]!
    this.block = new Float64Array(this.total.length)
  }

  finish(): TransformOf<'pca'> {
    this.endBlock()
    const { size, total, rows, request } = this
    const covariance = new Float64Array(size * size)
    for (let first = 0; first < size; first++)
      for (let second = first; second < size; second++)
        covariance[first * size + second] = covariance[second * size + first] = total[first * size + second]! / rows
    const { values, vectors } = symmetricEigen(covariance, size)
    const { components = 2 } = request
    return {
      kind: 'pca',
      inputs: request.features,
      means: [...this.means],
      scales: [...this.scales],
      components: vectors.slice(0, components).map((vector) => [...vector]),
      variances: values.slice(0, components),
    }
  }
}

export const pca: TransformFamily<'pca', PcaRequest> = {
  takes: 'numbers',
  per: 'row',
  fit: (request, { name, split }) => {
    const { features, components = 2 } = request
    if (components > features.length)
      throw unfit(`"${name}" is to have ${components} components, but is made of ${features.length} features only.`)
    return new PcaFit(request, split)
  },
  width: ({ components }) => components.length,
  writer: ({ means, scales, components }, inputs) => {
    const centred = new Float64Array(means.length)
    return (row, into, place) => {
      let isMissing = false
      for (let input = 0; input < centred.length; input++) {
        const value = numberAt(inputs[input], row)
        if (value === undefined) isMissing = true
        centred[input] = value === undefined ? 0 : (value - means[input]!) / scales[input]!
      }
      for (const [index, weights] of components.entries()) {
        let sum = 0
        for (let input = 0; input < centred.length; input++) sum += centred[input]! * weights[input]!
        into[place + index] = sum
      }
      return isMissing
    }
  },
}
