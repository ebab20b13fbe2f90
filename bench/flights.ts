// The whole flights pipeline, three million rows from Parquet to an evaluated model: the highest memory of any of its processes.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cli, testEnvironment } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, wall } from './support/measure.ts'
import { peakOf } from './support/peak.ts'

const root = process.env['BENCH_ROOT']!

export async function run(): Promise<BenchRow[]> {
  const scratch = mkdtempSync(join(root, 'node_modules/.zenml-flights-'))
  try {
    cpSync(join(root, 'examples/flights'), join(scratch, 'flights'), { recursive: true })
    cpSync(join(root, 'package-lock.json'), join(scratch, 'package-lock.json'))
    symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
    wall('git', ['init', '-q', scratch])
    wall(process.execPath, [cli, 'init'], { cwd: scratch, env: testEnvironment })
    const { ms, megabytes } = await peakOf(process.execPath, [cli, 'pipeline', 'run', 'flights/pipeline.ts'], {
      cwd: scratch,
      env: testEnvironment,
    })
    console.log(`flights: ${(ms / 1000).toFixed(0)} s (whole run), peak ${megabytes} MB`)
    return [{ bar: 'flights 3M rows peak RSS, MB', value: megabytes }]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
