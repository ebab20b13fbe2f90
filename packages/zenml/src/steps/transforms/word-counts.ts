import { ByteCounts } from '../../base/byte-counts.ts'
import { compareText } from '../../base/canonical.ts'
import type { Column } from '../../formats/batch.ts'
import { decodeText } from '../../formats/text.ts'
import { wordOf } from '../values.ts'

const encoder = new TextEncoder()

/** Counts words in bounded memory: exact up to 262,144 distinct ones of 16 MiB together, beyond that the rare ones are forgotten (see `ByteCounts`). */
export class WordCounts {
  private readonly counts = new ByteCounts()
  hasValues = false

  /** Counts a value of a column; NaN is none. */
  addValue(column: Column, value: number): void {
    if (column.kind !== 'bytes') {
      const word = wordOf(column, value)
      if (word !== undefined) this.addWord(word)
      return
    }
    this.hasValues = true
    this.counts.add(column.data, value === 0 ? 0 : column.ends[value - 1]!, column.ends[value]!)
  }

  /** Counts a word. */
  addWord(word: string): void {
    const bytes = encoder.encode(word)
    this.hasValues = true
    this.counts.add(bytes, 0, bytes.length)
  }

  /** The most frequent words with their counts; of equally frequent ones those of the lesser bytes. */
  top(most: number): { readonly word: string; readonly count: number }[] {
    const counts = new Map<string, number>()
    // Bytes that are no UTF-8 may become one word, so that all are looked at.
    for (const { bytes, count } of this.counts.top(Number.POSITIVE_INFINITY)) {
      const word = decodeText(bytes, 0, bytes.length)
      counts.set(word, (counts.get(word) ?? 0) + count)
    }
    return [...counts]
      .sort(([a, left], [b, right]) => right - left || compareText(a, b))
      .slice(0, most)
      .map(([word, count]) => ({ word, count }))
  }
}

const indexes = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

/** Index by word; made once for a list, as serving applies a transform row by row. */
export function indexOf(words: readonly string[]): ReadonlyMap<string, number> {
  let index = indexes.get(words)
  if (index === undefined) {
    index = new Map(words.map((word, place) => [word, place]))
    indexes.set(words, index)
  }
  return index
}
