// A CSV file of 1M rows and 12 columns to a TFRecord snapshot beside DuckDB's conversion of the same file to Parquet, each in a process of its own.
import { type BenchRow, round } from './support/measure.ts'
import { timeSnapshot } from './support/snapshot-times.ts'

/** `csv` takes the number of rows: `npm run bench -- csv:100000`. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const { ms, peers, megabytes } = await timeSnapshot('csv', rows, ['parquet'])
  const peak = { bar: `CSV ${rows > 1e6 ? rows / 1e6 : 1}M x 12 peak RSS, MB`, value: megabytes }
  console.log(
    `${rows} rows: snapshot ${ms.toFixed(0)} ms (a whole run: plan, digests, store, metadata), peak ${megabytes} MB`,
  )
  const peer = peers['parquet']
  if (peer === undefined) return [peak]
  console.log(`DuckDB ${peer.toFixed(0)} ms (whole process); medians of 3`)
  return [{ bar: 'CSV 1M x 12 to snapshot / DuckDB CSV to Parquet', value: round(ms / peer) }, peak]
}
