import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Touch } from '../../src/model/touch.ts'
import { installPackages } from '../support/packages.ts'
import { type TestProject, testProject } from '../support/project.ts'
import { oneStep, sideBySide } from '../support/steps.ts'

let project: TestProject
beforeEach(() => {
  project = testProject()
})
afterEach(() => project[Symbol.dispose]())

/** Puts a link there, in place of what there was. */
function link(path: string, to: string): void {
  symlinkSync(to, join(project.root, `${path}.new`))
  renameSync(join(project.root, `${path}.new`), join(project.root, path))
}

/** A step with this body, which may use `ROOT`. */
function step(body: string, extra = ''): void {
  project.write(
    oneStep(
      `const ROOT = ${JSON.stringify(project.root)}\n    ${body}`,
      `import fs from 'node:fs'\nimport { basename, join } from 'node:path'\n${extra}`,
    ),
  )
}

async function outcome(): Promise<string> {
  const { status, steps } = await project.json('pipeline', 'run', 'one.yaml')
  expect([status, steps[0].error]).toEqual(['complete', null])
  return steps[0].outcome
}

async function touched(): Promise<string[]> {
  const { steps } = await project.json('pipeline', 'status', '@latest')
  return steps[0].touches.map(({ kind, what }: Touch) => `${kind} ${what}`)
}

describe('a link of the repository', () => {
  it('that a step asked about is looked at again: it runs when that leads elsewhere, to the same bytes', async () => {
    project.write({ 'data/v1.txt': 'same', 'data/v20.txt': 'same' })
    link('data/current', 'v1.txt')
    const asked = [
      'fs.readlinkSync(FILE)',
      'basename(await fs.promises.realpath(FILE))',
      'basename(fs.realpathSync.native(FILE))',
      'fs.lstatSync(FILE).size',
    ]
    project.write(
      sideBySide(
        asked.map(
          (asks) => `const FILE = ${JSON.stringify(join(project.root, 'data/current'))}\n    return { value: ${asks} }`,
        ),
        `import fs from 'node:fs'\nimport { basename } from 'node:path'`,
      ),
    )
    const run = async (): Promise<string[]> =>
      (await project.json('pipeline', 'run', 'many.yaml')).steps.map(({ outcome }: { outcome: string }) => outcome)
    expect(await run()).toEqual(asked.map(() => 'executed'))
    expect(await run()).toEqual(asked.map(() => 'reused'))
    link('data/current', 'v20.txt')
    expect(await run()).toEqual(asked.map(() => 'executed'))
    expect(await touched()).toEqual(['file data/current'])
    const { stdout } = await project.zenml('pipeline', 'explain', '@latest')
    expect(stdout).toContain('s0 ran again because data/current, which it follows, leads elsewhere')
    link('data/current', 'v1.txt')
    expect(await run()).toEqual(asked.map(() => 'reused'))
  })

  it('that takes the place of a file is noticed by a step that asked where that lies, and so is the way back', async () => {
    project.write({ 'data/other.txt': 'same', 'data/file.txt': 'same' })
    step(`return { value: basename(fs.realpathSync(join(ROOT, 'data/file.txt'))) }`)
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    link('data/file.txt', 'other.txt')
    expect(await outcome()).toBe('executed')
    rmSync(join(project.root, 'data/file.txt'))
    project.write({ 'data/file.txt': 'same' })
    expect(await outcome()).toBe('reused')
  })

  it('to a module that a step requires is noticed when it leads to another module with the same text', async () => {
    project.write({
      'data/v1.cjs': 'module.exports = __filename.at(-5)',
      'data/v2.cjs': 'module.exports = __filename.at(-5)',
    })
    link('data/current.cjs', 'v1.cjs')
    step(
      `return { value: createRequire(import.meta.url)(join(ROOT, 'data/current.cjs')) }`,
      `import { createRequire } from 'node:module'`,
    )
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    link('data/current.cjs', 'v2.cjs')
    expect(await outcome()).toBe('executed')
  })
})

describe('a folder of the repository that a step copies', () => {
  it('is looked at again with the folders that links in it lead to', async () => {
    project.write({ 'tree/a.txt': '1', 'elsewhere/deep/b.txt': '1', 'elsewhere/other/b.txt': '1' })
    link('tree/folder', '../elsewhere/deep')
    const copies = [
      `fs.cpSync(FROM, TO, { recursive: true })`,
      `await fs.promises.cp(FROM, TO, { recursive: true, dereference: true })`,
      `fs.symlinkSync(FROM, TO)`,
    ]
    project.write(
      sideBySide(
        copies.map(
          (copy) => `const [FROM, TO] = [${JSON.stringify(join(project.root, 'tree'))}, join(context.scratch, 'copy')]
    ${copy}
    return { value: fs.readFileSync(join(TO, 'folder/b.txt'), 'utf8') }`,
        ),
        `import fs from 'node:fs'\nimport { join } from 'node:path'`,
      ),
    )
    const run = async (): Promise<string[]> =>
      (await project.json('pipeline', 'run', 'many.yaml')).steps.map(({ outcome }: { outcome: string }) => outcome)
    expect(await run()).toEqual(copies.map(() => 'executed'))
    expect(await run()).toEqual(copies.map(() => 'reused'))
    project.write({ 'elsewhere/deep/b.txt': '2' })
    expect(await run()).toEqual(copies.map(() => 'executed'))
    link('tree/folder', '../elsewhere/other')
    expect(await run()).toEqual(copies.map(() => 'executed'))
  })

  it('with a link out of the repository is told as what lies there, and one that leads back up is followed once', async () => {
    project.write({ 'tree/a.txt': '1' })
    link('tree/out', '/etc/passwd')
    link('tree/round', '../tree')
    step(`fs.cpSync(join(ROOT, 'tree'), join(context.scratch, 'copy'), { recursive: true })\n    return { value: 1 }`)
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    expect(await touched()).toEqual(['file /etc/passwd', 'file tree/'])
  })

  it('or lists with all that is below, is looked at again for its names only', async () => {
    project.write({ 'tree/a.txt': '1', 'tree/deep/b.txt': '1' })
    step(`return { value: fs.readdirSync(join(ROOT, 'tree'), { recursive: true }).sort() }`)
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    project.write({ 'tree/deep/b.txt': '2' })
    expect(await outcome()).toBe('reused')
    project.write({ 'tree/deep/c.txt': '2' })
    expect(await outcome()).toBe('executed')
  })
})

describe('a file of a package', () => {
  it('is known where the package is installed, not in another copy of it that a step reads', async () => {
    installPackages(project, { colour: `export const name = 'red'\n` })
    project.write({
      'vendor/node_modules/colour/package.json': '{"name":"colour","version":"1.0.0","main":"index.cjs"}',
      'vendor/node_modules/colour/index.cjs': `module.exports = 'red'\n`,
      'vendor/use.cjs': `module.exports = require('colour')\n`,
      '.gitignore': '/node_modules/\n.zenml/\n',
    })
    step(
      `const own = fs.readFileSync(join(ROOT, 'node_modules/colour/index.js'), 'utf8').length
    return { value: [name, own, createRequire(import.meta.url)(join(ROOT, 'vendor/use.cjs'))] }`,
      `import { createRequire } from 'node:module'\nimport { name } from 'colour'`,
    )
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    expect(await touched()).not.toContain('file node_modules/colour/index.js')
    project.write({ 'vendor/node_modules/colour/index.cjs': `module.exports = 'blue'\n` })
    expect(await outcome()).toBe('executed')
  })
})
