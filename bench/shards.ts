// What of a snapshot of 1M rows and 12 columns is written anew when 1 % of rows come to its end, or one row goes from its middle.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExampleBatch } from '../packages/zenml/src/formats/batch.ts'
import { createExamplesWriter } from '../packages/zenml/src/formats/examples.ts'
import { selectRows } from '../packages/zenml/src/formats/select-rows.ts'
import { type BenchRow, round } from './support/measure.ts'
import { tableBatches } from './support/table.ts'

/** `shards` takes the number of rows. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const before = await shardsOf(tableBatches(0, rows))
  const total = [...before.values()].reduce((sum, size) => sum + size, 0)
  console.log(`${rows} rows: ${before.size} shards, ${(total / 1e6).toFixed(0)} MB`)
  async function* without(row: number): AsyncGenerator<ExampleBatch> {
    let first = 0
    for await (const batch of tableBatches(0, rows)) {
      const at = row - first
      first += batch.length
      if (at < 0 || at >= batch.length) yield batch
      else
        yield selectRows(
          batch,
          Uint32Array.from({ length: batch.length - 1 }, (_, index) => index + (index < at ? 0 : 1)),
        )
    }
  }
  const share = async (batches: AsyncIterable<ExampleBatch>): Promise<number> => {
    const after = await shardsOf(batches)
    const written = [...after].filter(([digest]) => !before.has(digest)).reduce((sum, [, size]) => sum + size, 0)
    return round((100 * written) / total)
  }
  return [
    {
      bar: 'bytes of a snapshot written anew for 1 % more rows, %',
      value: await share(tableBatches(0, Math.floor(rows * 1.01))),
    },
    { bar: 'bytes of a snapshot written anew for one row less, %', value: await share(without(Math.floor(rows / 2))) },
  ]
}

/** Sizes of the shards by digest. */
async function shardsOf(batches: AsyncIterable<ExampleBatch>): Promise<Map<string, number>> {
  const directory = await mkdtemp(join(tmpdir(), 'zenml-shards-'))
  try {
    const writer = await createExamplesWriter(directory)
    for await (const batch of batches) await writer.write('all', batch)
    await writer.finish()
    const found = new Map<string, number>()
    for (const name of await readdir(join(directory, 'Split-all'))) {
      const bytes = await readFile(join(directory, 'Split-all', name))
      found.set(createHash('sha256').update(bytes).digest('hex'), bytes.length)
    }
    return found
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
