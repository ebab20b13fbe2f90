import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cli, testEnvironment, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

it('init makes a project at the root of the repository, also from a folder below, and twice changes nothing', async () => {
  using project = testProject({ init: false })
  mkdirSync(join(project.root, 'deep/er'), { recursive: true })
  project.write({ '.gitignore': 'node_modules/' })
  const made = await project.json('init', 'deep/er')
  expect(made).toEqual({ root: project.root, created: true, git: true, bare: false })
  expect(existsSync(join(project.root, '.zenml/metadata.db'))).toBe(true)
  expect(project.read('.gitignore')).toBe('node_modules/\n.zenml/\n')
  const config = project.read('.zenml/config.json')
  expect((await project.json('init')).created).toBe(false)
  expect(project.read('.zenml/config.json')).toBe(config)
  expect(project.read('.gitignore')).toBe('node_modules/\n.zenml/\n')
})

it('an unknown command or option suggests the nearest, with exit code 2', async () => {
  using project = testProject({ init: false })
  const command = await project.zenml('pipelin', 'run')
  expect(command.code).toBe(2)
  expect(command.stderr).toContain('pipeline')
  expect(command.stderr).toMatch(/^ZEN_USAGE: unknown command/)
  const option = await project.zenml('pipeline', 'run', 'x.yaml', '--sed', '1')
  expect(option.code).toBe(2)
  expect(option.stderr).toContain('--seed')
  const document = await project.json('pipelin')
  expect(document.error.code).toBe('ZEN_USAGE')
})

it('a command outside of a project says how to make one', async () => {
  using project = testProject({ init: false })
  const { code, stderr } = await project.zenml('pipeline', 'list')
  expect(code).toBe(2)
  expect(stderr).toMatch(/ZEN_PROJECT_MISSING.*zenml init/s)
})

it('--version is the command version', async () => {
  using project = testProject({ git: false, init: false })
  expect((await project.zenml('--version')).stdout).toBe((await project.zenml('version')).stdout)
  expect(await project.json('--version')).toEqual(await project.json('version'))
})

it('help and version need no project and print to stdout', async () => {
  using project = testProject({ init: false })
  const help = await project.zenml('--help')
  expect(help).toMatchObject({ code: 0, stderr: '' })
  expect(help.stdout).toContain('pipeline')
  const version = await project.json('version')
  expect(version).toEqual({ zenml: expect.stringMatching(/^\d+\.\d+\.\d+$/), node: process.versions.node })
})

it('every problem of a configuration is reported at once, with its line and column, and nothing is recorded', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  project.write({
    'bad.yaml': `version: 1
pipeline: bad
steps:
  make:
    source: steps/numbers.ts#mke
    paramters: { count: 4 }
  double:
    source: steps/numbers.ts#double
    inputs: { numbers: mak.numbers }
`,
  })
  const { code, stderr } = await project.zenml('pipeline', 'run', 'bad.yaml')
  expect(code).toBe(2)
  expect(stderr).toMatch(/bad\.yaml:6:5.*parameters/)
  expect((await project.json('pipeline', 'runs')).runs).toEqual([])
})

it('a step source outside of the repository is refused', async () => {
  using project = testProject()
  for (const source of ['../../../etc/passwd#x', '/etc/passwd#x', 'steps/../../x.ts#x']) {
    project.write({ 'bad.yaml': `version: 1\npipeline: bad\nsteps:\n  one: { source: ${JSON.stringify(source)} }\n` })
    const { code, stderr } = await project.zenml('pipeline', 'run', 'bad.yaml')
    expect(code).toBe(2)
    expect(stderr).toMatch(/ZEN_(STEP_SOURCE|CONFIG)_/)
  }
})

it('a wrong edge is refused by name and type before anything runs', async () => {
  using project = testProject()
  project.write({
    'steps/two.ts': `
import { artifactType, step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
import { readFile, writeFile } from 'node:fs/promises'
export const Note = artifactType('Note', {
  save: (text: string, directory) => writeFile(directory + '/note.txt', text),
  load: (directory) => readFile(directory + '/note.txt', 'utf8'),
})
export const write = step({ name: 'write', outputs: { note: Note }, run: () => ({ note: 'hello' }) })
export const read = step({ name: 'read', inputs: { note: Note }, outputs: { length: JsonArtifact }, run: ({ inputs }) => ({ length: inputs.note.length }) })
export const wrong = step({ name: 'wrong', inputs: { value: JsonArtifact }, outputs: { value: JsonArtifact }, run: () => ({ value: 1 }) })
`,
    'good.yaml': `version: 1\npipeline: two\nsteps:\n  write: { source: "steps/two.ts#write" }\n  read: { source: "steps/two.ts#read", inputs: { note: write.note } }\n`,
    'bad.yaml': `version: 1\npipeline: two\nsteps:\n  write: { source: "steps/two.ts#write" }\n  wrong: { source: "steps/two.ts#wrong", inputs: { value: write.note } }\n`,
  })
  const good = await project.json('pipeline', 'run', 'good.yaml')
  expect(good.status).toBe('complete')
  const view = join(project.root, '.zenml/view/two', good.run)
  expect(readFileSync(join(view, 'write/note/note.txt'), 'utf8')).toBe('hello')
  const { code, stderr } = await project.zenml('pipeline', 'run', 'bad.yaml')
  expect(code).toBe(2)
  expect(stderr).toMatch(/Json.*Note/)
})

it('independent steps run side by side, and a failure stops only what depends on it', async () => {
  using project = testProject()
  project.write({
    'steps/wide.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
import { existsSync, writeFileSync } from 'node:fs'
// Each of the two waits for the other's mark: they end only if they run at the same time.
const meet = (own: string, other: string) => async () => {
  writeFileSync('../../' + own, '')
  const until = Date.now() + 20_000
  while (!existsSync('../../' + other)) {
    if (Date.now() > until) throw new Error('alone')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { value: 1 }
}
export const left = step({ name: 'left', outputs: { value: JsonArtifact }, run: meet('left.mark', 'right.mark') })
export const right = step({ name: 'right', outputs: { value: JsonArtifact }, run: meet('right.mark', 'left.mark') })
export const broken = step({ name: 'broken', inputs: { value: JsonArtifact }, outputs: { value: JsonArtifact }, run: () => { throw new Error('broken') } })
export const after = step({ name: 'after', inputs: { value: JsonArtifact }, outputs: { value: JsonArtifact }, run: ({ inputs }) => ({ value: inputs.value }) })
`,
    'wide.yaml': `version: 1
pipeline: wide
backend: { type: local, parallelism: 2 }
steps:
  left: { source: "steps/wide.ts#left" }
  right: { source: "steps/wide.ts#right" }
  broken: { source: "steps/wide.ts#broken", inputs: { value: left.value } }
  afterBroken: { source: "steps/wide.ts#after", inputs: { value: broken.value } }
  afterRight: { source: "steps/wide.ts#after", inputs: { value: right.value } }
`,
  })
  const run = await project.json('pipeline', 'run', 'wide.yaml')
  expect(run.error ?? null).toMatchObject({ code: 'ZEN_STEP_ERROR', message: expect.stringContaining('broken') })
  expect(run.status).toBe('failed')
  expect(
    Object.fromEntries(run.steps.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome])),
  ).toEqual({
    left: 'executed',
    right: 'executed',
    broken: 'failed',
    afterBroken: 'skipped',
    afterRight: 'executed',
  })
})

it('a secret that a step may see is in no file of the project', async () => {
  using project = testProject()
  project.write({
    'steps/secret.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
export const use = step({ name: 'use', outputs: { length: JsonArtifact }, run: () => ({ length: (process.env['API_KEY'] ?? '').length }) })
`,
    'secret.yaml': `version: 1\npipeline: secret\nsteps:\n  use: { source: "steps/secret.ts#use", environment: [API_KEY] }\n`,
  })
  const secret = 'correct-horse-battery-staple'
  const run = (): { steps: { outcome: string; metrics: object }[] } =>
    JSON.parse(
      execFileSync(process.execPath, [cli, 'pipeline', 'run', 'secret.yaml', '--json'], {
        cwd: project.root,
        env: { ...testEnvironment, API_KEY: secret },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
  expect(run().steps[0]!.outcome).toBe('executed')
  expect(run().steps[0]!.outcome).toBe('reused')
  const found = spawnSync('grep', ['-rlF', '--exclude-dir=node_modules', secret, project.root], { encoding: 'utf8' })
  expect(found).toMatchObject({ status: 1, stdout: '' })
})

it('a configuration that is not in UTF-8 is refused at the first such character', async () => {
  using project = testProject()
  writeFileSync(join(project.root, 'latin.yaml'), Buffer.from('version: 1\npipeline: caf\xe9\nsteps: {}\n', 'latin1'))
  const document = await project.json('pipeline', 'run', 'latin.yaml')
  expect(document.error.facts.diagnostics).toEqual([
    expect.objectContaining({ code: 'ZEN_CONFIG_ENCODING', file: 'latin.yaml', line: 2, column: 14 }),
  ])
})
