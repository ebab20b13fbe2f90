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
  const open: readonly [Map<string, string[]>, Map<string, string[]>] = [new Map(), new Map()]
  return {
    add(side, row, key) {
      const [own, other] = side === 0 ? open : [open[1], open[0]]
      const there = other.get(key!)
      const equal = there === undefined ? -1 : there.indexOf(row)
      if (equal < 0) {
        const waiting = own.get(key!)
        if (waiting === undefined) own.set(key!, [row])
        else waiting.push(row)
        return false
      }
      if (there!.length === 1) other.delete(key!)
      else there!.splice(equal, 1)
      return true
    },
    counts() {
      let [added, removed, changed] = [0, 0, 0]
      for (const [key, rows] of open[0]) {
        const there = open[1].get(key)?.length ?? 0
        const pairs = Math.min(rows.length, there)
        changed += pairs
        removed += rows.length - pairs
        added += there - pairs
      }
      for (const [key, rows] of open[1]) if (!open[0].has(key)) added += rows.length
      return { added, removed, changed }
    },
  }
}
