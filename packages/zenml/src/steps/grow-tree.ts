import type { BinnedRows } from './binned-rows.ts'
import type { Tree } from './trees-model.ts'

/** How a tree grows. */
export interface Growth {
  readonly depth: number
  /** Rows of a leaf at least. */
  readonly leafRows: number
  /** Weight of the penalty on the squares of the leaves' values. */
  readonly lambda: number
  /** What a leaf's value is multiplied with. */
  readonly rate: number
}

const binsAtMost = 256
/** A node of fewer rows is summed up by itself; of a larger one's two children only the smaller is. */
const statistics = 3

interface Node {
  readonly from: number
  readonly to: number
  readonly depth: number
  readonly index: number
  readonly histogram: Float64Array
}

/**
 * Grows a regression tree on the gradients and curvatures of a loss, depth first, from histograms of bins (6 KiB a number, one held for each level), as gradient boosting does (Chen and
 * Guestrin, XGBoost: A Scalable Tree Boosting System, 2016, equations 6 and 7). Of equal splits the first feature and the lowest threshold count.
 *
 * `order` holds the rows that the tree sees, and is put into the order of its leaves. Sums go in the order of `order`: the same rows in the same
 * order give the same tree.
 */
export function growTree(
  data: BinnedRows,
  order: Uint32Array,
  gradients: Float64Array,
  curvatures: Float64Array,
  growth: Growth,
): Tree {
  const tree = {
    feature: [] as number[],
    threshold: [] as number[],
    left: [] as number[],
    right: [] as number[],
    value: [] as number[],
  }
  const make = (): number => {
    tree.feature.push(-1)
    tree.threshold.push(0)
    tree.left.push(0)
    tree.right.push(0)
    return tree.value.push(0) - 1
  }
  const spare = new Uint32Array(order.length)
  const histogramOf = (from: number, to: number): Float64Array =>
    histogram(data, order, from, to, gradients, curvatures)
  const open: Node[] = [{ from: 0, to: order.length, depth: 0, index: make(), histogram: histogramOf(0, order.length) }]
  // Depth first: with a level at once, a histogram for each of its nodes would be held.
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const split = node.depth < growth.depth ? bestSplit(data, node, growth) : undefined
    if (split === undefined) {
      const { gradient, curvature } = total(node.histogram)
      tree.value[node.index] = (-gradient / (curvature + growth.lambda)) * growth.rate
      continue
    }
    const middle = partition(data, order, spare, node, split)
    const [left, right] = [make(), make()]
    tree.feature[node.index] = split.feature
    tree.threshold[node.index] = data.cuts[split.feature]![split.bin]!
    tree.left[node.index] = left
    tree.right[node.index] = right
    const leftIsSmaller = middle - node.from <= node.to - middle
    const smaller = leftIsSmaller ? histogramOf(node.from, middle) : histogramOf(middle, node.to)
    const larger = node.histogram
    for (let at = 0; at < larger.length; at++) larger[at] = larger[at]! - smaller[at]!
    const depth = node.depth + 1
    open.push(
      { from: middle, to: node.to, depth, index: right, histogram: leftIsSmaller ? larger : smaller },
      { from: node.from, to: middle, depth, index: left, histogram: leftIsSmaller ? smaller : larger },
    )
  }
  return tree
}

/** By number and bin: gradient, curvature, rows. */
function histogram(
  { bins, rows, width }: BinnedRows,
  order: Uint32Array,
  from: number,
  to: number,
  gradients: Float64Array,
  curvatures: Float64Array,
): Float64Array {
  const sums = new Float64Array(width * binsAtMost * statistics)
  for (let index = 0; index < width; index++) {
    const own = index * rows
    const base = index * binsAtMost
    for (let at = from; at < to; at++) {
      const row = order[at]!
      const place = (base + bins[own + row]!) * statistics
      sums[place] = sums[place]! + gradients[row]!
      sums[place + 1] = sums[place + 1]! + curvatures[row]!
      sums[place + 2] = sums[place + 2]! + 1
    }
  }
  return sums
}

/** Sums of a node: any number's bins add up to them. */
function total(sums: Float64Array): { gradient: number; curvature: number; rows: number } {
  let [gradient, curvature, rows] = [0, 0, 0]
  for (let bin = 0; bin < binsAtMost; bin++) {
    gradient += sums[bin * statistics]!
    curvature += sums[bin * statistics + 1]!
    rows += sums[bin * statistics + 2]!
  }
  return { gradient, curvature, rows }
}

interface Split {
  readonly feature: number
  /** The last bin that goes left. */
  readonly bin: number
}

function bestSplit({ cuts, width }: BinnedRows, { histogram: sums }: Node, growth: Growth): Split | undefined {
  if (width === 0) return undefined
  const all = total(sums)
  const score = (gradient: number, curvature: number): number => (gradient * gradient) / (curvature + growth.lambda)
  const parent = score(all.gradient, all.curvature)
  let best: Split | undefined
  let bestGain = 1e-9 * Math.max(1, Math.abs(parent))
  for (let feature = 0; feature < width; feature++) {
    let [gradient, curvature, rows] = [0, 0, 0]
    for (let bin = 0; bin < cuts[feature]!.length; bin++) {
      const place = (feature * binsAtMost + bin) * statistics
      gradient += sums[place]!
      curvature += sums[place + 1]!
      rows += sums[place + 2]!
      if (rows < growth.leafRows) continue
      if (all.rows - rows < growth.leafRows) break
      const gain = score(gradient, curvature) + score(all.gradient - gradient, all.curvature - curvature) - parent
      if (gain > bestGain) {
        bestGain = gain
        best = { feature, bin }
      }
    }
  }
  return best
}

/** Puts the rows that go left before the others, each in their order; gives where the others begin. */
function partition(
  { bins, rows }: BinnedRows,
  order: Uint32Array,
  spare: Uint32Array,
  { from, to }: Node,
  { feature, bin }: Split,
): number {
  let left = from
  let right = 0
  const own = feature * rows
  for (let at = from; at < to; at++) {
    const row = order[at]!
    if (bins[own + row]! <= bin) order[left++] = row
    else spare[right++] = row
  }
  order.set(spare.subarray(0, right), left)
  return left
}
