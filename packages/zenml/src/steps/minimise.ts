/** A function with its gradient at a place: the value is returned, the gradient written into `gradient`. */
export type Objective = (place: Float64Array, gradient: Float64Array) => Promise<number>

/** How a minimisation ended. */
export interface Minimum {
  readonly place: Float64Array
  readonly value: number
  readonly iterations: number
  /** Whether the gradient became small enough; false where the iterations were used up. */
  readonly converged: boolean
}

const memory = 10
const sufficient = 1e-4

/**
 * Minimises a smooth convex function by L-BFGS (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4) with ten corrections and
 * backtracking. It ends where no component of the gradient is above `tolerance`, or after `iterations` steps. Nothing is random.
 *
 * @example
 * const square: Objective = async (place, gradient) => {
 *   gradient[0] = 2 * (place[0]! - 3)
 *   return (place[0]! - 3) ** 2
 * }
 * const { place } = await minimise(square, new Float64Array(1), { tolerance: 1e-8, iterations: 100 })
 * Math.round(place[0]!) // 3
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  {
    tolerance,
    iterations,
    onIteration,
  }: {
    readonly tolerance: number
    readonly iterations: number
    readonly onIteration?: (iteration: number, value: number) => void
  },
): Promise<Minimum> {
  const size = start.length
  let place = start.slice()
  let gradient = new Float64Array(size)
  let value = await objective(place, gradient)
  const steps: Float64Array[] = []
  const changes: Float64Array[] = []
  const products: number[] = []
  for (let iteration = 1; iteration <= iterations; iteration++) {
    if (largest(gradient) <= tolerance) return { place, value, iterations: iteration - 1, converged: true }
    let direction = towards(gradient, steps, changes, products)
    let slope = dot(gradient, direction)
    if (!(slope < 0)) {
      // What was remembered misleads: begin anew with the steepest way down.
      steps.length = changes.length = products.length = 0
      direction = gradient.map((one) => -one)
      slope = dot(gradient, direction)
    }
    let length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    const nextGradient = new Float64Array(size)
    let next = place
    let nextValue = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < 40; tries++) {
      next = place.map((one, index) => one + length * direction[index]!)
      nextValue = await objective(next, nextGradient)
      if (nextValue <= value + sufficient * length * slope) break
      length /= 2
    }
    // No step that helps is left: this is as far as the numbers reach.
    if (!(nextValue < value)) return { place, value, iterations: iteration - 1, converged: true }
    const step = next.map((one, index) => one - place[index]!)
    const change = nextGradient.map((one, index) => one - gradient[index]!)
    const product = dot(step, change)
    if (product > 1e-12 * dot(change, change)) {
      steps.push(step)
      changes.push(change)
      products.push(product)
      if (steps.length > memory) {
        steps.shift()
        changes.shift()
        products.shift()
      }
    }
    place = next
    gradient = nextGradient
    value = nextValue
    onIteration?.(iteration, value)
  }
  return { place, value, iterations, converged: largest(gradient) <= tolerance }
}

/** The two-loop recursion. */
function towards(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
  products: readonly number[],
): Float64Array {
  const direction = gradient.map((one) => -one)
  const factors = new Float64Array(steps.length)
  for (let at = steps.length - 1; at >= 0; at--) {
    const factor = dot(steps[at]!, direction) / products[at]!
    factors[at] = factor
    addTo(direction, changes[at]!, -factor)
  }
  const last = steps.length - 1
  if (last >= 0) {
    const scale = products[last]! / dot(changes[last]!, changes[last]!)
    for (let index = 0; index < direction.length; index++) direction[index] = direction[index]! * scale
  }
  for (let at = 0; at < steps.length; at++) {
    const factor = dot(changes[at]!, direction) / products[at]!
    addTo(direction, steps[at]!, factors[at]! - factor)
  }
  return direction
}

function addTo(target: Float64Array, more: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++) target[index] = target[index]! + factor * more[index]!
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!
  return sum
}

function largest(values: Float64Array): number {
  let found = 0
  for (const value of values) found = Math.max(found, Math.abs(value))
  return found
}
