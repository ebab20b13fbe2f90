import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Touch } from '../../src/model/touch.ts'
import { installPackages } from '../support/packages.ts'
import { type TestProject, testProject } from '../support/project.ts'
import { oneStep } from '../support/steps.ts'

interface Run {
  readonly run: string
  readonly status: string
  readonly seed: number
  readonly steps: readonly {
    readonly outcome: string
    readonly touches: readonly Touch[]
    readonly outputs: { readonly [output: string]: { readonly digest: string } }
    readonly error: { readonly code: string; readonly message: string } | null
  }[]
}

/** Line and column of the first place where `text` stands in the step's file. */
function placeOf(project: TestProject, text: string, file = 'steps/one.ts'): string {
  const lines = project.read(file).split('\n')
  const line = lines.findIndex((candidate) => candidate.includes(text))
  return `${file}:${line + 1}:${lines[line]!.indexOf(text) + 1}`
}

describe('what a step touches outside of its declared inputs', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
    installPackages(project, {
      chance: `export const roll = () => Math.random()\n`,
      watch: `export const started = Date.now()\nexport const spin = (n) => { let t = 0; for (let i = 0; i < n; i++) t = Date.now(); return t > 0 }\n`,
      names: `import { randomUUID } from 'node:crypto'\nexport const fresh = () => randomUUID().length\n`,
      settings: `import { readFileSync } from 'node:fs'\nconst own = readFileSync(new URL('./package.json', import.meta.url), 'utf8')\nexport const debug = process.env.DEBUG ?? own.length\n`,
    })
  })
  afterAll(() => project[Symbol.dispose]())

  /** Runs the one step with this body. */
  async function run(body: string, extra = '', ...options: string[]): Promise<Run> {
    project.write(oneStep(body, extra))
    return (await project.json('pipeline', 'run', 'one.yaml', ...options)) as Run
  }

  it('is nothing for a step that works with its inputs, its folders, its seed and its packages', async () => {
    const { steps } = await run(
      `writeFileSync(join(context.scratch, 'x'), '1')
    return { value: [readFileSync(join(context.scratch, 'x'), 'utf8'), existsSync('nothing'), roll() < 1, new Date(0).getTime(), context.random.uuid()] }`,
      `import { existsSync, readFileSync, writeFileSync } from 'node:fs'\nimport { join } from 'node:path'\nimport { roll } from 'chance'`,
    )
    expect(steps[0]).toMatchObject({ outcome: 'executed', touches: [] })
  })

  it.each([
    ['clock', 'Date.now()', 'Date.now', 'now()', ''],
    ['clock', 'new Date().getTime()', 'new Date()', 'new Date()', ''],
    ['clock', 'Date().length', 'new Date()', 'Date()', ''],
    ['clock', 'performance.now()', 'performance.now', 'now()', ''],
    ['clock', 'Number(process.hrtime.bigint())', 'process.hrtime.bigint', 'bigint()', ''],
    [
      'randomness',
      'randomBytes(4).length',
      'crypto.randomBytes',
      'randomBytes(4)',
      `import { randomBytes } from 'node:crypto'`,
    ],
    ['randomness', 'crypto.randomUUID()', 'crypto.randomUUID', 'randomUUID()', ''],
    ['variable', 'String(process.env.REGION)', 'REGION', 'REGION', ''],
    [
      'process',
      `execFileSync('node', ['-v']).length`,
      'node',
      'execFileSync(',
      `import { execFileSync } from 'node:child_process'`,
    ],
    [
      'process',
      `(await promisify(exec)('node -v')).stdout`,
      'node',
      'promisify(exec)',
      `import { exec } from 'node:child_process'\nimport { promisify } from 'node:util'`,
    ],
    ['threads', 'os.cpus().length > 0', 'os.cpus', 'cpus()', `import os from 'node:os'`],
    ['host', 'hostname().length', 'os.hostname', 'hostname()', `import { hostname } from 'node:os'`],
    ['network', `await fetch('http://127.0.0.1:9/').catch(() => 0)`, '127.0.0.1:9', 'fetch(', ''],
    [
      'network',
      `await new Promise((resolve) => connect(9, 'localhost').on('error', () => resolve(0)))`,
      'localhost',
      'connect(',
      `import { connect } from 'node:net'`,
    ],
    [
      'file',
      `readFileSync('/etc/passwd').length > 0`,
      '/etc/passwd',
      `readFileSync('`,
      `import { readFileSync } from 'node:fs'`,
    ],
  ])('has %s with the line of the user: %s', async (kind, expression, what, call, extra) => {
    project.write(oneStep(`return { value: ${expression} }`, extra))
    const { stderr } = await project.zenml('pipeline', 'run', 'one.yaml')
    const status = (await project.json('pipeline', 'status', '@latest')) as Run
    const { touches } = status.steps[0]!
    expect(touches).toHaveLength(1)
    expect(touches[0]).toMatchObject({ kind, what, package: null, count: 1 })
    const [file, line] = touches[0]!.at!.split(':')
    expect([file, line]).toEqual(placeOf(project, call).split(':').slice(0, 2))
    expect(stderr).toContain(`ZEN_TOUCH_${kind.toUpperCase()}: Step "one"`)
    expect(stderr).toContain(`at ${touches[0]!.at}`)
  })

  it('names the exact column of a call, also through a helper, and counts', async () => {
    project.write({ 'lib/now.ts': `export function now(): number {\n  // a comment\n  return    Date.now()\n}\n` })
    const { steps } = await run(
      'for (let i = 0; i < 5; i++) now()\n    return { value: 1 }',
      `import { now } from '../lib/now.ts'`,
    )
    expect(steps[0]!.touches).toEqual([
      { kind: 'clock', what: 'Date.now', at: 'lib/now.ts:3:18', package: null, count: 5 },
    ])
  })

  it('is said once a place, with what to do', async () => {
    project.write(oneStep('for (let i = 0; i < 3; i++) Date.now()\n    return { value: 2 }'))
    const { stderr } = await project.zenml('pipeline', 'run', 'one.yaml')
    expect(stderr.match(/ZEN_TOUCH_CLOCK/g)).toHaveLength(1)
    expect(stderr).toContain('reads the clock (Date.now)')
    expect(stderr).toContain('Pass the time as a parameter.')
  })

  it('is attributed to the package whose code calls, with the line that led there, and clocks of packages are no warning', async () => {
    project.write(
      oneStep(
        'return { value: [started > 0, spin(3), fresh(), debug] }',
        `import { spin, started } from 'watch'\nimport { fresh } from 'names'\nimport { debug } from 'settings'`,
      ),
    )
    const { stderr } = await project.zenml('pipeline', 'run', 'one.yaml')
    const { steps } = (await project.json('pipeline', 'status', '@latest')) as Run
    expect(steps[0]!.touches).toEqual([
      { kind: 'clock', what: 'Date.now', at: null, package: 'watch', count: 1 },
      { kind: 'clock', what: 'Date.now', at: placeOf(project, 'spin(3)'), package: 'watch', count: 3 },
      { kind: 'randomness', what: 'crypto.randomUUID', at: placeOf(project, 'fresh()'), package: 'names', count: 1 },
      { kind: 'variable', what: 'DEBUG', at: null, package: 'settings', count: 1 },
    ])
    expect(stderr.match(/ZEN_TOUCH_\w+/g)).toEqual(['ZEN_TOUCH_RANDOMNESS'])
    expect(stderr).toContain('in package names')
  })

  it('is the same for Math.random through a package: seeded, so the same value twice, and another with another seed', async () => {
    const use = [`return { value: roll() }`, `import { roll } from 'chance'`] as const
    const [a, b] = [await run(...use), await run(...use, '--no-cache')]
    const c = await run(...use, '--seed', '5')
    const [first, second, third] = [a, b, c].map(({ steps }) => steps[0]!.outputs['value']!.digest)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(a.steps[0]!.touches).toEqual([])
  })

  it('costs little in a hot loop, whose calls are all counted', async () => {
    const { steps } = await run(
      'let last = 0\n    for (let i = 0; i < 1_000_000; i++) last = Date.now()\n    return { value: last > 0 }',
    )
    expect(steps[0]!.touches).toMatchObject([{ kind: 'clock', count: 1_000_000 }])
  })

  it('does not change what a program sees of dates, variables and functions', async () => {
    const { steps, status } = await run(
      `class Day extends Date {}
    const checks = [
      new Date(5) instanceof Date, new Day(5) instanceof Day, new Day(5) instanceof Date, new Date(5).constructor === Date,
      Date.length === 7, Date.name === 'Date', Object.prototype.toString.call(new Date(5)) === '[object Date]',
      JSON.stringify(new Date(0)) === '"1970-01-01T00:00:00.000Z"', structuredClone(new Date(7)).getTime() === 7, new Date(2020, 1, 3).getMonth() === 1,
      (process.env.MINE = 'x', process.env.MINE === 'x'), (delete process.env.MINE, !('MINE' in process.env)),
      readFileSync.name === 'readFileSync', readFileSync.length === fs.readFileSync.length, typeof fs.realpath.native === 'function',
      exists === fs.existsSync, (await promisify(fs.exists)('nothing')) === false, typeof process.hrtime()[0] === 'number',
    ]
    if (checks.includes(false)) throw new Error(JSON.stringify(checks))
    return { value: checks.length }`,
      `import fs, { existsSync as exists, readFileSync } from 'node:fs'\nimport { promisify } from 'node:util'`,
    )
    expect(steps[0]!.error).toBeNull()
    expect(status).toBe('complete')
  })
})

describe('a file of the repository that a step reads without declaring it', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
    project.write({
      'data/limits.json': '{"most":3}',
      'unrelated.txt': 'a',
      ...oneStep(
        `const root = ${JSON.stringify(project.root)}
    const most = JSON.parse(readFileSync(join(root, 'data', ['limits', 'json'].join('.')), 'utf8')).most
    return { value: [most, existsSync(join(root, 'data/extra.json')), readdirSync(join(root, 'lists'))] }`,
        `import { existsSync, readdirSync, readFileSync } from 'node:fs'\nimport { join } from 'node:path'`,
      ),
      'lists/a': '1',
    })
  })
  afterAll(() => project[Symbol.dispose]())
  const outcome = async (): Promise<string> =>
    ((await project.json('pipeline', 'run', 'one.yaml')) as Run).steps[0]!.outcome

  it('runs again when that changes, and only then', async () => {
    expect(await outcome()).toBe('executed')
    expect(await outcome()).toBe('reused')
    project.write({ 'unrelated.txt': 'b', 'lists/a': '2', 'data/limits.json': '{"most":3}' })
    expect(await outcome()).toBe('reused')
    project.write({ 'data/limits.json': '{"most":4}' })
    expect(await outcome()).toBe('executed')
    project.write({ 'data/limits.json': '{"most":3}' })
    expect(await outcome()).toBe('reused')
  })

  it('runs again when a file appears that it looked for, and when a folder that it listed has another name in it', async () => {
    expect(await outcome()).toBe('reused')
    project.write({ 'data/extra.json': '{}' })
    expect(await outcome()).toBe('executed')
    rmSync(join(project.root, 'data/extra.json'))
    expect(await outcome()).toBe('reused')
    project.write({ 'lists/b': '1' })
    expect(await outcome()).toBe('executed')
  })

  it('does not stand on what it read when that is deleted', async () => {
    rmSync(join(project.root, 'data/limits.json'))
    const run = (await project.json('pipeline', 'run', 'one.yaml')) as Run
    expect(run.steps[0]!.outcome).toBe('failed')
    expect(run.steps[0]!.error!.message).toContain('ENOENT')
  })

  it('names the place, and warns of nothing: the file is checked', async () => {
    project.write({ 'data/limits.json': '{"most":9}' })
    const { stderr } = await project.zenml('pipeline', 'run', 'one.yaml')
    expect(stderr).not.toContain('ZEN_TOUCH')
    const { steps } = (await project.json('pipeline', 'status', '@latest')) as Run
    expect(steps[0]!.touches.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'file data/extra.json',
      'file data/limits.json',
      'file lists/',
    ])
    expect(steps[0]!.touches[1]!.at).toMatch(/^steps\/one\.ts:\d+:\d+$/)
  })

  it('is never reused where the file changed while it ran', async () => {
    project.write(
      oneStep(
        `const file = ${JSON.stringify(project.root)} + '/moving.txt'
    readFileSync(file)
    appendFileSync(file, 'x')
    return { value: 1 }`,
        `import { appendFileSync, readFileSync } from 'node:fs'`,
      ),
    )
    project.write({ 'moving.txt': '' })
    expect(await outcome()).toBe('executed')
    expect(await outcome()).toBe('executed')
  })

  it('does not count where the step wrote it itself before', async () => {
    project.write(
      oneStep(
        `const file = ${JSON.stringify(project.root)} + '/made.txt'
    writeFileSync(file, 'x')
    return { value: readFileSync(file, 'utf8') }`,
        `import { readFileSync, writeFileSync } from 'node:fs'`,
      ),
    )
    expect(await outcome()).toBe('executed')
    rmSync(join(project.root, 'made.txt'))
    expect(await outcome()).toBe('reused')
  })
})

describe('a strict step', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
    installPackages(project, {
      watch: `export const now = () => Date.now()\nexport const debug = process.env.DEBUG\n`,
      names: `import { randomUUID } from 'node:crypto'\nexport const fresh = () => randomUUID()\n`,
    })
  })
  afterAll(() => project[Symbol.dispose]())
  async function run(
    body: string,
    extra = '',
    yaml = 'steps: { one: { source: "steps/one.ts#one", strict: true } }',
  ): Promise<Run> {
    project.write({ ...oneStep(body, extra), 'one.yaml': `version: 1\npipeline: one\n${yaml}\n` })
    return (await project.json('pipeline', 'run', 'one.yaml')) as Run
  }

  it('fails at the first undeclared touch even where its code catches the error, and says where and what to do', async () => {
    const { status, steps } = await run(
      `try { Date.now() } catch { /* the user's own handling */ }\n    return { value: 1 }`,
    )
    expect(status).toBe('failed')
    expect(steps[0]!.error).toMatchObject({ code: 'ZEN_STRICT_CLOCK' })
    expect(steps[0]!.error!.message).toContain(
      `reads the clock (Date.now) at ${placeOf(project, 'now()')}. Pass the time`,
    )
    expect(steps[0]!.touches).toMatchObject([{ kind: 'clock' }])
  })

  it.each([
    [
      'a file of the repository',
      `readFileSync(ROOT + '/package.json')`,
      'ZEN_STRICT_FILE',
      `import { readFileSync } from 'node:fs'`,
    ],
    ['a variable', 'process.env.REGION', 'ZEN_STRICT_VARIABLE', ''],
    ['the network', `await fetch('http://127.0.0.1:9/')`, 'ZEN_STRICT_NETWORK', ''],
    [
      'a clock by a timer',
      'await new Promise((resolve) => setTimeout(resolve, 5, setTimeout(Date.now)))',
      'ZEN_STRICT_CLOCK',
      '',
    ],
    ['randomness in a package', 'fresh()', 'ZEN_STRICT_RANDOMNESS', `import { fresh } from 'names'`],
  ])('may not touch %s', async (_name, expression, code, extra) => {
    const { steps } = await run(
      `const ROOT = ${JSON.stringify(project.root)}\n    void (${expression})\n    return { value: ROOT.length > 0 }`,
      extra,
    )
    expect(steps[0]!.error).toMatchObject({ code })
  })

  it('may use packages that look at the clock and at variables that are never set', async () => {
    const { status } = await run(
      'return { value: now() > 0 && debug === undefined }',
      `import { debug, now } from 'watch'`,
    )
    expect(status).toBe('complete')
  })

  it('may see the variables that it declares', async () => {
    const { status } = await run(
      'return { value: process.env.HOME_REGION ?? null }',
      '',
      'steps: { one: { source: "steps/one.ts#one", strict: true, environment: [HOME_REGION] } }',
    )
    expect(status).toBe('complete')
  })

  it('is made by the pipeline too, and a step may say otherwise; in TypeScript as in YAML', async () => {
    const body = 'Date.now()\n    return { value: 3 }'
    expect((await run(body, '', 'strict: true\nsteps: { one: { source: "steps/one.ts#one" } }')).status).toBe('failed')
    expect(
      (await run(body, '', 'strict: true\nsteps: { one: { source: "steps/one.ts#one", strict: false } }')).status,
    ).toBe('complete')
    project.write({
      'pipeline.ts': `import { pipeline } from 'zenml'\nimport { one } from './steps/one.ts'\nexport default pipeline('one', () => void one({}, {}, { name: 'one' }), { strict: true })\n`,
      'placed.ts': `import { pipeline } from 'zenml'\nimport { one } from './steps/one.ts'\nexport default pipeline('one', () => void one({}, {}, { strict: true }))\n`,
    })
    for (const file of ['pipeline.ts', 'placed.ts'])
      expect(((await project.json('pipeline', 'run', file)) as Run).status).toBe('failed')
    const { stdout } = await project.zenml('pipeline', 'config', '@latest')
    expect(stdout).toContain('strict: true')
  })

  it('has the same identity as one that is not, but does not stand on an execution that a strict step could not have made', async () => {
    const plain = 'steps: { one: { source: "steps/one.ts#one" } }'
    await run('return { value: 4 }', '', plain)
    expect((await run('return { value: 4 }')).steps[0]!.outcome).toBe('reused')
    await run('return { value: Date.now() > 0 }', '', plain)
    expect((await run('return { value: Date.now() > 0 }', '', plain)).steps[0]!.outcome).toBe('reused')
    expect((await run('return { value: Date.now() > 0 }')).steps[0]!.outcome).toBe('failed')
  })
})
