// Comparing two snapshots of 1M rows and 12 columns that differ in 1 % of rows, against reading both.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExampleBatch, FloatColumn } from '../packages/zenml/src/formats/batch.ts'
import { type DiffSide, diffExamples } from '../packages/zenml/src/formats/diff-examples.ts'
import { createExamplesWriter, openExamples } from '../packages/zenml/src/formats/examples.ts'
import { type BenchRow, median, round } from './support/measure.ts'
import { tableBatches } from './support/table.ts'

const rounds = 5

/** `diff` takes the number of rows. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const changed = Math.floor(rows / 100)
  const directory = await mkdtemp(join(tmpdir(), 'zenml-diff-'))
  try {
    const before = await snapshot(join(directory, 'before'), rows, () => false)
    /** One stretch of rows, as a table has that is appended to or whose newest rows change. */
    const stretch = await snapshot(
      join(directory, 'stretch'),
      rows,
      (row) => row >= rows / 2 && row < rows / 2 + changed,
    )
    /** Every hundredth row: no shard is as it was. */
    const scattered = await snapshot(join(directory, 'scattered'), rows, (row) => row % 100 === 50)
    const ratios: { [name: string]: number[] } = {}
    const add = (name: string, value: number): void => {
      ratios[name] = [...(ratios[name] ?? []), value]
    }
    for (let round = 0; round <= rounds; round++) {
      for (const [name, after] of Object.entries({ stretch, scattered })) {
        const reading = await seconds(async () => {
          for (const { examples } of [before, after]) for await (const _ of examples.read('all'));
        })
        for (const key of [undefined, ['id']]) {
          const took = await seconds(async () => {
            const { splits } = await diffExamples(before, after, { key })
            const { added, changed: counted } = splits['all']!
            if ((counted ?? added) !== changed) throw new Error(`found ${counted ?? added} rows instead of ${changed}`)
          })
          // The first round warms up.
          if (round === 0) continue
          add(`${name}${key === undefined ? '' : ', by key'}`, took / reading)
          add(`${name}${key === undefined ? '' : ', by key'}, s`, took)
          if (key === undefined) add('reading both, s', reading)
        }
      }
    }
    for (const [name, values] of Object.entries(ratios)) console.log(name, round(median(values)))
    return ['stretch', 'stretch, by key', 'scattered', 'scattered, by key'].map((name) => ({
      bar: `diff of 1M rows, 1 % changed (${name}) / reading both`,
      value: round(median(ratios[name]!)),
    }))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function snapshot(directory: string, rows: number, isChanged: (row: number) => boolean): Promise<DiffSide> {
  const writer = await createExamplesWriter(directory)
  let first = 0
  for await (const batch of tableBatches(0, rows)) {
    await writer.write('all', edited(batch, first, isChanged))
    first += batch.length
  }
  await writer.finish()
  const digests = new Map<string, string>()
  for (const name of await readdir(join(directory, 'Split-all'))) {
    const bytes = await readFile(join(directory, 'Split-all', name))
    digests.set(`Split-all/${name}`, createHash('sha256').update(bytes).digest('hex'))
  }
  return { examples: await openExamples(directory), digests }
}

function edited(batch: ExampleBatch, first: number, isChanged: (row: number) => boolean): ExampleBatch {
  const { values } = batch.columns.get('price') as FloatColumn
  const price: FloatColumn = {
    kind: 'float',
    values: values.map((value, row) => (isChanged(first + row) ? value + 1000 : value)),
  }
  return { length: batch.length, columns: new Map(batch.columns).set('price', price) }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - started) / 1e9
}
