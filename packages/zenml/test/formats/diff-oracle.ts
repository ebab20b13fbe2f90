import { compareText } from '../../src/base/canonical.ts'
import type { DiffSide } from '../../src/formats/diff-examples.ts'
import { encodeAll, recordsOf } from './example-oracle.ts'

/** What `diffExamples` counts of a split. */
interface Counts {
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
  readonly changed: number | null
  readonly same: number
}

/** Counts as `diffExamples` does, by the shortest way there is: every row of both sides is decoded, and all are held in memory. */
export async function countDifference(
  before: DiffSide,
  after: DiffSide,
  key?: readonly string[],
): Promise<{ readonly [split: string]: Counts }> {
  const common = [...before.examples.features]
    .filter(([name, kind]) => after.examples.features.get(name) === kind)
    .map(([name]) => name)
  const names = [...new Set([...before.examples.splits, ...after.examples.splits])].sort(compareText)
  const counts: { [split: string]: Counts } = {}
  for (const name of names) {
    const left = await rowsByKey(before, name, common, key ?? common)
    const right = await rowsByKey(after, name, common, key ?? common)
    const count = { before: 0, after: 0, added: 0, removed: 0, changed: 0, same: 0 }
    for (const id of new Set([...left.keys(), ...right.keys()])) {
      const [mine, yours] = [left.get(id) ?? [], [...(right.get(id) ?? [])]]
      count.before += mine.length
      count.after += yours.length
      const gone = mine.filter((row) => {
        const at = yours.indexOf(row)
        if (at >= 0) yours.splice(at, 1)
        return at < 0
      })
      const pairs = Math.min(gone.length, yours.length)
      count.same += mine.length - gone.length
      count.changed += pairs
      count.removed += gone.length - pairs
      count.added += yours.length - pairs
    }
    counts[name] = key === undefined ? { ...count, changed: null } : count
  }
  return counts
}

async function rowsByKey(
  { examples }: DiffSide,
  split: string,
  columns: readonly string[],
  key: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (!examples.splits.includes(split)) return found
  const text = (record: Uint8Array): string => Buffer.from(record).toString('hex')
  for await (const batch of examples.read(split, { columns })) {
    const keys = new Map([...batch.columns].filter(([name]) => key.includes(name)))
    const ids = recordsOf(encodeAll({ length: batch.length, columns: keys })).map(text)
    for (const [index, row] of recordsOf(encodeAll(batch)).map(text).entries())
      found.set(ids[index]!, [...(found.get(ids[index]!) ?? []), row])
  }
  return found
}
