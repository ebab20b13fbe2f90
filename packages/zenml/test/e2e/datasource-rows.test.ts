import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

let project: TestProject
const runs: string[] = []

const points = ['id,name,x', ...Array.from({ length: 300 }, (_, id) => `${id},name ${id},${id}.5`)]

beforeAll(async () => {
  project = testProject()
  project.write({
    'pipeline.yaml': `
version: 1
pipeline: points
datasources:
  points: { path: data/points.csv }
steps:
  snapshot:
    source: zenml/steps#snapshot
    inputs: { source: datasources.points }
  statistics:
    source: zenml/steps#statistics
    inputs: { examples: snapshot.examples }
`,
  })
  const edited = points.filter((_, line) => line !== 10).map((line) => line.replace('name 77,', 'other,'))
  for (const lines of [points, [...edited, '300,new,1.5']]) {
    project.write({ 'data/points.csv': `${lines.join('\n')}\n` })
    runs.push((await project.json('pipeline', 'run', 'pipeline.yaml')).run)
  }
}, 60_000)
afterAll(() => project[Symbol.dispose]())

it('compares two snapshots of a datasource and leaves nothing behind', async () => {
  const names = runs.map((run) => `${run}/snapshot.examples`)
  const found = await project.json('datasource', 'diff', ...names, '--key', 'id')
  expect(found).toMatchObject({ key: ['id'], features: [] })
  expect(found.splits.all).toMatchObject({ before: 300, after: 300, added: 1, removed: 1, changed: 1, same: 298 })
  const { stdout, code } = await project.zenml('datasource', 'diff', found.before.slice(0, 20), found.after)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^SPLIT +BEFORE +AFTER +ADDED +REMOVED +CHANGED +SAME +SHARDS READ$/m)
  expect(stdout).toMatch(/^all +300 +300 +2 +2 +- +298 +2 of 2$/m)
  const same = await project.json('datasource', 'diff', found.before, found.before)
  expect(same.splits.all).toMatchObject({ same: 300, shardsRead: 0 })
  expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
})

it('writes a snapshot as Parquet, of which a datasource gives the same snapshot', async () => {
  const name = `${runs[0]}/snapshot.examples`
  const exported = await project.json('datasource', 'export', name, 'parquet')
  expect(exported).toMatchObject({
    format: 'parquet',
    directory: join(project.root, 'parquet'),
    splits: { all: { rows: 300, files: ['Split-all/data-00000-of-00001.parquet'] } },
  })
  project.write({
    'parquet.yaml': `
version: 1
pipeline: parquet
datasources:
  points: { path: 'parquet/Split-all/*.parquet' }
steps:
  snapshot:
    source: zenml/steps#snapshot
    inputs: { source: datasources.points }
`,
  })
  const { run } = await project.json('pipeline', 'run', 'parquet.yaml')
  expect((await project.json('datasource', 'diff', name, `${run}/snapshot.examples`)).after).toBe(exported.artifact)
  const { stdout, code } = await project.zenml('datasource', 'export', name, 'text')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^all +300 +1 +sha256:[0-9a-f]{64}$/m)
  expect(stdout).toContain('Written to text and read back: the rows are the same.')
  expect((await project.json('datasource', 'export', name, 'text')).error.code).toBe('ZEN_EXPORT_TARGET')
  expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
})

it('says which key there is, and that only Examples have rows', async () => {
  const names = runs.map((run) => `${run}/snapshot.examples`)
  const { error } = await project.json('datasource', 'diff', ...names, '--key', 'di')
  expect(error).toMatchObject({ code: 'ZEN_DIFF_KEY', next: 'Take some of id, name, x.' })
  const other = await project.json('datasource', 'diff', names[0]!, `${runs[0]}/statistics.statistics`)
  expect(other.error.code).toBe('ZEN_ARTIFACT_TYPE')
})

it('shows rows at random, the same for the same seed', async () => {
  const name = `${runs[0]}/snapshot.examples`
  const sample = await project.json('datasource', 'sample', name, '--rows', '5')
  expect(sample).toMatchObject({ seed: 0, features: { id: 'int', name: 'bytes', x: 'float' } })
  expect(sample.rows).toHaveLength(5)
  for (const { split, row, values } of sample.rows)
    expect([split, values]).toEqual(['all', { id: row, name: `name ${row}`, x: row + 0.5 }])
  expect(await project.json('datasource', 'sample', name, '--rows', '5')).toEqual(sample)
  const other = await project.json('datasource', 'sample', name, '--rows', '5', '--seed', '1')
  expect(other.rows).not.toEqual(sample.rows)
  const { stdout } = await project.zenml('datasource', 'sample', name, '--rows', '1', '--split', 'all')
  expect(stdout).toMatch(/^SPLIT +ROW +id +name +x\nall +(\d+) +\1 +name \1 +\1\.5\n$/)
  for (const [option, value, code] of [
    ['--rows', '0', 'ZEN_USAGE'],
    ['--seed', '-1', 'ZEN_USAGE'],
    ['--split', 'eval', 'ZEN_EXAMPLES_SPLIT'],
  ] as const)
    expect((await project.json('datasource', 'sample', name, option, value)).error.code).toBe(code)
})
