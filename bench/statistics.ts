// Statistics and schema of a snapshot of 1M rows and 12 columns beside DuckDB's SUMMARIZE of the same data in a table of its own kind (Parquet),
// each in a process of its own. The peer reads its own columnar format, ours reads TFRecord.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type BenchRow, median, round, wall } from './support/measure.ts'
import { type Peak, peakOf } from './support/peak.ts'
import { writeRows } from './support/rows.ts'

const root = process.env['BENCH_ROOT']!

/** `statistics` takes the number of rows: `npm run bench -- statistics:100000`. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const scratch = mkdtempSync(join(tmpdir(), 'zenml-statistics-'))
  const built = mkdtempSync(join(root, 'node_modules/.zenml-statistics-'))
  try {
    const csv = join(scratch, 'data.csv')
    await writeRows(csv, rows)
    const duckdb = JSON.stringify(join(root, 'node_modules/@duckdb/node-api/lib/index.js'))
    const peerScript = (name: string, sql: string): string => {
      const path = join(scratch, `${name}.mjs`)
      writeFileSync(
        path,
        `import { DuckDBInstance } from ${duckdb}
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.runAndReadAll(${JSON.stringify(sql)})`,
      )
      return path
    }
    const parquet = join(scratch, 'data.parquet')
    wall(process.execPath, [peerScript('convert', `COPY (FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet)`)])
    const summarize = peerScript('summarize', `SUMMARIZE FROM '${parquet}'`)
    const snapshotScript = await ourScript(
      built,
      'snapshot',
      `import { cpSync } from 'node:fs'
import { runStep } from './packages/zenml/src/public/index.ts'
import { snapshot } from './packages/zenml/src/public/steps.ts'
const [path, size, to] = process.argv.slice(2)
const files = [{ name: 'data.csv', path, size: Number(size) }]
await using trial = await runStep(snapshot, { inputs: { source: { format: 'csv', options: {}, files } } })
cpSync(trial.directories.examples, to, { recursive: true })`,
    )
    const examples = join(scratch, 'examples')
    wall(process.execPath, [snapshotScript, csv, String(statSync(csv).size), examples])
    const statisticsScript = await ourScript(
      built,
      'statistics',
      `import { openExamples } from './packages/zenml/src/formats/examples-reader.ts'
import { runStep } from './packages/zenml/src/public/index.ts'
import { inferSchema, statistics } from './packages/zenml/src/public/steps.ts'
const examples = await openExamples(process.argv[2])
await using facts = await runStep(statistics, { inputs: { examples } })
await using trial = await runStep(inferSchema, { inputs: { statistics: facts.outputs.statistics } })
if (trial.outputs.schema.feature.length !== 12) throw new Error('not 12 features')`,
    )
    const peer: number[] = []
    const ours: Peak[] = []
    wall(process.execPath, [summarize])
    for (let turn = 0; turn < 3; turn++) {
      peer.push(wall(process.execPath, [summarize]))
      ours.push(await peakOf(process.execPath, [statisticsScript, examples]))
    }
    const time = median(ours.map(({ ms }) => ms))
    const peerTime = median(peer)
    const megabytes = Math.max(...ours.map((one) => one.megabytes))
    console.log(
      `${rows} rows, medians of 3: statistics and schema ${time.toFixed(0)} ms, DuckDB SUMMARIZE ${peerTime.toFixed(0)} ms; peak ${megabytes} MB`,
    )
    return [
      { bar: 'statistics and schema / DuckDB SUMMARIZE', value: round(time / peerTime) },
      { bar: 'statistics 1M x 12 peak RSS, MB', value: megabytes },
    ]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    rmSync(built, { recursive: true, force: true })
  }
}

async function ourScript(directory: string, name: string, contents: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`)
  await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    conditions: ['zenml-source'],
    outfile,
  })
  return outfile
}
