import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli, testEnvironment, testProject } from '../../packages/zenml/test/support/project.ts'
import { median, wall } from './measure.ts'
import { type Peak, peakOf } from './peak.ts'
import { writeRows } from './rows.ts'

const root = process.env['BENCH_ROOT']!

/** What a snapshot of a file took, and DuckDB's conversions of the same file, each as a whole process. */
export interface SnapshotTimes {
  readonly ms: number
  /** Milliseconds by target; empty where there are more than a million rows. */
  readonly peers: { readonly [target: string]: number }
  readonly megabytes: number
}

/**
 * Takes a snapshot of a file of rows, of 12 columns, as CSV or as Parquet, beside DuckDB's own conversions of that file to the formats of
 * `targets`; medians of three rounds, in turn. Beyond a million rows only the snapshot, once.
 */
export async function timeSnapshot(
  format: 'csv' | 'parquet',
  rows: number,
  targets: readonly ('csv' | 'parquet')[],
): Promise<SnapshotTimes> {
  const scratch = mkdtempSync(join(tmpdir(), 'zenml-snapshot-'))
  using project = testProject()
  try {
    const duckdb = (name: string, statement: string): string => {
      const script = join(scratch, `${name}.mjs`)
      writeFileSync(
        script,
        `import { DuckDBInstance } from ${JSON.stringify(join(root, 'node_modules/@duckdb/node-api/lib/index.js'))}
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run(${JSON.stringify(statement)})`,
      )
      return script
    }
    const csv = join(format === 'csv' ? project.root : scratch, 'data.csv')
    await writeRows(csv, rows)
    const file = join(project.root, `data.${format}`)
    if (format === 'parquet')
      wall(process.execPath, [duckdb('write', `COPY (SELECT * FROM read_csv('${csv}')) TO '${file}' (FORMAT parquet)`)])
    project.write({
      'pipeline.yaml': `version: 1\npipeline: file\ndatasources: { data: { path: data.${format} } }\nsteps:\n  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.data }, cache: false }\n`,
      '.gitignore': `node_modules/\n.zenml/\ndata.${format}\n`,
    })
    project.commit()
    const oursOnce = (): Promise<Peak> => {
      // An empty store each time: what it holds already is not written again.
      rmSync(join(project.root, '.zenml/artifacts'), { recursive: true, force: true })
      return peakOf(process.execPath, [cli, 'pipeline', 'run', 'pipeline.yaml'], {
        cwd: project.root,
        env: testEnvironment,
      })
    }
    if (rows > 1_000_000) return { ...(await oursOnce()), peers: {} }
    const read = format === 'csv' ? 'read_csv' : 'read_parquet'
    const scripts = targets.map((target) =>
      duckdb(
        target,
        `COPY (SELECT * FROM ${read}('${file}')) TO '${join(scratch, `out.${target}`)}' (FORMAT ${target})`,
      ),
    )
    for (const script of scripts) wall(process.execPath, [script])
    const peers = targets.map((): number[] => [])
    const ours: Peak[] = []
    for (let round = 0; round < 3; round++) {
      for (const [index, script] of scripts.entries()) peers[index]!.push(wall(process.execPath, [script]))
      ours.push(await oursOnce())
    }
    return {
      ms: median(ours.map(({ ms }) => ms)),
      peers: Object.fromEntries(targets.map((target, index) => [target, median(peers[index]!)])),
      megabytes: Math.max(...ours.map((run) => run.megabytes)),
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
