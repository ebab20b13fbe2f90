import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestProject, testEnvironment, testProject } from '../support/project.ts'
import { oneStep } from '../support/steps.ts'

let project: TestProject
beforeEach(() => {
  project = testProject()
})
afterEach(() => project[Symbol.dispose]())

function npm(folder: string, ...args: string[]): void {
  execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund'], {
    cwd: join(project.root, folder),
    env: { ...testEnvironment, HOME: project.cache },
    stdio: 'pipe',
  })
}

/** A tarball of a package that exports its inner module. */
function pack(folder: string, colour: string): void {
  project.write({
    [`${folder}/package.json`]: '{ "name": "colour", "version": "1.0.0", "main": "index.js" }',
    [`${folder}/index.js`]: `module.exports = require('./lib/inner.js')\n`,
    [`${folder}/lib/inner.js`]: `module.exports = '${colour}'\n`,
  })
  npm(folder, 'pack')
}

it('a step runs again when a package is edited in place, or installed from other bytes as the same version, though the lockfile is the same', async () => {
  pack('red', 'red')
  pack('blue', 'blue')
  const { 'steps/one.ts': step } = oneStep(`return { value: colour }`, `import colour from 'colour'`)
  project.write({
    'work/package.json': '{ "name": "work", "version": "1.0.0", "private": true, "type": "module" }',
    'work/one.ts': step!,
    'one.yaml': 'version: 1\npipeline: one\nsteps:\n  one: { source: "work/one.ts#one" }\n',
  })
  npm('work', 'install', '../red/colour-1.0.0.tgz')
  const lock = project.read('work/package-lock.json')
  const outcome = async (): Promise<string> => (await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome
  expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])

  const inner = join(project.root, 'work/node_modules/colour/lib/inner.js')
  const before = readFileSync(inner, 'utf8')
  writeFileSync(inner, before.replace('red', 'tan'))
  expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
  const { stdout } = await project.zenml('pipeline', 'explain', '@latest')
  expect(stdout).toContain('one was reused')

  npm('work', 'install', '--no-save', '../blue/colour-1.0.0.tgz')
  expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])

  npm('work', 'ci')
  expect(await outcome()).toBe('reused')
  expect(project.read('work/package-lock.json')).toBe(lock)
})
