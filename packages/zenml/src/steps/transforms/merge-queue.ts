/** A pair of tokens as one number, and how often it stands. */
export interface PairCount {
  readonly pair: number
  readonly count: number
}

/** Pairs by how often they stand, the most frequent first, of equally frequent ones the lesser: a binary heap. */
export class MergeQueue {
  private readonly heap: PairCount[] = []

  push(entry: PairCount): void {
    const { heap } = this
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  pop(): PairCount | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}

function isBefore(a: PairCount, b: PairCount): boolean {
  return a.count === b.count ? a.pair < b.pair : a.count > b.count
}
