import { createHash } from 'node:crypto'
import { ByteSink } from '../base/proto/byte-sink.ts'
import type { ExampleBatch } from '../formats/batch.ts'
import { exampleEncoder } from '../formats/encode-examples.ts'
import { cellAt, type ExampleObject, type ExamplesReader } from '../formats/examples.ts'

/** One or several rows that are worked on together. */
export interface Item {
  /** SHA-256 over the encoded rows and the features that are read, with their kinds. */
  readonly digest: Buffer
  /** Index of its first row in the split. */
  readonly row: number
  /** Number of its rows. */
  readonly length: number
  /** Its rows as people read them; made when they are asked for, as most items are not. */
  rows(): readonly ExampleObject[]
}

/**
 * The items of a split in order: its rows, or groups of `group` rows on average. A group ends with a row whose digest is a multiple of
 * `group`, with four times as many rows, or with the split: where it ends depends on the rows close by alone.
 */
export async function* readItems(
  examples: ExamplesReader,
  split: string,
  {
    columns,
    group,
    signal,
  }: { readonly columns: readonly string[] | undefined; readonly group: number; readonly signal: AbortSignal },
): AsyncGenerator<Item> {
  const features = featuresDigest(examples, columns)
  const encoder = exampleEncoder()
  const sink = new ByteSink()
  let rows: { readonly batch: ExampleBatch; readonly row: number }[] = []
  let digests: Buffer[] = []
  let next = 0
  const take = (): Item => {
    const digest = digests.length === 1 ? digests[0]! : sha256(Buffer.concat(digests))
    const own = rows
    const item = { digest, row: next - own.length, length: own.length, rows: () => own.map(objectAt) }
    rows = []
    digests = []
    return item
  }
  for await (const batch of examples.read(split, { columns, signal })) {
    for (let row = 0; row < batch.length; row++) {
      sink.length = 0
      encoder.encode(batch, row, sink, 1)
      const digest = sha256(features, sink.bytes.subarray(0, sink.length))
      digests.push(digest)
      rows.push({ batch, row })
      next++
      if (group === 1 || rows.length === group * 4 || digest.readUInt32LE(0) % group === 0) yield take()
    }
  }
  if (rows.length > 0) yield take()
}

/** A feature without a value is not encoded, but a function sees it as null, and not what is not there: so it belongs to the item. */
function featuresDigest({ features }: ExamplesReader, columns: readonly string[] | undefined): Buffer {
  const seen = [...features].filter(([name]) => columns === undefined || columns.includes(name))
  return sha256(Buffer.from(JSON.stringify(seen)))
}

function objectAt({ batch, row }: { readonly batch: ExampleBatch; readonly row: number }): ExampleObject {
  return Object.fromEntries([...batch.columns].map(([feature, column]) => [feature, cellAt(column, row)]))
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
