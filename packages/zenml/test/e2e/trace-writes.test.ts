import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { oneStep, sideBySide } from '../support/steps.ts'

let project: TestProject
beforeEach(() => {
  project = testProject()
})
afterEach(() => project[Symbol.dispose]())

/** Steps that each do something with a `FILE` of their own, which holds something, and give what is there then. */
function steps(doings: readonly string[]): void {
  project.write(
    sideBySide(
      doings.map(
        (doing, index) => `const FILE = ${JSON.stringify(join(project.root, `data/${index}.txt`))}
    ${doing}
    return { value: fs.existsSync(FILE) ? fs.readFileSync(FILE, 'utf8') : null }`,
      ),
      `import fs from 'node:fs'\nimport { finished } from 'node:stream/promises'`,
    ),
  )
  hold(doings, 'old')
}

function hold(doings: readonly string[], text: string): void {
  project.write(Object.fromEntries(doings.map((_, index) => [`data/${index}.txt`, text])))
}

/** What became of each, by what it does. */
async function outcomes(doings: readonly string[]): Promise<{ [doing: string]: string }> {
  const run = await project.json('pipeline', 'run', 'many.yaml')
  const ended = new Map(run.steps.map((step: { name: string; outcome: string }) => [step.name, step.outcome]))
  return Object.fromEntries(doings.map((doing, index) => [doing, String(ended.get(`s${index}`))]))
}

function all(doings: readonly string[], outcome: string): { [doing: string]: string } {
  return Object.fromEntries(doings.map((doing) => [doing, outcome]))
}

describe('a file of the repository that a step reads after it', () => {
  it('wrote a part of it holds something of before: the execution is never reused', async () => {
    const doings = [
      `fs.appendFileSync(FILE, 'x')`,
      `fs.writeFileSync(FILE, 'x', { flag: 'a' })`,
      `await fs.promises.writeFile(FILE, 'x', { flag: 'r+' })`,
      `await finished(fs.createWriteStream(FILE, { flags: 'r+', start: 1 }).end('x'))`,
      `const file = fs.openSync(FILE, 'a'); fs.writeSync(file, 'x'); fs.closeSync(file)`,
      `const file = fs.openSync(FILE, fs.constants.O_WRONLY); fs.writeSync(file, 'x'); fs.closeSync(file)`,
      `fs.truncateSync(FILE, 1)`,
    ]
    steps(doings)
    expect(await outcomes(doings)).toEqual(all(doings, 'executed'))
    expect(await outcomes(doings)).toEqual(all(doings, 'executed'))
  })

  it('failed to write it is as it was: it runs again when that changes', async () => {
    const doings = [
      `try { fs.writeFileSync(FILE, 'new', { flag: 'wx' }) } catch {}`,
      `try { fs.openSync(FILE, 'wx') } catch {}`,
      `await fs.promises.writeFile(FILE, 'new', { signal: AbortSignal.abort() }).catch(() => 0)`,
      `try { fs.appendFileSync(FILE, Symbol('none') as never) } catch {}`,
    ]
    steps(doings)
    expect(await outcomes(doings)).toEqual(all(doings, 'executed'))
    expect(await outcomes(doings)).toEqual(all(doings, 'reused'))
    hold(doings, 'other')
    expect(await outcomes(doings)).toEqual(all(doings, 'executed'))
  })

  it('wrote the whole of it is its own: whatever was there does not matter', async () => {
    const doings = [
      `fs.writeFileSync(FILE, 'x')`,
      `fs.writeFileSync(FILE, 'x'); fs.appendFileSync(FILE, 'y')`,
      `await finished(fs.createWriteStream(FILE).end('x'))`,
      `const file = await fs.promises.open(FILE, 'w+'); await file.writeFile('x'); await file.close()`,
    ]
    steps(doings)
    expect(await outcomes(doings)).toEqual(all(doings, 'executed'))
    hold(doings, 'other')
    expect(await outcomes(doings)).toEqual(all(doings, 'reused'))
  })
})

it('a step that only adds to a file of the repository does not depend on it, one that makes a file only where there is none does', async () => {
  const [log, lock] = [join(project.root, 'log.txt'), join(project.root, 'lock.txt')]
  project.write({ 'lock.txt': '' })
  project.write(
    oneStep(
      `fs.appendFileSync(${JSON.stringify(log)}, 'x')
    let made = true
    try { fs.writeFileSync(${JSON.stringify(lock)}, 'x', { flag: 'wx' }) } catch { made = false }
    return { value: made }`,
      `import fs from 'node:fs'`,
    ),
  )
  const outcome = async (): Promise<string> => (await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome
  expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
  rmSync(lock)
  expect(await outcome()).toBe('executed')
})
