import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type CommandEnd, type TestProject, testProject } from '../support/project.ts'

/** Outside of the repository: what is there is no part of what a step is. */
const outside = mkdtempSync(join(tmpdir(), 'zenml-outside-'))
afterAll(() => rmSync(outside, { recursive: true, force: true }))

/** A step that does what the file outside says where it meets the item that stands there: `fail 7`, `hang 7`. */
const step = (outsideFile: string, more = ''): string => `
import { readFileSync } from 'node:fs'
import { map } from 'zenml/steps'
export const words = map({
  name: 'words',
  features: { loud: 'bytes', chance: 'int' },
  run: async ({ item, random }) => {
    console.log('called for', item.text)
    const [what, which] = readFileSync(${JSON.stringify(outsideFile)}, 'utf8').split(' ')
    if (item.text === 'text ' + which && what === 'fail') throw new Error('the service is down')
    if (item.text === 'text ' + which && what === 'kill') process.kill(process.pid, 'SIGKILL')
    if (item.text === 'text ' + which && what === 'hang') await new Promise(() => setInterval(() => {}, 1000))
    ${more}
    return { loud: 'LOUD ' + item.text, chance: random.integer(1000) }
  },
})
`

const pipeline = (placement = ''): string => `
version: 1
pipeline: texts
datasources:
  texts: { path: data/texts.csv }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.texts } }
  words: { source: "steps/words.ts#words", inputs: { examples: snapshot.examples }${placement} }
`

const texts = (count: number): string =>
  `text\n${Array.from({ length: count }, (_, index) => `text ${index}\n`).join('')}`

interface Trial extends Disposable {
  readonly project: TestProject
  readonly outsideFile: string
  say(what: string): void
  run(): Promise<CommandEnd & { readonly made: number }>
}

function trial(name: string, count: number): Trial {
  const project = testProject()
  const outsideFile = join(outside, name)
  const say = (what: string): void => writeFileSync(outsideFile, what)
  project.write({ 'steps/words.ts': step(outsideFile), 'pipeline.yaml': pipeline(), 'data/texts.csv': texts(count) })
  project.commit()
  return {
    project,
    outsideFile,
    say,
    async run() {
      const end = await project.zenml('pipeline', 'run', 'pipeline.yaml')
      return { ...end, made: madeBy(end) }
    },
    [Symbol.dispose]: () => project[Symbol.dispose](),
  }
}

function madeBy({ stdout, stderr }: Pick<CommandEnd, 'stdout' | 'stderr'>): number {
  return [...`${stdout}${stderr}`.matchAll(/called for /g)].length
}

it('a step that fails at item 900 of 1,000 keeps 900, the next run makes the rest, and verify makes all of them and agrees', async () => {
  using tried = trial('fails', 1000)
  const { project } = tried
  tried.say('fail 900')
  const failed = await tried.run()
  expect(failed.code).not.toBe(0)
  expect(failed.made).toBe(901)
  expect(failed.stderr).toContain('Step "words" keeps the results of 900 items: the next run goes on from there.')
  expect(failed.stderr).toContain('split "all", row 900: the service is down')
  const { steps } = await project.json('pipeline', 'status', '@latest')
  expect(steps[1]).toMatchObject({ outcome: 'failed', outputs: {}, kept: { done: 900, unit: 'items' } })
  expect(steps[0]).toMatchObject({ kept: null })
  const shown = await project.zenml('pipeline', 'status', '@latest')
  expect(shown.stdout).toContain('Step "words" kept the results of 900 items: a later run takes them over.')
  const { artifacts } = await project.json('artifact', 'list')
  expect(artifacts.map(({ producer }: { producer: { step: string } }) => producer.step)).toEqual(['snapshot'])

  tried.say('nothing')
  const ended = await tried.run()
  expect(ended.code, ended.stderr).toBe(0)
  expect(ended.made).toBe(100)
  const status = await project.json('pipeline', 'status', '@latest')
  expect(status.steps[1].metrics).toMatchObject({ itemsMade: 100, itemsKept: 900 })
  const { verdict } = await project.json('pipeline', 'verify', '@latest')
  expect(verdict).toBe('reproduced')
  // The function used chance: with another seed nothing of it stands.
  const otherSeed = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--seed', '7')
  expect(madeBy(otherSeed)).toBe(1000)
})

it('Ctrl-C and a timeout keep what was made too, also where a function never ends and hears of nothing', async () => {
  using tried = trial('stops', 30)
  const { project } = tried
  tried.say('hang 10')
  const child = project.start('pipeline', 'run', 'pipeline.yaml')
  let said = ''
  let asked = false
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (text) => {
      said += text
      // Once: a second Ctrl-C waits for nothing.
      if (!asked && madeBy({ stdout: said, stderr: '' }) === 11) asked = child.kill('SIGINT')
    })
  }
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130)
  expect(said).toContain('keeps the results of 10 items')
  expect((await project.json('pipeline', 'status', '@latest')).steps[1]).toMatchObject({
    outcome: 'canceled',
    outputs: {},
  })

  tried.say('hang 20')
  project.write({ 'pipeline.yaml': pipeline(', timeout: 20') })
  const late = await tried.run()
  expect(late.stderr).toContain('ZEN_STEP_TIMEOUT')
  expect(late.stderr).toContain('keeps the results of 20 items')
  expect(late.made).toBe(11)

  tried.say('nothing')
  const ended = await tried.run()
  expect(ended.code, ended.stderr).toBe(0)
  expect(ended.made).toBe(10)
})

it('partial results are not taken where a file that they stand on, the code or their own bytes are not as they were', async () => {
  using tried = trial('refused', 20)
  const { project } = tried
  const reading = (constant: string): void =>
    project.write({
      'steps/words.ts': step(
        tried.outsideFile,
        `readFileSync(${JSON.stringify(join(project.root, 'list.txt'))}); ${constant}`,
      ),
    })
  project.write({ 'list.txt': 'one' })
  reading('String(1)')
  tried.say('fail 15')
  expect((await tried.run()).made).toBe(16)
  expect((await tried.run()).made, 'it goes on from item 15').toBe(1)
  project.write({ 'list.txt': 'two' })
  expect((await tried.run()).made, 'the file is another').toBe(16)
  reading("console.log('other code')")
  expect((await tried.run()).made, 'the code is other').toBe(16)
  tried.say('nothing')
  expect(damage(join(project.root, '.zenml/artifacts/blobs'), 'LOUD text 3')).toBeGreaterThan(0)
  const ended = await tried.run()
  expect(ended.code, ended.stderr).toBe(0)
  expect(ended.made, 'the bytes are others').toBe(20)
})

it('a step that is killed keeps nothing, and what was kept before is still there; one that must not take anything over takes nothing', async () => {
  using tried = trial('killed', 20)
  tried.say('fail 10')
  expect((await tried.run()).made).toBe(11)
  tried.say('kill 15')
  const killed = await tried.run()
  expect(killed.stderr).toContain('ZEN_STEP_SIGNAL')
  expect(killed.stderr).not.toContain('keeps the results')
  expect(killed.made).toBe(6)
  tried.say('nothing')
  tried.project.write({ 'pipeline.yaml': pipeline(', strict: true') })
  const strict = await tried.run()
  // It reads a file that it does not declare: neither is what others made so believed, nor may it do so itself.
  expect(strict.stderr).toContain('ZEN_STRICT_FILE')
  expect(strict.stderr).not.toContain('keeps the results')
  tried.project.write({ 'pipeline.yaml': pipeline() })
  const all = await tried.project.zenml('pipeline', 'run', 'pipeline.yaml', '--no-cache')
  expect(madeBy(all)).toBe(20)
})

/** Changes the bytes of all files that hold a text, and tells how many these are. */
function damage(folder: string, text: string): number {
  let count = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile()) continue
    const bytes = readFileSync(path)
    const at = bytes.indexOf(text)
    if (at < 0) continue
    bytes[at] = 0x6c
    rmSync(path)
    writeFileSync(path, bytes)
    count++
  }
  return count
}
