import { execFile, execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { cli, testEnvironment, testProject } from '../support/project.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'

/** Runs a shell's command line with `zenml` in it. */
function shell(root: string, line: string): Promise<string> {
  const text = `set -o pipefail; zenml() { "${process.execPath}" "${cli}" "$@"; }; ${line}`
  return new Promise((resolve) =>
    execFile('bash', ['-c', text], { cwd: root, env: testEnvironment }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    ),
  )
}

it.each([
  ['a step', 'one.yaml'],
  ['a pipeline', 'endless.ts'],
])(
  'Ctrl-C while the module of %s loads for ever ends the command, records nothing and leaves no process',
  async (_what, file) => {
    using project = testProject()
    project.write(oneStep('return { value: 1 }'))
    project.write({ 'steps/one.ts': `${project.read('steps/one.ts')}\nfor (;;);\n`, 'endless.ts': 'for (;;);\n' })
    const loading = (): boolean =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
        .split('\n')
        .some((line) => line.includes(project.root) && line.includes('step-host.js'))
    const child = project.start('pipeline', 'run', file, '--json')
    let stdout = ''
    child.stdout!.on('data', (text) => {
      stdout += text
    })
    const closed = new Promise((resolve) => child.on('close', resolve))
    while (!loading()) await new Promise((resolve) => setTimeout(resolve, 50))
    child.kill('SIGINT')
    expect(await closed).toBe(130)
    expect(JSON.parse(stdout).error.code).toBe('ZEN_INTERRUPTED')
    expect(loading()).toBe(false)
    expect((await project.json('pipeline', 'runs')).runs).toEqual([])
  },
)

it('a reader that goes away ends no run and shows no stack', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  expect(await shell(project.root, 'zenml pipeline run pipeline.yaml 2>&1 | head -1')).toMatch(/^Run \w+ of.*\n$/)
  expect((await project.json('pipeline', 'status', '@latest')).status).toBe('complete')
  expect(await shell(project.root, 'zenml pipeline runs | true')).toBe('')
  expect(await shell(project.root, 'zenml --help | true')).toBe('')
})

it.each([[[]], [['pipeline']], [['config', 'metadata']]])(
  '%j without a command is one JSON document too',
  async (args) => {
    using project = testProject({ git: false })
    const { code, stdout } = await project.zenml(...args, '--json')
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'ZEN_USAGE', message: 'A command is missing.' })
  },
)

it('what the system refuses is no defect of ours and says what to do', async () => {
  using project = testProject()
  project.write({ 'a-file': '' })
  const { code, stdout, stderr } = await project.zenml('init', 'a-file/below', '--json')
  expect(code).toBe(1)
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'ZEN_SYSTEM', facts: { code: 'ENOTDIR' } })
  expect(stderr).not.toContain('defect')
})

it('a pipe, a device and a file of gigabytes are no pipelines, and a # may stand in the name of a folder', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  execFileSync('mkfifo', ['pipe.yaml'], { cwd: project.root })
  execFileSync('truncate', ['-s', '3G', 'huge.yaml'], { cwd: project.root })
  for (const file of ['pipe.yaml', 'huge.yaml'])
    expect((await project.json('pipeline', 'run', file)).error.code).toBe('ZEN_PIPELINE_FILE')
  execFileSync('rm', ['pipe.yaml', 'huge.yaml'], { cwd: project.root })
  expect((await project.json('pipeline', 'run', 'pipeline.yaml#sum')).error.code).toBe('ZEN_PIPELINE_EXPORT')
  project.write({ 'a#b/..c.yaml': numbersPipeline['pipeline.yaml']! })
  expect((await project.json('pipeline', 'run', 'a#b/..c.yaml')).status).toBe('complete')
})

it('a value that JSON does not know is refused', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  const { error } = await project.json('pipeline', 'run', 'pipeline.yaml', '--param', 'make.count=.nan')
  expect(error.code).toBe('ZEN_CONFIG_OVERRIDE')
})

it('live progress never wraps, and what a step writes in pieces is shown in whole lines', async () => {
  const { showProgress } = await import('../../src/cli/progress.ts')
  const { terminal } = await import('../../src/cli/terminal.ts')
  let shown = ''
  const stream = { isTTY: true, columns: 24, write: (text: string) => (shown += text) }
  const environment = { NO_COLOR: '1' }
  const progress = showProgress(terminal({ directory: '/', environment, stdout: stream, stderr: stream }, false))
  progress.listen({ kind: 'run-started', run: 'r', pipeline: 'p', steps: ['a-step-with-a-long-name'] })
  progress.listen({ kind: 'step-started', step: 'a-step-with-a-long-name' })
  for (const text of ['hel', 'lo\nwor', 'ld'])
    progress.listen({ kind: 'step-output', step: 'a-step-with-a-long-name', stream: 'stdout', text })
  expect(shown).not.toContain('world')
  progress.listen({ kind: 'step-ended', step: 'a-step-with-a-long-name', outcome: 'executed', seconds: 1, error: null })
  progress.end()
  expect(shown).toContain('│ hello\n')
  expect(shown).toContain('│ world\n')
  for (const [, live] of shown.matchAll(/\r\x1b\[2K( [^\r\n]*)\r/g)) expect(live!.length).toBeLessThan(24)
  expect(shown).toMatch(/a-step-with-a/)
})

it('how much of a datasource has come is shown until the run starts', async () => {
  const { showProgress } = await import('../../src/cli/progress.ts')
  const { terminal } = await import('../../src/cli/terminal.ts')
  let shown = ''
  const stream = { isTTY: true, columns: 80, write: (text: string) => (shown += text) }
  const environment = { NO_COLOR: '1' }
  const progress = showProgress(terminal({ directory: '/', environment, stdout: stream, stderr: stream }, false))
  progress.listen({ kind: 'source-progress', datasource: 'flights', done: 4096, total: null, unit: 'rows' })
  progress.listen({ kind: 'source-progress', datasource: 'images', done: 1, total: 4, unit: 'bytes' })
  await expect.poll(() => shown).toMatch(/flights [\d.]+ m?s · 4096 rows {3}images [\d.]+ m?s · 25 %/)
  progress.listen({ kind: 'run-started', run: 'r', pipeline: 'p', steps: ['read'] })
  shown = ''
  progress.listen({ kind: 'step-started', step: 'read' })
  progress.end()
  expect(shown).toContain('read')
  expect(shown).not.toContain('flights')
})
