// A Parquet file of 1M rows and 12 columns to a TFRecord snapshot beside DuckDB's conversions of the same file: to a format of rows (CSV), as TFRecord is one,
// and to Parquet anew, which leaves columns what they are. Each in a process of its own.
import { type BenchRow, round } from './support/measure.ts'
import { timeSnapshot } from './support/snapshot-times.ts'

/** `parquet` takes the number of rows: `npm run bench -- parquet:100000`. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const { ms, peers, megabytes } = await timeSnapshot('parquet', rows, ['csv', 'parquet'])
  const peak = { bar: `Parquet ${rows > 1e6 ? rows / 1e6 : 1}M x 12 peak RSS, MB`, value: megabytes }
  console.log(
    `${rows} rows: snapshot ${ms.toFixed(0)} ms (a whole run: plan, digests, store, metadata), peak ${megabytes} MB`,
  )
  const { csv, parquet } = peers
  if (csv === undefined || parquet === undefined) return [peak]
  console.log(
    `DuckDB to CSV ${csv.toFixed(0)} ms, to Parquet anew ${parquet.toFixed(0)} ms (whole processes); medians of 3`,
  )
  return [
    { bar: 'Parquet 1M x 12 to snapshot / DuckDB Parquet to CSV', value: round(ms / csv) },
    { bar: 'Parquet 1M x 12 to snapshot / DuckDB Parquet to Parquet', value: round(ms / parquet) },
    peak,
  ]
}
