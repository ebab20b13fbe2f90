// A CSV file of 1M rows and 12 columns to a TFRecord snapshot beside DuckDB's conversion of the same file to Parquet, each in a process of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli, testEnvironment, testProject } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, median, round, wall } from './support/measure.ts'
import { type Peak, peakOf } from './support/peak.ts'
import { writeRows } from './support/rows.ts'

const root = process.env['BENCH_ROOT']!

/** `csv` takes the number of rows: `npm run bench -- csv:100000`. Default one million. */
export async function run([given]: readonly string[]): Promise<BenchRow[]> {
  const rows = Number(given ?? 1_000_000)
  const scratch = mkdtempSync(join(tmpdir(), 'zenml-csv-'))
  using project = testProject()
  try {
    await writeRows(join(project.root, 'data.csv'), rows)
    project.write({
      'pipeline.yaml':
        'version: 1\npipeline: csv\ndatasources: { data: { path: data.csv } }\nsteps:\n  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.data }, cache: false }\n',
      '.gitignore': 'node_modules/\n.zenml/\ndata.csv\n',
    })
    project.commit()
    const script = join(scratch, 'peer.mjs')
    writeFileSync(
      script,
      `import { DuckDBInstance } from ${JSON.stringify(join(root, 'node_modules/@duckdb/node-api/lib/index.js'))}
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run("COPY (SELECT * FROM read_csv('${join(project.root, 'data.csv')}')) TO '${join(scratch, 'data.parquet')}' (FORMAT parquet)")`,
    )
    const peerOnce = (): number => wall(process.execPath, [script])
    const oursOnce = (): Promise<Peak> =>
      peakOf(process.execPath, [cli, 'pipeline', 'run', 'pipeline.yaml'], { cwd: project.root, env: testEnvironment })
    if (rows > 1_000_000) {
      const { ms, megabytes } = await oursOnce()
      console.log(`${rows} rows: snapshot ${ms.toFixed(0)} ms (whole run), peak ${megabytes} MB`)
      return [{ bar: `CSV ${rows / 1e6}M x 12 peak RSS, MB`, value: megabytes }]
    }
    peerOnce()
    const peer: number[] = []
    const ours: Peak[] = []
    for (let round = 0; round < 3; round++) {
      peer.push(peerOnce())
      ours.push(await oursOnce())
    }
    const time = median(ours.map(({ ms }) => ms))
    const peerTime = median(peer)
    const megabytes = Math.max(...ours.map((run) => run.megabytes))
    console.log(
      `${rows} rows, medians of 3: snapshot ${time.toFixed(0)} ms (a whole run: plan, digests, store, metadata), DuckDB ${peerTime.toFixed(0)} ms (whole process); peak ${megabytes} MB`,
    )
    return [
      { bar: 'CSV 1M x 12 to snapshot / DuckDB CSV to Parquet', value: round(time / peerTime) },
      { bar: 'CSV 1M x 12 peak RSS, MB', value: megabytes },
    ]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
