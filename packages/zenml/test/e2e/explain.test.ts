import { cpSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { metadataIsFile, type TestProject, testProject } from '../support/project.ts'
import { zenmlIn } from '../support/run-in.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'

interface Explained {
  readonly name: string
  readonly outcome: string
  readonly cause: string
  readonly reason: string
  readonly against: number | null
  readonly againstRun: string | null
  readonly changes: readonly {
    readonly field: string
    readonly path: string
    readonly before: unknown
    readonly after: unknown
    readonly reason: string
    readonly imports?: readonly string[]
    readonly diff?: string
    readonly because?: { readonly step: string; readonly reason: string }
  }[]
}

async function run(project: TestProject, ...args: string[]): Promise<{ run: string; outcomes: string[] }> {
  const done = await project.json('pipeline', 'run', ...args)
  expect(done.status).toBe('complete')
  return { run: done.run, outcomes: done.steps.map(({ outcome }: { outcome: string }) => outcome) }
}

async function explain(project: TestProject, ...args: string[]): Promise<{ [step: string]: Explained }> {
  const { steps } = (await project.json('pipeline', 'explain', ...args)) as { steps: Explained[] }
  return Object.fromEntries(steps.map((step) => [step.name, step]))
}

const edit = (project: TestProject, from: string, to: string): void =>
  project.write({ 'lib/scale.ts': project.read('lib/scale.ts').replace(from, to) })

const short = (id: string): string => id.slice(0, 6)

describe('explaining what changed', () => {
  it('a helper three imports away is named with the way to it and a diff of its lines (scenario 2)', async () => {
    using project = testProject()
    project.write({
      ...numbersPipeline,
      'lib/scale.ts': `import { deep } from './a/middle.ts'\nexport const scale = (value: number): number => deep(value)\n`,
      'lib/a/middle.ts': `export { deep } from '../b/deep.ts'\n`,
      'lib/b/deep.ts': `/** Doubles. */\nexport function deep(value: number): number {\n  return value * 2\n}\n\nexport const unused = 1\n`,
    })
    project.commit()
    const first = await run(project, 'pipeline.yaml')
    project.write({
      'lib/b/deep.ts': `/** Trebles. */\n// More.\nexport function deep(value: number): number {\n  return value * 3\n}\n\nexport const unused = 2\n`,
    })
    project.commit()
    const second = await run(project, 'pipeline.yaml')
    expect(second.outcomes).toEqual(['reused', 'executed', 'executed'])
    const { double, sum } = await explain(project, second.run)
    expect(double!.reason).toBe(
      `double ran again because lib/b/deep.ts (imported by lib/a/middle.ts, imported by lib/scale.ts, imported by steps/numbers.ts) changed since run ${short(first.run)}.`,
    )
    expect(double!.changes[0]!.diff).toBe(
      [
        '--- lib/b/deep.ts',
        '+++ lib/b/deep.ts',
        '@@ -2,3 +3,3 @@',
        ' export function deep(value: number): number {',
        '-  return value * 2',
        '+  return value * 3',
        ' }',
      ].join('\n'),
    )
    expect(sum!.changes).toMatchObject([{ field: 'inputs', path: 'numbers', because: { step: 'double' } }])
    expect(sum!.reason).toContain('double ran again because lib/b/deep.ts')
    const { stdout, code } = await project.zenml('pipeline', 'explain', second.run.slice(0, 8), 'double')
    expect(code).toBe(0)
    expect(stdout).toContain('    -  return value * 2\n    +  return value * 3\n')
    expect(stdout).not.toContain('sum ran again')
  })

  it('a constant exported again, a JSON import, an import() and a file named by URL are each noticed and named (scenario 3)', async () => {
    using project = testProject()
    const files = {
      ...oneStep(
        `const { extra } = await import('../lib/dynamic.ts')
    return { value: [rate, config.size, extra, readFileSync(new URL('../lib/words.txt', import.meta.url), 'utf8')] }`,
        `import { readFileSync } from 'node:fs'\nimport { rate } from '../lib/index.ts'\nimport config from '../lib/config.json'`,
      ),
      'lib/index.ts': `export * from './rate.ts'\n`,
      'lib/rate.ts': `export const rate = 1\n`,
      'lib/config.json': `{\n  "size": 1,\n  "same": true\n}\n`,
      'lib/dynamic.ts': `export const extra = 1\n`,
      'lib/words.txt': `first\nsecond\n`,
    }
    project.write(files)
    project.commit()
    await run(project, 'one.yaml')
    const edits: readonly (readonly [path: string, text: string, removed: string, added: string])[] = [
      ['lib/rate.ts', `export const rate = 2\n`, '-export const rate = 1', '+export const rate = 2'],
      ['lib/config.json', `{\n  "size": 2,\n  "same": true\n}\n`, '-  "size": 1,', '+  "size": 2,'],
      ['lib/dynamic.ts', `export const extra = 2\n`, '-export const extra = 1', '+export const extra = 2'],
      ['lib/words.txt', `first\nthird\n`, '-second', '+third'],
    ]
    for (const [path, text, removed, added] of edits) {
      project.write({ [path]: text })
      expect((await run(project, 'one.yaml')).outcomes, path).toEqual(['executed'])
      const { one } = await explain(project, '@latest')
      expect(one!.changes, path).toMatchObject([{ field: 'code', path }])
      expect(one!.changes[0]!.diff!.split('\n').filter((line) => /^[-+][^-+]/.test(line))).toEqual([removed, added])
    }
    project.write({ 'lib/words.txt': new Uint8Array([0, 255, 1]) })
    await run(project, 'one.yaml')
    const { one } = await explain(project, '@latest')
    expect(one!.changes).toMatchObject([{ field: 'code', path: 'lib/words.txt' }])
    expect(one!.changes[0]).not.toHaveProperty('diff')
  })

  it('order and spelling of parameters are no reason, a value is (scenario 18)', async () => {
    using project = testProject()
    const yaml = (parameters: string): { [path: string]: string } => ({
      'one.yaml': `version: 1\npipeline: one\nsteps:\n  one:\n    source: steps/one.ts#one\n    parameters: ${parameters}\n`,
    })
    const { 'steps/one.ts': source } = oneStep('return { value: 1 }', `import * as z from 'zod'`)
    project.write({
      'steps/one.ts': source!.replace('  run:', `  parameters: z.object({ a: z.number(), b: z.number() }),\n  run:`),
      ...yaml('{ a: 1, b: 2 }'),
    })
    const first = await run(project, 'one.yaml')
    for (const same of ['{ b: 2, a: 1 }', '{ a: 1.0, b: 2.0 }', '{ a: 1e0, b: 0.2e1 }']) {
      project.write(yaml(same))
      expect((await run(project, 'one.yaml')).outcomes, same).toEqual(['reused'])
    }
    project.write(yaml('{ a: 1, b: 3 }'))
    const last = await run(project, 'one.yaml')
    const { one } = await explain(project, last.run, 'one', '--against', first.run)
    expect(one!.changes).toMatchObject([{ field: 'parameters', path: 'b', before: 2, after: 3 }])
    expect(one!.reason).toBe(`one differs from run ${short(first.run)} because parameter b changed from 2 to 3.`)
  })

  it('a repository renamed and a store moved with it are no reason (scenario 16)', async () => {
    using project = testProject()
    using elsewhere = testProject({ git: false, init: false })
    project.write(numbersPipeline)
    project.commit()
    await run(project, 'pipeline.yaml')
    const moved = join(elsewhere.root, 'renamed')
    cpSync(project.root, moved, { recursive: true, verbatimSymlinks: true })
    renameSync(join(moved, '.zenml', 'artifacts'), join(elsewhere.root, 'store'))
    const config = JSON.parse(elsewhere.read('renamed/.zenml/config.json')) as { artifacts: { path: string } }
    writeFileSync(
      join(moved, '.zenml', 'config.json'),
      JSON.stringify({ ...config, artifacts: { ...config.artifacts, path: join(elsewhere.root, 'store') } }),
    )
    const done = JSON.parse((await zenmlIn(moved, 'pipeline', 'run', 'pipeline.yaml', '--json')).stdout)
    expect(done.steps.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['reused', 'reused', 'reused'])
    const told = JSON.parse((await zenmlIn(moved, 'pipeline', 'explain', '@latest', '--json')).stdout)
    expect(told.steps.map(({ cause }: { cause: string }) => cause)).toEqual(['reused', 'reused', 'reused'])
  })
})

describe('explaining what did not change', () => {
  it('a step without an earlier execution is new, and an unknown step is refused with a suggestion', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    await run(project, 'pipeline.yaml')
    const { make } = await explain(project, '@latest')
    expect(make).toMatchObject({ cause: 'new', against: null, changes: [{ field: 'new', path: 'make' }] })
    const { error } = await project.json('pipeline', 'explain', '@latest', 'doubel')
    expect(error).toMatchObject({ code: 'ZEN_STEP_UNKNOWN' })
    expect(error.message).toContain('Did you mean "double"?')
  })

  it('a cache that is off, lost outputs and a failure are reasons of their own', async () => {
    using project = testProject()
    project.write(oneStep('return { value: 1 }'))
    await run(project, 'one.yaml')
    await run(project, 'one.yaml', '--no-cache')
    expect((await explain(project, '@latest'))['one']).toMatchObject({ cause: 'cache-off', changes: [] })
    const blobs = join(project.root, '.zenml', 'artifacts')
    for (const entry of readdirSync(blobs, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) rmSync(join(entry.parentPath, entry.name), { force: true })
    const lost = await run(project, 'one.yaml')
    expect(lost.outcomes).toEqual(['executed'])
    const { one } = await explain(project, lost.run)
    expect(one).toMatchObject({ cause: 'outputs-lost', changes: [] })
    expect(one!.reason).toContain('Output "value" of execution')
    project.write(oneStep('throw new Error("no")'))
    for (const _ of [1, 2]) await project.json('pipeline', 'run', 'one.yaml')
    const failed = (await explain(project, '@latest'))['one']!
    expect(failed).toMatchObject({ outcome: 'failed', cause: 'changed' })
    expect(failed.reason).toContain('failures are not reused')
  })

  it('values of environment variables are never shown', async () => {
    using project = testProject()
    project.write({
      ...oneStep('return { value: 1 }'),
      'one.yaml': `version: 1\npipeline: one\nsteps:\n  one: { source: "steps/one.ts#one", environment: [SECRET] }\n`,
    })
    for (const value of ['hunter-one', 'hunter-two'])
      await zenmlIn(project.root, 'pipeline', 'run', 'one.yaml', { SECRET: value })
    const { stdout } = await project.zenml('pipeline', 'explain', '@latest', '--json')
    expect(JSON.parse(stdout).steps[0].changes).toMatchObject([{ field: 'variables', path: 'SECRET' }])
    expect(stdout).not.toContain('hunter')
  })
})

describe('a dry run', () => {
  it('predicts hits, misses and what depends on them, and leaves neither run nor ref nor blob behind', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    await run(project, 'pipeline.yaml')
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('factor = 2', 'factor = 3') })
    const state = (): unknown => [
      project.git('for-each-ref'),
      readdirSync(join(project.root, '.zenml', 'artifacts'), { recursive: true }).sort(),
      readdirSync(join(project.root, '.zenml', 'tmp')),
    ]
    const before = [state(), (await project.json('pipeline', 'runs')).runs]
    const plan = await project.json('pipeline', 'run', 'pipeline.yaml', '--dry-run')
    expect([state(), (await project.json('pipeline', 'runs')).runs]).toEqual(before)
    expect(plan).toMatchObject({
      pipeline: 'numbers',
      seed: 0,
      dryRun: true,
      steps: [
        { name: 'make', prediction: 'reuse', reusedFrom: 1, changes: [] },
        { name: 'double', prediction: 'execute', reusedFrom: null, changes: [{ field: 'code', path: 'lib/scale.ts' }] },
        { name: 'sum', prediction: 'depends', reusedFrom: 3, changes: [] },
      ],
    })
    expect(plan.steps[1].changes[0].diff).toContain('+export const factor = 3')
    expect(plan.steps[2].reason).toMatch(
      /^sum executes, or is reused from execution 3 .* if double gives the same again\.$/,
    )
    const { outcomes } = await run(project, 'pipeline.yaml')
    expect(outcomes).toEqual(['reused', 'executed', 'executed'])
  })

  it('says what another input comes from, and leaves open what nobody can know yet', async () => {
    using project = testProject()
    const steps = numbersPipeline['steps/numbers.ts']!
    project.write({
      ...numbersPipeline,
      'steps/numbers.ts': steps.replace(
        'return { total }',
        `if (total > 20) throw new Error('too much')\n    return { total }`,
      ),
      'data/points.csv': 'x\n1\n',
      'data.yaml':
        'version: 1\npipeline: points\ndatasources:\n  points: { path: data/points.csv }\nsteps:\n  keep: { source: "zenml/steps#snapshot", inputs: { source: datasources.points } }\n',
    })
    const first = await run(project, 'pipeline.yaml')
    await run(project, 'pipeline.yaml', '--param', 'make.count=3')
    edit(project, 'factor = 2', 'factor = 4')
    const dry = async (...args: string[]): Promise<Explained[]> =>
      (await project.json('pipeline', 'run', ...args, '--dry-run')).steps
    const [make, double, sum] = await dry('pipeline.yaml')
    expect([make, double, sum]).toMatchObject([
      { prediction: 'reuse' },
      { prediction: 'execute' },
      { prediction: 'depends' },
    ])
    expect(double!.changes).toMatchObject([
      { field: 'code', path: 'lib/scale.ts' },
      { field: 'inputs', path: 'numbers', because: { step: 'make' } },
    ])
    expect(double!.reason).toMatch(/: make will be reused with another numbers than in run \w+\.$/)
    // The sum fails; its nearest execution that gave something was given something else.
    expect((await project.json('pipeline', 'run', 'pipeline.yaml')).status).toBe('failed')
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('value * factor', 'factor * value') })
    const open = await dry('pipeline.yaml')
    expect(open[2]).toMatchObject({ prediction: 'depends' })
    expect(open[2]!.reason).toBe('sum executes, unless double gives what an earlier execution was given.')
    expect((await run(project, 'pipeline.yaml')).outcomes).toEqual(['reused', 'executed', 'reused'])
    expect((await explain(project, '@latest', 'sum'))['sum']!.reason).toContain(short(first.run))

    await run(project, 'data.yaml')
    project.write({ 'data/points.csv': 'x\n2\n' })
    expect((await dry('data.yaml'))[0]!.reason).toMatch(
      /^keep will execute because input source changed \(the content of datasource points changed\) since run /,
    )
  })

  it('and explain both say that a step became strict', async () => {
    using project = testProject()
    project.write(oneStep('return { value: new Date().getTime() > 0 }'))
    await run(project, 'one.yaml')
    project.write({ 'one.yaml': project.read('one.yaml').replace('version: 1\n', 'version: 1\nstrict: true\n') })
    const { steps } = await project.json('pipeline', 'run', 'one.yaml', '--dry-run')
    expect(steps[0]).toMatchObject({ prediction: 'execute', changes: [] })
    expect(steps[0].reason).toMatch(
      /^one will execute because it is strict, and in run \w+ it did what a strict step may not\.$/,
    )
    expect((await project.json('pipeline', 'run', 'one.yaml')).status).toBe('failed')
    expect((await explain(project, '@latest'))['one']).toMatchObject({
      outcome: 'failed',
      cause: 'strict',
      changes: [],
    })
  })

  it('says what a run without reuse would do, and keeps --require-clean', async () => {
    using project = testProject()
    project.write(oneStep('return { value: 1 }'))
    await run(project, 'one.yaml')
    const plan = await project.json('pipeline', 'run', 'one.yaml', '--dry-run', '--no-cache')
    expect(plan.steps).toMatchObject([{ prediction: 'execute' }])
    expect(plan.steps[0].reason).toContain('--no-cache')
    const refused = await project.json('pipeline', 'run', 'one.yaml', '--dry-run', '--require-clean')
    expect(refused.error.code).toBe('ZEN_CODE_DIRTY')
  })
})

describe('two executions of one identity that gave different outputs', () => {
  it('are told at once by the run, as text and as JSON, and then by status, by explain and by every run that reuses one of them', async () => {
    using project = testProject()
    project.write({
      ...numbersPipeline,
      'lib/scale.ts':
        'export const scale = (value: number): number => value + Number(process.hrtime.bigint() % 1_000_003n)\n',
    })
    project.commit()
    const first = await run(project, 'pipeline.yaml')
    expect((await project.json('pipeline', 'status', first.run)).nondeterminism).toEqual([])
    const second = await project.json('pipeline', 'run', 'pipeline.yaml', '--no-cache')
    // The sum was given other numbers: that is no fault of its own.
    expect(second.nondeterminism).toMatchObject([{ step: 'double', output: 'numbers', runs: [first.run, second.run] }])
    expect(new Set(second.nondeterminism[0].digests).size).toBe(2)
    const sentence =
      /ZEN_NONDETERMINISM: Step "double" gave another numbers in runs \w+ and \w+, with the same code, packages/
    const third = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--no-cache')
    expect(third.stderr).toMatch(/ZEN_NONDETERMINISM: Step "double" gave another numbers in 3 runs/)
    expect(third.stdout).toMatch(/ZEN_NONDETERMINISM: Step "double" gave another numbers in 3 runs/)
    const reused = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(reused.steps.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['reused', 'reused', 'reused'])
    expect(reused.nondeterminism).toMatchObject([{ step: 'double', output: 'numbers' }])
    expect(reused.nondeterminism[0].runs).toHaveLength(3)
    for (const command of ['status', 'explain']) {
      expect((await project.json('pipeline', command, '@latest')).nondeterminism).toEqual(reused.nondeterminism)
      expect((await project.zenml('pipeline', command, '@latest')).stdout).toMatch(
        /"double" gave another numbers in 3 runs/,
      )
    }
    const { double, sum } = await explain(project, second.run)
    expect(double).toMatchObject({ cause: 'cache-off', changes: [] })
    expect(sum!.reason).toContain(
      'double gave something else although nothing that counts had changed: it is not deterministic',
    )
    expect((await project.zenml('pipeline', 'explain', second.run)).stdout).toMatch(
      new RegExp(sentence.source.replace('runs \\w+ and \\w+', '3 runs \\([\\w, ]+\\)')),
    )
  })

  it('are no proof where the seed differs, or where a file changed while it was read', async () => {
    using project = testProject()
    project.write(oneStep('return { value: Math.random() }'))
    await run(project, 'one.yaml')
    const other = await project.json('pipeline', 'run', 'one.yaml', '--seed', '3')
    expect(other.nondeterminism).toEqual([])
    project.write({
      ...oneStep(
        `const file = process.cwd().split('/.zenml/')[0] + '/moving.txt'
    const value = readFileSync(file, 'utf8')
    appendFileSync(file, 'x')
    return { value }`,
        `import { appendFileSync, readFileSync } from 'node:fs'`,
      ),
      'moving.txt': '',
    })
    await run(project, 'one.yaml')
    const plan = await project.json('pipeline', 'run', 'one.yaml', '--dry-run')
    expect(plan.steps[0].reason).toMatch(/moving\.txt, which it reads, changed while it ran/)
    const again = await project.json('pipeline', 'run', 'one.yaml')
    expect(again.steps[0].outcome).toBe('executed')
    expect(again.nondeterminism).toEqual([])
    expect((await explain(project, '@latest'))['one']!.reason).toMatch(
      /moving\.txt, which it reads, changed while it ran/,
    )
  })
})

describe('explain goes on', () => {
  it('where steps were renamed, added, removed, failed and skipped, and between runs of different pipelines', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    const first = await run(project, 'pipeline.yaml')
    const yaml = numbersPipeline['pipeline.yaml']!
    project.write({ 'pipeline.yaml': yaml.replace('  sum:', '  total:') })
    const renamed = await run(project, 'pipeline.yaml')
    expect(renamed.outcomes).toEqual(['reused', 'reused', 'reused'])
    expect((await explain(project, renamed.run))['total']!.reason).toContain(
      `was reused from execution 3 of run ${short(first.run)}`,
    )
    const against = await explain(project, renamed.run, '--against', first.run)
    expect(Object.keys(against)).toEqual(['make', 'double', 'total'])
    expect(against['total']).toMatchObject({ cause: 'new', against: null })
    expect(against['total']!.reason).toBe('total cannot be compared: it did not run in the other run.')
    const whole = await project.json('pipeline', 'explain', renamed.run, '--against', first.run)
    expect(whole.onlyThere).toEqual([
      {
        name: 'sum',
        now: 'total',
        reason: `sum is only in run ${short(first.run)}; total is the same under another name.`,
      },
    ])
    const text = await project.zenml('pipeline', 'explain', renamed.run, '--against', first.run)
    expect(text.stdout).toContain(whole.onlyThere[0].reason)
    expect((await project.json('pipeline', 'explain', renamed.run)).onlyThere).toEqual([])

    project.write({
      'pipeline.yaml': yaml,
      'lib/scale.ts': `export const scale = (): number => { throw new Error('no') }\n`,
    })
    const failed = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(failed.status).toBe('failed')
    const { double, sum } = await explain(project, failed.run)
    expect(double).toMatchObject({ outcome: 'failed', cause: 'changed' })
    expect(sum).toMatchObject({ outcome: 'skipped', cause: 'not-run', changes: [], execution: null })
    expect(sum!.reason).toBe('sum did not run because double failed.')
    for (const [a, b] of [
      [failed.run, first.run],
      [first.run, failed.run],
    ]) {
      const told = await explain(project, a, '--against', b)
      expect(told['make']).toMatchObject({ cause: 'same' })
      expect(told['double']!.changes).toMatchObject([{ field: 'code', path: 'lib/scale.ts' }])
    }
    expect((await explain(project, first.run, '--against', failed.run))['sum']!.reason).toContain('cannot be compared')

    project.write({ ...oneStep('return { value: 1 }') })
    const other = await run(project, 'one.yaml')
    expect((await explain(project, other.run, '--against', first.run))['one']).toMatchObject({ cause: 'new' })
    const unknown = await project.zenml('pipeline', 'explain', 'ffff', '--json')
    expect(unknown.code).toBe(2)
    expect(JSON.parse(unknown.stdout).error.code).toBe('ZEN_RUN_UNKNOWN')
  })

  it('where a run makes another again, with that one, and with what ran last where that one does not have the step', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    const first = await run(project, 'pipeline.yaml')
    edit(project, 'factor = 2', 'factor = 3')
    const second = await run(project, 'pipeline.yaml')
    const again = await project.json('pipeline', 'rerun', first.run)
    for (const { name, cause, againstRun, reason } of Object.values(await explain(project, again.run))) {
      expect([cause, againstRun]).toEqual(['cache-off', first.run])
      const why = `the run makes run ${short(first.run)} again and reuses nothing`
      expect(reason).toBe(
        `${name} ran again because ${why}; nothing that counts has changed since run ${short(first.run)}.`,
      )
    }
    const { stdout } = await project.zenml('pipeline', 'config', first.run)
    project.write({ 'pinned.yaml': stdout.replaceAll(first.run, '0123456789abcdef') })
    const unknown = await project.json('pipeline', 'rerun', 'pinned.yaml')
    await run(project, 'pipeline.yaml', '--no-cache')
    const { double } = await explain(project, unknown.run)
    expect(double).toMatchObject({ cause: 'cache-off', againstRun: again.run })
    expect(second.run).not.toBe(again.run)
  })

  // It changes records by hand, in the file.
  it.skipIf(!metadataIsFile)(
    'where blobs and sources are gone, and with records that an older version left',
    async () => {
      using project = testProject()
      project.write(numbersPipeline)
      const first = await run(project, 'pipeline.yaml')
      edit(project, 'factor = 2', 'factor = 3')
      const second = await run(project, 'pipeline.yaml')
      rmSync(join(project.root, '.git'), { recursive: true })
      const generated = (await explain(project, second.run, 'double'))['double']!.changes
      expect(generated[0]!.diff).toMatch(
        /^--- lib\/scale\.ts\n\+\+\+ lib\/scale\.ts\n@@ .*@@\n-(?:var|const) factor=2;\n\+(?:var|const) factor=3;/,
      )
      for (const entry of readdirSync(join(project.root, '.zenml/artifacts'), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) rmSync(join(entry.parentPath, entry.name), { force: true })
      const digests = (await explain(project, second.run, 'double'))['double']!.changes
      expect(digests).toMatchObject([{ field: 'code', path: 'lib/scale.ts', imports: ['steps/numbers.ts'] }])
      expect(digests[0]).not.toHaveProperty('diff')

      // Format 1: neither maps nor ways of imports nor observed files, and another Node.
      const { default: Sqlite } = await import('better-sqlite3')
      const database = new Sqlite(join(project.root, '.zenml', 'metadata.db'))
      const rows = database
        .prepare(`SELECT p.execution_id AS id, p.string_value AS value FROM ExecutionProperty p JOIN ExecutionProperty r
        ON r.execution_id = p.execution_id AND r.name = 'run' AND r.string_value = ? WHERE p.name = 'identity'`)
        .all(first.run) as { id: number; value: string }[]
      expect(rows).toHaveLength(3)
      for (const { id, value } of rows) {
        const identity = JSON.parse(value)
        const { fingerprint } = identity
        fingerprint.format = 1
        fingerprint.environment.node = '18.0.0'
        for (const name of ['imports', 'map']) delete fingerprint.code[name]
        delete fingerprint.observed.files
        database
          .prepare(`UPDATE ExecutionProperty SET string_value = ? WHERE execution_id = ? AND name = 'identity'`)
          .run(JSON.stringify(identity), id)
      }
      database.close()
      const { make, double } = await explain(project, second.run, '--against', first.run)
      expect(make!.reason).toMatch(
        new RegExp(
          `^make .*because Node changed from 18\\.0\\.0 to ${process.versions.node.replaceAll('.', '\\.')} and identities are told in another way from 1 to 2\\.$`,
        ),
      )
      expect(double!.changes.map(({ field }) => field)).toEqual(['code', 'environment', 'format'])
      expect((await project.zenml('pipeline', 'explain', second.run, '--against', first.run)).code).toBe(0)
      expect((await project.json('pipeline', 'run', 'pipeline.yaml', '--dry-run')).steps).toHaveLength(3)
    },
  )

  it('where names and values would move the cursor of a terminal, start a line or turn text around', async () => {
    using project = testProject()
    const yaml = (value: string): { [path: string]: string } => ({
      'one.yaml': `version: 1\npipeline: one\nsteps:\n  one:\n    source: steps/one.ts#one\n    parameters: { text: ${JSON.stringify(value)} }\n`,
    })
    const { 'steps/one.ts': source } = oneStep(
      `return { value: readFileSync(new URL('../lib/plain.txt', import.meta.url), 'utf8') }`,
      `import { readFileSync } from 'node:fs'\nimport * as z from 'zod'`,
    )
    project.write({
      'steps/one.ts': source!.replace('  run:', `  parameters: z.object({ text: z.string() }),\n  run:`),
      'lib/plain.txt': 'x',
      ...yaml('1'),
    })
    await run(project, 'one.yaml')
    project.write({ 'lib/plain.txt': '\u001b[31mred\u0007\n', ...yaml('a\u001b]0;title\u0007\nmake was reused') })
    await run(project, 'one.yaml')
    const { stdout } = await project.zenml('pipeline', 'explain', '@latest')
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
    expect(stdout.split('\n').filter((line) => line.startsWith('make'))).toEqual([])
    expect(stdout).toContain('parameter text changed from "1" to "a\\u001b]0;title\\u0007\\nmake was reused"')
  })
})
