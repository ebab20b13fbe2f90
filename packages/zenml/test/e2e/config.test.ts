import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

let project: TestProject
beforeAll(() => {
  project = testProject({ ownFile: true })
  project.write(numbersPipeline)
  project.write({ '.gitignore': 'node_modules/\n.zenml/\nshared/\n' })
  project.commit()
})
afterAll(() => project[Symbol.dispose]())

it('stores that are set are used by every command after it', async () => {
  expect(await project.json('config', 'metadata', 'get')).toEqual({ metadata: { type: 'sqlite', path: 'metadata.db' } })
  await project.json('config', 'metadata', 'set', 'sqlite', '--uri=shared/team.db')
  await project.json('config', 'artifacts', 'set', 'shared/artifacts')
  const { metadata, artifacts } = await project.json('config', 'list')
  expect([metadata.path, artifacts.path]).toEqual([
    join(project.root, 'shared/team.db'),
    join(project.root, 'shared/artifacts'),
  ])
  const run = await project.json('pipeline', 'run', 'pipeline.yaml')
  expect(run.status).toBe('complete')
  expect(existsSync(join(project.root, 'shared/artifacts/blobs'))).toBe(true)
  expect((await project.json('pipeline', 'runs')).runs).toHaveLength(1)
  await project.json('config', 'metadata', 'set', 'sqlite', '--uri=.zenml/metadata.db')
  expect((await project.json('config', 'list')).metadata.path).toBe('metadata.db')
  expect((await project.json('pipeline', 'runs')).runs).toHaveLength(0)
  expect((await project.zenml('config', 'artifacts', 'get')).stdout).toContain('shared/artifacts')
})

it('a store on a network file system keeps no shared memory: its journal is deleted, for as long as the project says so', async () => {
  using project = testProject({ ownFile: true })
  project.write(numbersPipeline)
  project.commit()
  const file = join(project.root, '.zenml/metadata.db')
  const journalOf = (): unknown => {
    const database = new Sqlite(file, { readonly: true })
    const journal = database.pragma('journal_mode', { simple: true })
    database.close()
    return journal
  }
  expect(journalOf()).toBe('wal')
  const set = ['config', 'metadata', 'set', 'sqlite', '--uri=.zenml/metadata.db']
  expect((await project.zenml(...set, '--journal=off')).stderr).toContain('ZEN_USAGE')
  const { metadata } = await project.json(...set, '--journal=delete')
  expect(metadata).toEqual({ type: 'sqlite', path: 'metadata.db', journal: 'delete' })
  expect(journalOf()).toBe('delete')
  expect((await project.json('pipeline', 'run', 'pipeline.yaml')).status).toBe('complete')
  expect(readdirSync(join(project.root, '.zenml')).filter((name) => /-(wal|shm|journal)$/.test(name))).toEqual([])
  // Another program may have changed it.
  const other = new Sqlite(file)
  other.pragma('journal_mode = WAL')
  other.close()
  expect((await project.json('pipeline', 'runs')).runs).toHaveLength(1)
  expect(journalOf()).toBe('delete')
  const { code, stdout } = await project.zenml('pipeline', 'config', '@latest')
  expect([code, stdout]).toEqual([0, expect.stringContaining('path: .zenml/metadata.db')])
  expect(stdout).not.toContain('journal')
  await project.json(...set, '--journal=wal')
  expect(journalOf()).toBe('wal')
})

it('a store that cannot be opened is refused, and nothing changes', async () => {
  const before = project.read('.zenml/config.json')
  project.write({ 'shared/no.db': 'this is no database' })
  writeFileSync(join(project.root, 'shared/file'), '')
  for (const args of [
    ['metadata', 'set', 'sqlite', '--uri=shared/no.db'],
    ['metadata', 'set', 'sqlite'],
    ['metadata', 'set', 'oracle', '--uri=x'],
    ['metadata', 'set', 'sqlite', '--uri=file:relative.db'],
    ['artifacts', 'set', 'shared/file/inside'],
    ['artifacts', 'set', 'ftp://somewhere/else'],
  ]) {
    const { code, stderr } = await project.zenml('config', ...args)
    expect([args, code === 0]).toEqual([args, false])
    expect(stderr).toMatch(/ZEN_[A-Z_]+/)
  }
  expect(project.read('.zenml/config.json')).toBe(before)
})

it('what writers left half-written in the store a day ago is removed by the next run that executes', async () => {
  await project.json('config', 'artifacts', 'set', '.zenml/artifacts')
  const temporary = join(project.root, '.zenml/artifacts/tmp')
  mkdirSync(temporary, { recursive: true })
  const [old, fresh] = ['1-old', '1-fresh'].map((name) => join(temporary, name)) as [string, string]
  for (const path of [old, fresh]) writeFileSync(path, 'half')
  const longAgo = Date.now() / 1000 - 2 * 86_400
  utimesSync(old, longAgo, longAgo)
  await project.json('pipeline', 'run', 'pipeline.yaml', '--no-cache')
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true])
})

it('lineage is a tree for people', async () => {
  const { stdout } = await project.zenml('artifact', 'lineage', '@latest/double.numbers')
  expect(stdout).toMatch(/^double\.numbers {2}Json/)
  expect(stdout).toContain('made by double in run')
  expect(stdout).toContain('└─ numbers: make.numbers')
  expect(stdout).toContain('used by sum in run')
  expect(stdout).toContain('└─ total: sum.total')
})

it('sources of steps and data that cannot be had are named all at once, each with its line', async () => {
  using project = testProject()
  const outside = mkdtempSync(join(tmpdir(), 'zenml-outside-'))
  try {
    writeFileSync(join(outside, 'evil.ts'), 'export const evil = 1\n')
    mkdirSync(join(project.root, 'steps'))
    symlinkSync(join(outside, 'evil.ts'), join(project.root, 'steps/linked.ts'))
    project.write({
      'steps/broken.ts': 'export const broken = (\n',
      'pipeline.yaml': `version: 1
pipeline: bad
datasources:
  gone: { path: nowhere.csv }
steps:
  up: { source: "../up.ts#up" }
  absolute: { source: "${outside}/evil.ts#evil" }
  linked: { source: "steps/linked.ts#evil" }
  missing: { source: "steps/missing.ts#missing" }
  broken: { source: "steps/broken.ts#broken" }
  read: { source: "zenml/steps#snapshot", inputs: { source: datasources.gone } }
`,
    })
    const { code, stdout } = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--json')
    expect(code).toBe(2)
    const document = JSON.parse(stdout)
    const told = document.error.facts.diagnostics.map(
      (found: { line: number; code: string }) => `${found.line} ${found.code}`,
    )
    expect(told).toEqual([
      '6 ZEN_STEP_SOURCE_OUTSIDE',
      '7 ZEN_STEP_SOURCE_OUTSIDE',
      '8 ZEN_STEP_SOURCE_OUTSIDE',
      '9 ZEN_STEP_SOURCE_MISSING',
      '10 ZEN_CODE_SYNTAX',
      '4 ZEN_SOURCE_MISSING',
    ])
    expect(await project.json('pipeline', 'runs')).toHaveProperty('runs', [])
  } finally {
    rmSync(outside, { recursive: true, force: true })
  }
})
