import { seededRandom } from '../../packages/zenml/src/base/random.ts'
import type { ExampleBatch } from '../../packages/zenml/src/formats/batch.ts'
import { batchOf } from '../../packages/zenml/src/formats/examples.ts'

const size = 4096

/** Rows `from` to before `to` of an endless table of 12 columns: four whole numbers, four fractions, four texts. A row is the same wherever one begins. */
export async function* tableBatches(from: number, to: number): AsyncGenerator<ExampleBatch> {
  for (let block = Math.floor(from / size); block * size < to; block++) {
    const random = seededRandom(`table ${block}`)
    const rows = Array.from({ length: size }, (_, index) => {
      const row: { [feature: string]: number | string } = { id: block * size + index }
      for (const name of ['count', 'age', 'code']) row[name] = random.integer(name === 'age' ? 100 : 1_000_000)
      for (const name of ['price', 'mass', 'height', 'share']) row[name] = random.next() * 1000
      for (const name of ['city', 'word', 'colour', 'name'])
        row[name] = `${name}-${random.integer(name === 'name' ? 1_000_000 : 200)}`
      return row
    })
    const wanted = rows.slice(Math.max(0, from - block * size), to - block * size)
    yield batchOf(wanted, { price: 'float', mass: 'float', height: 'float', share: 'float' })
  }
}
