// Storing a file of 1 GiB (read, hashed, written, synced) beside `sha256sum` of it, which only reads and hashes, and beside a copy by
// `dd` that is synced, which does not hash: where the disk is slower than the hash, that is the limit.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { localBlobStorage } from '../packages/zenml/src/artifacts/local-blob-storage.ts'
import { type BenchRow, median, round, wall } from './support/measure.ts'

const size = 1 << 30
const rounds = 3

export async function run(): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-store-'))
  try {
    const file = join(directory, 'data')
    const stream = createWriteStream(file)
    const block = Buffer.alloc(1 << 20)
    for (let index = 0; index < size >> 20; index++) {
      block.writeUInt32LE(index)
      if (!stream.write(Buffer.from(block)))
        await new Promise((resolve) => stream.once('drain', () => resolve(undefined)))
    }
    stream.end()
    await finished(stream)
    wall('sync', [])
    wall('sha256sum', [file])
    const times = { store: [] as number[], peer: [] as number[], copy: [] as number[] }
    for (let index = 0; index < rounds; index++) {
      times.peer.push(wall('sha256sum', [file]))
      const copy = join(directory, 'copy')
      times.copy.push(wall('dd', [`if=${file}`, `of=${copy}`, 'bs=1M', 'conv=fsync', 'status=none']))
      rmSync(copy)
      const store = join(directory, `store-${index}`)
      const started = performance.now()
      await localBlobStorage(store).putFiles([file])
      times.store.push(performance.now() - started)
      rmSync(store, { recursive: true, force: true })
    }
    console.log(
      `store ${median(times.store).toFixed(0)} ms, sha256sum ${median(times.peer).toFixed(0)} ms, a synced copy ${median(times.copy).toFixed(0)} ms (medians of ${rounds})`,
    )
    return [
      { bar: 'store 1 GiB / sha256sum', value: round(median(times.store) / median(times.peer)) },
      { bar: 'store 1 GiB / synced copy', value: round(median(times.store) / median(times.copy)) },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
