import { type FileHandle, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { ByteSink } from '../base/proto/byte-sink.ts'
import type { ExampleBatch, FeatureKind } from './batch.ts'
import { exampleEncoder } from './encode-examples.ts'
import { type ShardSizes, shardCut, shardSizes } from './shard-cut.ts'

/** What `examples.json` says of the files beside it. */
export interface ExamplesSummary {
  readonly format: 1
  /** Kind by feature name. */
  readonly features: { readonly [feature: string]: FeatureKind }
  readonly splits: {
    readonly [split: string]: {
      readonly rows: number
      /** Rows of each shard, in order. */
      readonly shards: readonly number[]
    }
  }
}

/** Writes examples split by split; `finish` makes them visible, `abort` leaves nothing. */
export interface ExamplesWriter {
  /** Appends a batch to a split. The batch may be used again when the promise is fulfilled. Calls may overlap; their order counts. */
  write(split: string, batch: ExampleBatch): Promise<void>
  /** Makes a split that may stay without rows. */
  declare(split: string): Promise<void>
  /** Completes the files, names them and writes `examples.json`. Nothing can be written afterwards. */
  finish(): Promise<ExamplesSummary>
  /** Removes all that was written. */
  abort(): Promise<void>
}

/** Name of the file that says which splits, shards and features there are. */
export const summaryFile = 'examples.json'

/** Name of a shard: `data_tfrecord-00000-of-00004`. */
export function shardName(index: number, count: number): string {
  return `data_tfrecord-${String(index).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`
}

/** How many encoded bytes are gathered before they are written. */
const flushBytes = 1 << 20

const splitPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/**
 * Starts writing examples below a directory: `Split-<name>/data_tfrecord-00000-of-00004` and `examples.json`. A shard ends by the
 * content of its last record, at `shardBytes` (default 1 MiB) on average (see `shardSizes`): the bytes depend on the rows and their order alone,
 * never on how they are cut into batches. Memory is bounded by about 2 MiB for each split.
 *
 * Throws `ZEN_EXAMPLES_KIND` where a feature changes its kind, `ZEN_EXAMPLES_SPLIT` for a name that makes no directory, and what
 * the encoder throws. After a throw only `abort` is of use.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'examples-'))
 * const writer = await createExamplesWriter(directory)
 * await writer.write('train', batchOf([{ x: 1 }, { x: 2 }]))
 * await writer.finish() // Split-train/data_tfrecord-00000-of-00001 and examples.json
 * await rm(directory, { recursive: true })
 */
export async function createExamplesWriter(
  directory: string,
  options: { readonly shardBytes?: number } = {},
): Promise<ExamplesWriter> {
  const { shardBytes = 1024 * 1024 } = options
  await mkdir(directory, { recursive: true })
  const splits = new Map<string, SplitWriter>()
  const features = new Map<string, FeatureKind>()
  let queue: Promise<unknown> = Promise.resolve()
  let ended = false
  let summarised = false

  /** One call after the other; after a failure all that follow fail with it. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work)
    queue = result
    queue.catch(() => undefined) // the caller has `result`
    return result
  }

  async function splitOf(name: string): Promise<SplitWriter> {
    if (ended) throw new Error('these examples are already finished or aborted')
    let split = splits.get(name)
    if (split === undefined) {
      if (!splitPattern.test(name)) {
        throw new ZenmlError('ZEN_EXAMPLES_SPLIT', `${JSON.stringify(name)} cannot name a split.`, {
          facts: { split: name },
          next: 'Use 1 to 100 letters, digits, ".", "_" and "-", beginning with a letter or digit.',
        })
      }
      split = new SplitWriter(join(directory, `Split-${name}`), shardBytes)
      await mkdir(split.directory)
      splits.set(name, split)
    }
    return split
  }

  function write(name: string, batch: ExampleBatch): Promise<void> {
    return inTurn(async () => {
      const split = await splitOf(name)
      for (const [feature, { kind }] of batch.columns) {
        const before = features.get(feature)
        if (before === undefined) features.set(feature, kind)
        else if (before !== kind) {
          throw new ZenmlError(
            'ZEN_EXAMPLES_KIND',
            `The feature ${JSON.stringify(feature)} was of kind ${before} and is now of kind ${kind}, in split "${name}".`,
            {
              facts: { feature, before, now: kind, split: name },
              next: 'Give all batches the same kind for a feature.',
              exitCode: 1,
            },
          )
        }
      }
      await split.write(batch)
    })
  }

  function declare(name: string): Promise<void> {
    return inTurn(async () => void (await splitOf(name)))
  }

  function finish(): Promise<ExamplesSummary> {
    return inTurn(async () => {
      const names = [...splits.keys()].sort(compareText)
      const summary: ExamplesSummary = {
        format: 1,
        features: Object.fromEntries([...features].sort(([left], [right]) => compareText(left, right))),
        splits: Object.fromEntries(
          await Promise.all(names.map(async (name) => [name, await splits.get(name)!.finish()] as const)),
        ),
      }
      ended = true
      await writeFile(join(directory, summaryFile), `${canonicalJson(summary as never)}\n`, { flag: 'wx' })
      summarised = true
      return summary
    })
  }

  async function abort(): Promise<void> {
    await queue.catch(() => undefined) // whoever made the failing call has the error
    ended = true
    await Promise.allSettled([...splits.values()].map((split) => split.end()))
    for (const split of splits.values()) await rm(split.directory, { recursive: true, force: true })
    if (summarised) await rm(join(directory, summaryFile), { force: true })
  }

  return { write, declare, finish, abort }
}

class SplitWriter {
  readonly directory: string
  private readonly shardBytes: number
  private readonly encoder = exampleEncoder()
  private sink = new ByteSink(flushBytes + (flushBytes >> 3))
  private spare = new ByteSink(flushBytes + (flushBytes >> 3))
  private file: FileHandle | undefined
  /** The write under way, of `spare`. */
  private pending: Promise<unknown> = Promise.resolve()
  /** The shard before the open one, on its way to the disk. */
  private closing: Promise<unknown> = Promise.resolve()
  /** Rows of each shard. */
  private readonly shards: number[] = []
  /** Bytes of the open shard that are no longer in the sink. */
  private flushed = 0
  /** Bytes of the shards before it. */
  private written = 0
  private sizes: ShardSizes

  constructor(directory: string, shardBytes: number) {
    this.directory = directory
    this.shardBytes = shardBytes
    this.sizes = shardSizes(0, shardBytes)
  }

  async write(batch: ExampleBatch): Promise<void> {
    let row = 0
    while (row < batch.length) {
      if (this.file === undefined) await this.openShard()
      const { most } = this.sizes
      const limit = Math.min(flushBytes, most - this.flushed)
      const cut = shardCut(this.sizes, this.flushed)
      const next = this.encoder.encode(batch, row, this.sink, limit, cut)
      this.shards[this.shards.length - 1]! += next - row
      row = next
      if (cut.found || this.sink.length >= limit) await this.flush()
      if (cut.found || this.flushed >= most) await this.endShard()
    }
  }

  private async openShard(): Promise<void> {
    this.file = await open(this.partPath(this.shards.length), 'wx')
    this.shards.push(0)
    this.flushed = 0
    this.sizes = shardSizes(this.written, this.shardBytes)
  }

  private async endShard(): Promise<void> {
    this.written += this.flushed
    await this.close()
  }

  /** Hands the sink's bytes to the file; the write goes on while the other sink fills. */
  private async flush(): Promise<void> {
    await this.pending
    const { sink, file } = this
    this.sink = this.spare
    this.sink.length = 0
    this.spare = sink
    this.flushed += sink.length
    this.pending = writeAll(file!, sink.bytes.subarray(0, sink.length))
    this.pending.catch(() => undefined) // thrown by the next `await this.pending`
  }

  /** Closes the open shard, but for what is in the sink: `flush` writes that. It goes on to the disk while the next one is encoded. */
  private async close(): Promise<void> {
    const { file, pending, closing } = this
    this.file = undefined
    if (file !== undefined) {
      this.closing = pending.then(() => file.datasync()).finally(() => file.close())
      this.closing.catch(() => undefined) // thrown by the next `close`
    }
    await closing
  }

  /** Closes all that is open. */
  async end(): Promise<void> {
    await this.close().finally(() => this.closing)
  }

  async finish(): Promise<{ rows: number; shards: number[] }> {
    if (this.shards.length === 0) await this.openShard()
    if (this.file !== undefined && this.sink.length > 0) await this.flush()
    await this.end()
    const { shards } = this
    for (let index = 0; index < shards.length; index++) {
      await rename(this.partPath(index), join(this.directory, shardName(index, shards.length)))
    }
    return { rows: shards.reduce((sum, rows) => sum + rows, 0), shards }
  }

  private partPath(index: number): string {
    return join(this.directory, `.part-${String(index).padStart(5, '0')}`)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0
  while (at < bytes.length) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
}
