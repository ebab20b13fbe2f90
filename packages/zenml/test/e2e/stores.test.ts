import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

const stores = (metadata: string, artifacts: string): string =>
  `stores:\n  metadata: { type: sqlite, path: ${JSON.stringify(metadata)} }\n  artifacts: { type: local, path: ${JSON.stringify(artifacts)} }\n`
const yaml = numbersPipeline['pipeline.yaml']!

let project: TestProject
let outside: string
beforeAll(() => {
  project = testProject({ ownFile: true })
  outside = mkdtempSync(join(tmpdir(), 'zenml-outside-'))
  project.write(numbersPipeline)
  project.write({ '.gitignore': 'node_modules/\n.zenml/\ndata/\n' })
  project.commit()
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(outside, { recursive: true, force: true })
})

it('a configuration that names stores keeps its runs there, and reuses what it finds there', async () => {
  project.write({ 'own.yaml': yaml + stores('data/metadata.db', 'data/blobs') })
  const first = await project.json('pipeline', 'run', 'own.yaml')
  expect(first.steps.map((step: { outcome: string }) => step.outcome)).toEqual(['executed', 'executed', 'executed'])
  expect(existsSync(join(project.root, 'data/metadata.db'))).toBe(true)
  expect(readdirSync(join(project.root, 'data/blobs')).length).toBeGreaterThan(0)
  expect(await project.json('pipeline', 'runs')).toMatchObject({ runs: [] })
  const second = await project.json('pipeline', 'run', 'own.yaml')
  expect(second.steps.map((step: { outcome: string }) => step.outcome)).toEqual(['reused', 'reused', 'reused'])
})

it('stores are no part of an identity, and a pipeline in TypeScript names them alike', async () => {
  project.write({
    'own.ts': numbersPipeline['pipeline.ts']!.replace(
      /\}\)\n$/,
      "}, { stores: { metadata: { type: 'sqlite', path: 'data/metadata.db' }, artifacts: { type: 'local', path: 'data/blobs' } } })\n",
    ),
  })
  const typescript = await project.json('pipeline', 'run', 'own.ts')
  expect(typescript.steps.map((step: { outcome: string }) => step.outcome)).toEqual(['reused', 'reused', 'reused'])
  const plain = await project.json('pipeline', 'run', 'pipeline.yaml')
  const identities = (run: { steps: { identity: string }[] }): string[] => run.steps.map(({ identity }) => identity)
  expect(identities(plain)).toEqual(identities(typescript))
})

it('the configuration of a run names its stores without a path of the machine, and runs', async () => {
  const { stdout } = await project.zenml('pipeline', 'config', '@latest')
  expect(stdout).toContain('path: .zenml/metadata.db')
  expect(stdout).toContain('path: .zenml/artifacts')
  expect(stdout).not.toContain(project.root)
  project.write({ 'printed.yaml': stdout })
  const again = await project.json('pipeline', 'run', 'printed.yaml')
  expect(again.steps.map((step: { outcome: string }) => step.outcome)).toEqual(['reused', 'reused', 'reused'])
})

it('a store that leads out of the repository is refused with its place, by its path or by a link', async () => {
  symlinkSync(outside, join(project.root, 'link'))
  symlinkSync(join(outside, 'later'), join(project.root, 'dangling'))
  mkdirSync(join(project.root, 'data'), { recursive: true })
  for (const path of ['../blobs', '/tmp/blobs', 'a/../../blobs', 'link', 'link/deeper', 'dangling', '.']) {
    project.write({ 'bad.yaml': yaml + stores('data/metadata.db', path) })
    const { code, stderr } = await project.zenml('pipeline', 'run', 'bad.yaml')
    expect([path, code]).toEqual([path, 2])
    expect(stderr).toContain('ZEN_CONFIG_STORE')
    expect(stderr).toMatch(/bad\.yaml:\d+:\d+/)
  }
  expect(readdirSync(outside)).toEqual([])
})

it('an unknown kind of store and a missing path are refused with their places', async () => {
  project.write({ 'bad.yaml': `${yaml}stores: { metadata: { type: mysq1, path: x }, artifacts: { type: local } }\n` })
  const { code, stderr } = await project.zenml('pipeline', 'run', 'bad.yaml')
  expect(code).toBe(2)
  expect(stderr).toContain('ZEN_CONFIG_VALUE')
  expect(stderr).toContain('ZEN_CONFIG_MISSING')
})
