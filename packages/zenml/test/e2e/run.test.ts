import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'

const outcomes = (run: { steps: { name: string; outcome: string }[] }): { [step: string]: string } =>
  Object.fromEntries(run.steps.map(({ name, outcome }) => [name, outcome]))

describe('a pipeline of a user', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
    project.write(numbersPipeline)
    project.commit()
  })
  afterAll(() => project[Symbol.dispose]())

  it('runs from YAML, is reused as a whole, and its TypeScript form has the same identities', async () => {
    const first = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(first.status).toBe('complete')
    expect(outcomes(first)).toEqual({ make: 'executed', double: 'executed', sum: 'executed' })
    expect(first.steps[2].metrics).toEqual({ total: 12 })
    const total = join(project.root, '.zenml/view/numbers', first.run, 'sum/total/value.json')
    expect(JSON.parse(readFileSync(total, 'utf8'))).toBe(12)

    const second = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(outcomes(second)).toEqual({ make: 'reused', double: 'reused', sum: 'reused' })
    const typescript = await project.json('pipeline', 'run', 'pipeline.ts')
    expect(outcomes(typescript)).toEqual({ make: 'reused', double: 'reused', sum: 'reused' })
    const identities = (run: { steps: { identity: string }[] }): string[] => run.steps.map(({ identity }) => identity)
    expect(identities(typescript)).toEqual(identities(first))
  })

  it('records commit, tree and clean state', async () => {
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(run.code).toMatchObject({
      commit: project.git('rev-parse', 'HEAD'),
      tree: project.git('rev-parse', 'HEAD^{tree}'),
      dirty: false,
    })
  })

  it('runs again only what an edited helper reaches, and stops where bytes are equal', async () => {
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('value * factor', 'factor * value') })
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(outcomes(run)).toEqual({ make: 'reused', double: 'executed', sum: 'reused' })
    expect(run.code.dirty).toBe(true)
    expect(project.git('cat-file', '-t', run.code.tree)).toBe('tree')
    expect(project.git('show', `${run.code.tree}:lib/scale.ts`)).toContain('factor * value')
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']! })
  })

  it('does not run again for a comment or for another step in the same file', async () => {
    const text = numbersPipeline['steps/numbers.ts']!
    project.write({
      'steps/numbers.ts': `// a comment\n${text.replace("console.log('the total is', total)", "console.log('total:', total)")}`,
    })
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(outcomes(run)).toEqual({ make: 'reused', double: 'reused', sum: 'executed' })
    project.write({ 'steps/numbers.ts': text })
  })

  it('takes parameters from the command line and refuses wrong ones before anything runs', async () => {
    const run = await project.json('pipeline', 'run', 'pipeline.yaml', '--param', 'make.count=2')
    expect(run.steps[0].parameters).toEqual({ count: 2 })
    const wrong = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--param', 'make.count=many')
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('ZEN_PARAMETERS')
    const unknown = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--param', 'mak.count=1')
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('make')
  })

  it('a parameter that no step knows is refused with the nearest name, from the command line and from a file', async () => {
    const given = ['pipeline', 'run', 'pipeline.yaml', '--param', 'make.cuont=5', '--param', 'sum.colour=red']
    const { error } = await project.json(...given)
    expect(error.facts.diagnostics).toMatchObject([
      { code: 'ZEN_PARAMETERS', message: 'Step "make", parameter cuont: Unknown. Did you mean "count"?', line: 7 },
      { code: 'ZEN_PARAMETERS' },
    ])
  })

  it('does not believe an output that is missing or damaged', async () => {
    const before = await project.json('pipeline', 'run', 'pipeline.yaml')
    const artifact = await project.json('artifact', 'get', `${before.run}/double.numbers`)
    const hex = artifact.files[0].digest.slice('sha256:'.length)
    const blob = join(project.root, '.zenml/artifacts/blobs', hex.slice(0, 2), hex.slice(2))
    expect(existsSync(blob)).toBe(true)
    chmodSync(blob, 0o644)
    writeFileSync(blob, 'damaged')
    const damaged = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(outcomes(damaged)).toEqual({ make: 'reused', double: 'executed', sum: 'reused' })
    rmSync(blob, { force: true })
    const missing = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(outcomes(missing)).toEqual({ make: 'reused', double: 'executed', sum: 'reused' })
    expect(readFileSync(blob, 'utf8')).not.toBe('damaged')
  })

  it('executes everything with --no-cache and leaves nothing in the temporary folder', async () => {
    const run = await project.json('pipeline', 'run', 'pipeline.yaml', '--no-cache')
    expect(Object.values(outcomes(run))).toEqual(['executed', 'executed', 'executed'])
    expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
  })

  it('prints its pinned configuration, which runs as the same pipeline', async () => {
    const first = await project.json('pipeline', 'run', 'pipeline.yaml')
    const config = await project.zenml('pipeline', 'config', first.run)
    expect(config.code).toBe(0)
    project.write({ 'pinned.yaml': config.stdout })
    const again = await project.json('pipeline', 'run', 'pinned.yaml')
    expect(Object.values(outcomes(again))).toEqual(['reused', 'reused', 'reused'])
    rmSync(join(project.root, 'pinned.yaml'))
  })

  it('lists pipelines, runs, steps and artifacts, and follows lineage', async () => {
    const { pipelines } = await project.json('pipeline', 'list')
    expect(pipelines.map(({ name }: { name: string }) => name)).toEqual(['numbers'])
    const { runs } = await project.json('pipeline', 'runs', 'numbers', '--limit', '2')
    expect(runs).toHaveLength(2)
    const status = await project.json('pipeline', 'status', '@latest')
    expect(status.run).toBe(runs[0].id)
    const { steps } = await project.json('step', 'list')
    expect(steps.map(({ name }: { name: string }) => name).sort()).toEqual(['double', 'make', 'sum'])
    const { artifacts } = await project.json('artifact', 'list', '--type', 'Json')
    expect(artifacts.length).toBeGreaterThan(2)
    const lineage = await project.json('artifact', 'lineage', `${status.run}/sum.total`)
    expect(JSON.stringify(lineage)).toContain('make')
    const pulled = await project.json('artifact', 'pull', `${status.run}/sum.total`, 'pulled')
    expect(readFileSync(join(pulled.directory, 'value.json'), 'utf8').trim()).toBe('12')
    rmSync(pulled.directory, { recursive: true })
  })
})

describe('a step that ends badly', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
  })
  afterAll(() => project[Symbol.dispose]())

  it.each([
    ['throws', `throw new RangeError('no such row')`, 'ZEN_STEP_ERROR', /no such row/],
    ['exits', 'process.exit(7)', 'ZEN_STEP_EXIT', /code 7/],
    ['exits as if all were well', 'process.exit(0)', 'ZEN_STEP_EXIT', /before it returned/],
    ['returns nothing', 'return {}', 'ZEN_OUTPUT_MISSING', /value/],
    [
      'kills itself',
      `process.kill(process.pid, 'SIGKILL')\nawait new Promise(() => setInterval(() => undefined, 1000))`,
      'ZEN_STEP_SIGNAL',
      /SIGKILL/,
    ],
    ['reports NaN', `context.metric('loss', Number.NaN)\nreturn { value: 1 }`, 'ZEN_METRIC', /finite/],
  ])('that %s is recorded as failed with its cause', async (_name, body, code, message) => {
    project.write(oneStep(body))
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.status).toBe('failed')
    expect(run.steps[0].outcome).toBe('failed')
    expect(run.steps[0].error.code).toBe(code)
    expect(run.steps[0].error.message).toMatch(message)
    const recorded = await project.json('pipeline', 'status', run.run)
    expect(recorded.status).toBe('failed')
    expect(recorded.steps[0].error.code).toBe(code)
  })

  it('that runs out of memory says so', async () => {
    project.write(oneStep(`const all: number[][] = []\nfor (;;) all.push(new Array(100_000).fill(all.length))`))
    project.write({
      'one.yaml': 'version: 1\npipeline: one\nsteps:\n  one: { source: "steps/one.ts#one", memory: 64 }\n',
    })
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.steps[0].error.code).toBe('ZEN_STEP_MEMORY')
  })

  it('that takes longer than its time is stopped', async () => {
    project.write(oneStep(`await new Promise((resolve) => setTimeout(resolve, 60_000))\nreturn { value: 1 }`))
    project.write({
      'one.yaml': 'version: 1\npipeline: one\nsteps:\n  one: { source: "steps/one.ts#one", timeout: 1 }\n',
    })
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.steps[0].error.code).toBe('ZEN_STEP_TIMEOUT')
  })

  it('that is interrupted by Ctrl-C ends as canceled with exit code 130', async () => {
    project.write(
      oneStep(
        `console.log('started')\nawait new Promise((resolve) => setTimeout(resolve, 60_000))\nreturn { value: 1 }`,
      ),
    )
    const child = project.start('pipeline', 'run', 'one.yaml')
    await new Promise<void>((resolve) =>
      child.stderr!.on('data', (text) => String(text).includes('started') && resolve()),
    )
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(130)
    const status = await project.json('pipeline', 'status', '@latest')
    expect(status.status).toBe('canceled')
    expect(status.steps[0].outcome).toBe('canceled')
  })

  it('sees UTC, the C locale, only declared variables and a folder of its own', async () => {
    project.write(
      oneStep(`return { value: {
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        names: Object.keys(process.env).sort(),
        random: [Math.random(), Math.random()],
        files: (await import('node:fs')).readdirSync('.'),
      } }`),
    )
    const run = await project.json('pipeline', 'run', 'one.yaml')
    const value = JSON.parse(
      readFileSync(join(project.root, '.zenml/view/one', run.run, 'one/value/value.json'), 'utf8'),
    )
    expect(value.zone).toBe('UTC')
    expect(value.names).toEqual(['HOME', 'LANG', 'LC_ALL', 'NO_COLOR', 'PATH', 'TMPDIR', 'TZ'])
    expect(value.files).toEqual([])
    const again = await project.json('pipeline', 'run', 'one.yaml', '--no-cache')
    expect(again.steps[0].outputs.value.digest).toBe(run.steps[0].outputs.value.digest)
    const otherSeed = await project.json('pipeline', 'run', 'one.yaml', '--seed', '1')
    expect(otherSeed.steps[0].outcome).toBe('executed')
    expect(otherSeed.steps[0].outputs.value.digest).not.toBe(run.steps[0].outputs.value.digest)
  })
})

describe('a folder that is no git repository', () => {
  it('still runs, and says that the code is not pinned', async () => {
    using project = testProject({ git: false })
    project.write(numbersPipeline)
    const { stdout, stderr, code } = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--json')
    expect(code).toBe(0)
    expect(stderr).toContain('ZEN_CODE_UNPINNED')
    expect(JSON.parse(stdout).code).toMatchObject({ commit: null, tree: null })
    expect((await project.zenml('pipeline', 'run', 'pipeline.yaml', '--require-clean')).code).toBe(2)
  })
})
