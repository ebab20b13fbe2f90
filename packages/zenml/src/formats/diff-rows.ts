/** Rows by which one multiset differs from another. */
export interface RowCounts {
  readonly added: number
  readonly removed: number
  /** Null where rows have no key: then none is the other one, changed. */
  readonly changed: number | null
}

/** Sets rows of two sides off against each other as they come, in any order. */
export interface RowDifference {
  /** Hash of a row, and of its key, of the first (0) or second (1) side; whether an equal row of the other side was waiting. */
  add(side: 0 | 1, row: string, key: string | undefined): boolean
  counts(): RowCounts
}

/** A row is its content. */
export function differenceByContent(): RowDifference {
  /** How often a row is there more on the first side than on the second, never 0. */
  const open = new Map<string, number>()
  return {
    add(side, row) {
      const step = side === 0 ? 1 : -1
      const before = open.get(row) ?? 0
      if (before + step === 0) open.delete(row)
      else open.set(row, before + step)
      return before * step < 0
    },
    counts() {
      let [added, removed] = [0, 0]
      for (const count of open.values()) {
        if (count > 0) removed += count
        else added -= count
      }
      return { added, removed, changed: null }
    },
  }
}

/** A row is its key: rows of one key are first paired with equal ones, then with changed ones. */
export function differenceByKey(): RowDifference {
  /** Rows without an equal one on the other side so far, by key. */
  const open: readonly [Map<string, Waiting>, Map<string, Waiting>] = [new Map(), new Map()]
  return {
    add(side, row, key) {
      const [own, other] = side === 0 ? open : [open[1], open[0]]
      const there = other.get(key!)
      if (there === undefined || !takeRow(there, row)) {
        own.set(key!, withRow(own.get(key!), row))
        return false
      }
      if (isEmpty(there)) other.delete(key!)
      return true
    },
    counts() {
      let [added, removed, changed] = [0, 0, 0]
      for (const [key, waiting] of open[0]) {
        const here = countOf(waiting)
        const there = countOf(open[1].get(key) ?? [])
        const pairs = Math.min(here, there)
        changed += pairs
        removed += here - pairs
        added += there - pairs
      }
      for (const [key, waiting] of open[1]) if (!open[0].has(key)) added += countOf(waiting)
      return { added, removed, changed }
    },
  }
}

/** Rows of one key: a list as long as they are few, as a key should have one; then how often each is there, to be found without a search. */
type Waiting = string[] | Map<string, number>

const mostListed = 16

function withRow(waiting: Waiting | undefined, row: string): Waiting {
  if (waiting === undefined) return [row]
  if (waiting instanceof Map) {
    waiting.set(row, (waiting.get(row) ?? 0) + 1)
    return waiting
  }
  waiting.push(row)
  if (waiting.length <= mostListed) return waiting
  const counts = new Map<string, number>()
  for (const listed of waiting) counts.set(listed, (counts.get(listed) ?? 0) + 1)
  return counts
}

/** Takes a row out; whether it was there. */
function takeRow(waiting: Waiting, row: string): boolean {
  if (waiting instanceof Map) {
    const count = waiting.get(row)
    if (count === undefined) return false
    if (count === 1) waiting.delete(row)
    else waiting.set(row, count - 1)
    return true
  }
  const index = waiting.indexOf(row)
  if (index < 0) return false
  waiting.splice(index, 1)
  return true
}

function isEmpty(waiting: Waiting): boolean {
  return (waiting instanceof Map ? waiting.size : waiting.length) === 0
}

function countOf(waiting: Waiting): number {
  if (!(waiting instanceof Map)) return waiting.length
  let total = 0
  for (const count of waiting.values()) total += count
  return total
}
