import { bytesAt, type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'

/** Gives a row of a batch its number in [0, 1), by the features `by`, or all of them where there are none. */
export function rowHasher(batch: ExampleBatch, by: readonly string[], seed: number): (row: number) => number {
  const columns = [...batch.columns]
    .filter(([name]) => by.length === 0 || by.includes(name))
    .map(([name, column]) => ({ column, salt: hashText(name) }))
  return (row) => hashRow(columns, row, seed)
}

const words = new Float64Array(1)
const halves = new Uint32Array(words.buffer)

/**
 * A row as a number in [0, 1): each feature that has values is hashed by itself (name, values), the hashes are added, so that
 * neither the order of features nor absent ones matter, and the sum is mixed with the seed (the finaliser of MurmurHash3).
 */
function hashRow(
  columns: readonly { readonly column: Column; readonly salt: number }[],
  row: number,
  seed: number,
): number {
  let low = 0
  let high = 0
  for (const { column, salt } of columns) {
    const start = rowStart(column, row)
    const end = rowEnd(column, row)
    if (start === end) continue
    let a = salt
    let b = salt ^ 0x9e3779b9
    for (let value = start; value < end; value++) {
      if (column.kind === 'bytes') {
        const bytes = bytesAt(column, value)
        for (let index = 0; index < bytes.length; index++) {
          a = Math.imul(a ^ bytes[index]!, 0x01000193)
          b = Math.imul(b ^ bytes[index]!, 0x85ebca6b) ^ (b >>> 15)
        }
        a = Math.imul(a ^ bytes.length, 0x01000193)
        b = Math.imul(b ^ bytes.length, 0x85ebca6b) ^ (b >>> 15)
        continue
      }
      words[0] = column.values[value]!
      for (const half of halves) {
        a = Math.imul(a ^ half, 0x01000193) ^ (a >>> 13)
        b = Math.imul(b ^ half, 0x85ebca6b) ^ (b >>> 15)
      }
    }
    low = (low + mix(a)) | 0
    high = (high + mix(b)) | 0
  }
  const first = mix(low ^ mix(seed))
  const second = mix(high ^ mix(first ^ seed))
  return ((first >>> 5) * 0x4000000 + (second >>> 6)) / 0x20000000000000
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function hashText(text: string): number {
  let h = 0x811c9dc5
  for (const byte of Buffer.from(text)) h = Math.imul(h ^ byte, 0x01000193)
  return h
}
