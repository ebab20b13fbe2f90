import { execFileSync, type spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { oneStep } from '../support/steps.ts'

let project: TestProject
beforeAll(() => {
  project = testProject()
})
afterAll(() => project[Symbol.dispose]())

const imports = `import { spawn } from 'node:child_process'\nimport { writeSync } from 'node:fs'\nvoid spawn\nvoid writeSync`

function write(body: string, keys = ''): void {
  project.write(oneStep(body, imports))
  project.write({ 'one.yaml': `version: 1\npipeline: one\nsteps:\n  one: { source: "steps/one.ts#one"${keys} }\n` })
}

/** Processes of a command line with this project's folder in it. */
function processes(): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  return all.filter((line) => line.includes(project.root) && line.includes('step-host.js'))
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function saysStarted(child: ReturnType<typeof spawn>): Promise<void> {
  await new Promise<void>((resolve) =>
    child.stderr!.on('data', (text) => String(text).includes('started') && resolve()),
  )
}

it.each([
  ['in its group', `spawn('sleep', ['20'], { stdio: 'inherit' })`],
  ['outside of its group', `spawn('sleep', ['20'], { stdio: 'inherit', detached: true }).unref()`],
])('a process that a step leaves running %s does not hold up the run', async (_where, leave) => {
  write(`${leave}\nawait new Promise((resolve) => setTimeout(resolve, 200))\nreturn { value: 1 }`)
  const run = await project.json('pipeline', 'run', 'one.yaml')
  expect(run.status).toBe('complete')
})

it('a time limit of months is no limit of nothing', async () => {
  write(`await new Promise((resolve) => setTimeout(resolve, 200))\nreturn { value: 1 }`, ', timeout: 31536000')
  expect((await project.json('pipeline', 'run', 'one.yaml')).status).toBe('complete')
})

it('what a step itself writes to the descriptor of events harms nobody', async () => {
  const lines = ['{"kind":"metric","name":"x"}', '{"kind":"progress"}', 'null', '7', 'x'.repeat(100_000)]
  write(`for (const line of ${JSON.stringify(lines)}) writeSync(3, line + '\\n')\nreturn { value: 1 }`)
  expect((await project.json('pipeline', 'run', 'one.yaml')).status).toBe('complete')
})

it('an error that is thrown where the step does not wait is recorded as the cause', async () => {
  write(
    `setTimeout(() => { throw new RangeError('too late') }, 1)\nawait new Promise((resolve) => setTimeout(resolve, 60_000))`,
  )
  const { steps } = await project.json('pipeline', 'run', 'one.yaml')
  expect(steps[0].error).toMatchObject({ code: 'ZEN_STEP_ERROR', message: 'too late' })
})

it('an error of ours is shown without the calls inside of zenml, but with the line of the user who asked for it', async () => {
  write(
    `const { batchOf } = await import('zenml/formats')\nreturn { value: batchOf([{ x: 'a' }], { x: 'int' }).length }`,
  )
  project.write({
    'data/empty.csv': 'x\n',
    'empty.yaml':
      'version: 1\npipeline: empty\ndatasources:\n  d: { path: data/empty.csv }\nsteps:\n  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.d } }\n',
  })
  const empty = await project.zenml('pipeline', 'run', 'empty.yaml')
  expect(empty.stderr).toContain('snapshot │ ZenmlError: The datasource has no rows: data/empty.csv.')
  expect(empty.stderr).not.toMatch(/ at .*[.]js:/)
  const asked = await project.zenml('pipeline', 'run', 'one.yaml')
  expect(asked.stderr).toMatch(/one │ ZenmlError: /)
  expect(asked.stderr).toMatch(/one │ +at Object.run \(steps.one[.]ts:\d+:\d+\)/)
  expect(asked.stderr).not.toMatch(/ at .*[.]js:/)
})

it('a step whose promise can never be settled says so', async () => {
  write('await new Promise(() => undefined)')
  const { steps } = await project.json('pipeline', 'run', 'one.yaml')
  expect(steps[0].error).toMatchObject({ code: 'ZEN_STEP_EXIT', message: expect.stringMatching(/never come/) })
})

it('a step that prints a hundred megabytes completes, and its log is whole', { timeout: 120_000 }, async () => {
  write(
    `const line = 'x'.repeat(9_999) + '\\n'\nfor (let index = 0; index < 10_000; index++) process.stdout.write(line)\nreturn { value: 1 }`,
  )
  const child = project.start('pipeline', 'run', 'one.yaml')
  child.stderr!.resume()
  child.stdout!.resume()
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  const run = await project.json('pipeline', 'status', '@latest')
  const hex = run.steps[0].log.slice('sha256:'.length)
  const size = execFileSync('find', ['.zenml/artifacts', '-path', `*${hex.slice(2)}*`, '-printf', '%s\n'], {
    cwd: project.root,
    encoding: 'utf8',
  })
  expect(size.split('\n')).toContain('100000000')
})

it.each([
  ['the command is killed', ['SIGKILL'] as const],
  ['Ctrl-C is pressed twice', ['SIGINT', 'SIGINT'] as const],
  ['its terminal is closed', ['SIGHUP'] as const],
])('a step in an endless loop does not survive when %s', { timeout: 60_000 }, async (_what, signals) => {
  write(`console.log('started')\nfor (;;);`)
  const child = project.start('pipeline', 'run', 'one.yaml', '--no-cache')
  const closed = new Promise((resolve) => child.on('close', resolve))
  await saysStarted(child)
  expect(processes()).toHaveLength(1)
  for (const signal of signals) {
    child.kill(signal)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await closed
  await until(() => processes().length === 0)
})
