import { createHash } from 'node:crypto'
import type { Digest } from '../base/digest.ts'
import { ByteSink } from '../base/proto/byte-sink.ts'
import type { ExampleBatch } from './batch.ts'
import { exampleEncoder } from './encode-examples.ts'
import type { ExamplesReader } from './examples-reader.ts'

/** Digests rows as they come. */
export interface RowsHash {
  add(batch: ExampleBatch): void
  /** Of all rows so far. */
  digest(): Digest
}

/**
 * Digests rows in their order, whatever they are kept in: SHA-256 of their one encoding as TFRecord, one after the other. How rows are cut into
 * batches, shards and files is not in it. Of a split that `createExamplesWriter` wrote it is the digest of its shards' bytes one after the other.
 */
export function rowsHash(): RowsHash {
  const hash = createHash('sha256')
  const encoder = exampleEncoder()
  const sink = new ByteSink()
  return {
    add(batch) {
      for (let row = 0; row < batch.length; ) {
        sink.length = 0
        row = encoder.encode(batch, row, sink, 1 << 20)
        hash.update(sink.bytes.subarray(0, sink.length))
      }
    },
    digest: () => `sha256:${hash.copy().digest('hex')}` as Digest,
  }
}

/**
 * Digest of a split's rows in their order; see `rowsHash`. Equal rows in TFRecord, in files of another program and in Parquet have the same.
 *
 * Throws what reading throws.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'digest-'))
 * const writer = await createExamplesWriter(directory)
 * await writer.write('all', batchOf([{ x: 1 }, { x: 2 }]))
 * await writer.finish()
 * const digest = await digestOfRows(await openExamples(directory), 'all')
 * digest.slice(0, 15) // 'sha256:ad2a6259'
 * await rm(directory, { recursive: true })
 */
export async function digestOfRows(
  examples: ExamplesReader,
  split: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Digest> {
  const hash = rowsHash()
  for await (const batch of examples.read(split, { signal })) hash.add(batch)
  return hash.digest()
}
