import { chmodSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'
import { digestTree, repositoryState } from '../support/tree-state.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
type Document = any

const verdicts = (document: Document): { [step: string]: string } =>
  Object.fromEntries(document.steps.map(({ name, verdict }: Document) => [name, verdict]))

async function verifyOne(
  project: TestProject,
  ...args: string[]
): Promise<{ code: number | null; document: Document }> {
  const { code, stdout, stderr } = await project.zenml('pipeline', 'verify', '@latest', '--json', ...args)
  if (stdout === '') throw new Error(stderr)
  return { code, document: JSON.parse(stdout) }
}

async function ran(body: string, extra = ''): Promise<TestProject> {
  const project = testProject()
  project.write(oneStep(body, extra))
  project.commit()
  const run = await project.json('pipeline', 'run', 'one.yaml')
  if (run.status !== 'complete') throw new Error(JSON.stringify(run.error))
  return project
}

describe('verify', () => {
  it('says reproduced, with every digest, records it beside the run, and status shows it', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    const { code, document } = await verifyOne(project, '--times', '2')
    expect(code).toBe(0)
    expect(document).toMatchObject({ run: run.run, verdict: 'reproduced', partial: false, recorded: true })
    expect(verdicts(document)).toEqual({ make: 'reproduced', double: 'reproduced', sum: 'reproduced' })
    for (const step of document.steps) {
      expect(step.executions).toBe(2)
      for (const [output, { recorded, observed }] of Object.entries<Document>(step.outputs)) {
        expect(observed).toBe(recorded)
        expect(recorded).toBe(run.steps.find(({ name }: Document) => name === step.name).outputs[output].digest)
      }
    }
    const status = await project.json('pipeline', 'status', run.run)
    expect(status.verification).toMatchObject({ verdict: 'reproduced', at: document.at })
    expect({ ...status, verification: null }).toEqual(run)
    const { stdout } = await project.zenml('pipeline', 'status', run.run)
    expect(stdout).toMatch(/verified \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: reproduced/)
    expect(await project.json('pipeline', 'runs')).toHaveProperty('runs.length', 1)
  })

  it('looks at chosen steps only, and refuses one that the run does not have', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    await project.json('pipeline', 'run', 'pipeline.yaml')
    const { document } = await verifyOne(project, '--step', 'sum')
    expect(verdicts(document)).toEqual({ sum: 'reproduced' })
    expect(document.partial).toBe(true)
    const wrong = await verifyOne(project, '--step', 'sun')
    expect(wrong.code).toBe(2)
    expect(wrong.document.error.message).toContain('Did you mean "sum"?')
  })

  it('names the clock, with file and line, where a step puts the time into its output', async () => {
    using project = await ran('const now = Date.now()\n    return { value: now }')
    const { code, document } = await verifyOne(project)
    expect(code).toBe(3)
    expect(document.verdict).toBe('differs')
    const line =
      project
        .read('steps/one.ts')
        .split('\n')
        .findIndex((text) => text.includes('Date.now')) + 1
    expect(document.steps[0].cause).toMatchObject({
      kind: 'nondeterminism',
      message: expect.stringContaining(`Date.now at steps/one.ts:${line}`),
    })
    expect(document.steps[0].cause.calls[0]).toMatchObject({ kind: 'clock', what: 'Date.now', package: null })
    expect(document.steps[0].outputs.value.numeric).toEqual([
      expect.objectContaining({ path: 'value.json', values: 1, differing: 1 }),
    ])
    const { stdout } = await project.zenml('pipeline', 'status', '@latest')
    expect(stdout).toMatch(/verified .* UTC: differs/)
  })

  it('reproduces what takes its randomness from the seeded sources, in the code of a package too', async () => {
    using project = testProject()
    project.write({
      'vendor/dice/package.json': '{ "name": "dice", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
      'vendor/dice/index.js': 'export const roll = () => Math.floor(Math.random() * 1e9)\n',
      ...oneStep('return { value: [roll(), roll(), context.random.next()] }', "import { roll } from 'dice'"),
    })
    await import('node:fs/promises').then(({ cp }) =>
      cp(join(project.root, 'vendor/dice'), join(project.root, 'node_modules/dice'), { recursive: true }),
    )
    project.commit()
    await project.json('pipeline', 'run', 'one.yaml')
    const { document } = await verifyOne(project, '--times', '3')
    expect(document.verdict).toBe('reproduced')
  })

  it('names unseeded randomness and the package that it comes through', async () => {
    using project = await ran('return { value: randomUUID() }', "import { randomUUID } from 'node:crypto'")
    const { document } = await verifyOne(project)
    expect(document.steps[0].cause).toMatchObject({ kind: 'nondeterminism' })
    expect(document.steps[0].cause.calls[0]).toMatchObject({
      kind: 'randomness',
      what: expect.stringContaining('randomUUID'),
    })
  })

  it('says data where a blob is gone or one bit of it has flipped, and that the step itself is sound', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    const blob = realpathOfOutput(project, run.run, 'double/numbers/value.json')
    const bytes = readFileSync(blob)
    chmodSync(blob, 0o644)
    bytes[1]! ^= 1
    writeFileSync(blob, bytes)
    const damaged = await verifyOne(project)
    expect(damaged.code).toBe(3)
    expect(verdicts(damaged.document)).toEqual({ make: 'reproduced', double: 'differs', sum: 'reproduced' })
    expect(damaged.document.steps[1].cause).toMatchObject({ kind: 'data', message: expect.stringContaining('damaged') })
    await rm(blob)
    // Alone, what follows lacks its input; the whole run makes it again.
    const alone = await verifyOne(project, '--step', 'sum')
    expect(alone.code).toBe(1)
    expect(alone.document.steps).toMatchObject([
      {
        verdict: 'cannot',
        cause: { kind: 'data', message: expect.stringContaining(`"zenml pipeline verify ${run.run}", without --step`) },
      },
    ])
    expect((await verifyOne(project, '--step', 'double', '--step', 'sum')).document.steps[1].verdict).toBe('reproduced')
    const missing = await verifyOne(project)
    expect(missing.document.steps[1].cause).toMatchObject({ kind: 'data', message: expect.stringContaining('missing') })
    // A rerun puts it back.
    await project.json('pipeline', 'rerun', run.run)
    expect((await verifyOne(project)).document.verdict).toBe('reproduced')
  })

  it('says packages where another version is installed, with both versions', async () => {
    using project = testProject()
    const dice = (version: string, sides: number): void =>
      project.write({
        'node_modules/dice/package.json': `{ "name": "dice", "version": "${version}", "type": "module", "exports": "./index.js" }`,
        'node_modules/dice/index.js': `export const sides = ${sides}\n`,
      })
    dice('1.0.0', 6)
    project.write(oneStep('return { value: sides }', "import { sides } from 'dice'"))
    project.commit()
    await project.json('pipeline', 'run', 'one.yaml')
    dice('1.1.0', 20)
    const { code, document } = await verifyOne(project)
    expect(code).toBe(3)
    expect(document.notes.join()).toContain('no package-lock.json')
    expect(document.steps[0].cause).toMatchObject({
      kind: 'packages',
      changes: [expect.objectContaining({ field: 'packages', path: 'dice', before: '1.0.0', after: '1.1.0' })],
    })
  })

  it('says that a step which fails now cannot be verified, with its error', async () => {
    using project = await ran(
      `if (existsSync(${JSON.stringify('/tmp/zenml-verify-must-fail')})) throw new Error('no more')\n    return { value: 1 }`,
      "import { existsSync } from 'node:fs'",
    )
    writeFileSync('/tmp/zenml-verify-must-fail', '')
    try {
      const { code, document } = await verifyOne(project)
      expect(code).toBe(1)
      expect(document.steps[0]).toMatchObject({
        verdict: 'cannot',
        error: { message: expect.stringContaining('no more') },
      })
    } finally {
      await rm('/tmp/zenml-verify-must-fail')
    }
  })

  it.each([['verify'], ['rerun']])(
    '%s stops at Ctrl-C with exit code 130, and takes its folder away',
    async (command) => {
      using project = await ran('await new Promise((resolve) => setTimeout(resolve, 5000))\n    return { value: 7 }')
      const child = project.start('pipeline', command, '@latest')
      let said = ''
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const ended = new Promise((resolve) => child.once('close', resolve))
      while (!said.includes('pipeline one')) await wait(20)
      await wait(300)
      child.kill('SIGINT')
      expect(await ended).toBe(130)
      expect(readdirSync(join(project.cache, 'work'))).toEqual([])
      const { runs } = await project.json('pipeline', 'runs')
      expect(runs.map(({ status }: Document) => status)).toEqual(
        command === 'rerun' ? ['canceled', 'complete'] : ['complete'],
      )
      expect((await project.json('pipeline', 'status', runs.at(-1).id)).verification).toBe(null)
    },
  )

  it('leaves no trace in store and repository when it is killed half-way, and the next one sweeps its folder', async () => {
    using project = await ran('await new Promise((resolve) => setTimeout(resolve, 1500))\n    return { value: 7 }')
    const state = (): object => ({
      ...repositoryState(project),
      artifacts: digestTree(join(project.root, '.zenml/artifacts'), ['verified']),
      metadata: statSync(join(project.root, '.zenml/metadata.db')).size,
      tmp: digestTree(join(project.root, '.zenml/tmp')),
    })
    const before = state()
    const child = project.start('pipeline', 'verify', '@latest')
    const ended = new Promise((resolve) => child.once('close', resolve))
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    while (!said.includes('pipeline one')) await wait(20)
    await wait(400)
    child.kill('SIGKILL')
    await ended
    expect(state()).toEqual(before)
    const status = await project.json('pipeline', 'status', '@latest')
    expect(status.verification).toBe(null)
    const { document } = await verifyOne(project)
    expect(document.verdict).toBe('reproduced')
    expect(readdirSync(join(project.cache, 'work'))).toEqual([])
  })
})

function realpathOfOutput(project: TestProject, run: string, path: string): string {
  return realpathSync(join(project.root, '.zenml/view/numbers', run, path))
}
