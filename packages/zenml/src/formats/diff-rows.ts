/** Rows by which one multiset differs from another. */
export interface RowCounts {
  readonly added: number
  readonly removed: number
  /** Null where rows have no key: then none is the other one, changed. */
  readonly changed: number | null
}

/** Sets rows of two sides off against each other as they come, in any order. */
export interface RowDifference {
  /** Hashes of rows, and of their keys, of the first (0) or second (1) side. */
  add(side: 0 | 1, rows: readonly string[], keys: readonly string[] | undefined): void
  counts(): RowCounts
}

/** A row is its content. */
export function differenceByContent(): RowDifference {
  /** How often a row is there more on the first side than on the second, never 0. */
  const open = new Map<string, number>()
  return {
    add(side, rows) {
      const step = side === 0 ? 1 : -1
      for (const row of rows) {
        const count = (open.get(row) ?? 0) + step
        if (count === 0) open.delete(row)
        else open.set(row, count)
      }
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
    add(side, rows, keys) {
      const [own, other] = side === 0 ? open : [open[1], open[0]]
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!
        const key = keys![index]!
        const there = other.get(key)
        const equal = there === undefined ? -1 : there.indexOf(row)
        if (equal < 0) {
          const waiting = own.get(key)
          if (waiting === undefined) own.set(key, [row])
          else waiting.push(row)
        } else if (there!.length === 1) other.delete(key)
        else there!.splice(equal, 1)
      }
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
