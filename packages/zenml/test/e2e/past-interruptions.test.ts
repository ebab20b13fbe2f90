import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { cacheRefusal } from '../../src/project/cache-refusal.ts'
import { type TestProject, testEnvironment, testProject } from '../support/project.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'
import { digestTree, repositoryState } from '../support/tree-state.ts'

/** A project whose step needs a package with an install script that takes a minute while a file lies there. */
async function withSlowPackage(slow: string): Promise<TestProject> {
  const project = testProject()
  const npm = (folder: string, ...args: string[]): void => {
    const env = { ...testEnvironment, HOME: project.cache }
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--offline', '--ignore-scripts'], {
      cwd: folder,
      env,
      stdio: 'ignore',
    })
  }
  const script = `const { existsSync, writeFileSync } = require('fs'); if (existsSync('${slow}')) { writeFileSync('${slow}.began', String(process.pid)); setTimeout(() => {}, 60000) }`
  const steps = oneStep('return { value: seven }', "import { seven } from 'seven'")
  project.write({
    'made/package.json': JSON.stringify({
      name: 'seven',
      version: '1.0.0',
      type: 'module',
      exports: './index.js',
      scripts: { postinstall: `node install.cjs` },
    }),
    'made/index.js': 'export const seven = 7\n',
    'made/install.cjs': script,
    'ml/package.json': JSON.stringify({
      name: 'ml',
      private: true,
      type: 'module',
      dependencies: { seven: 'file:seven-1.0.0.tgz' },
      allowScripts: { seven: true, 'file:seven-1.0.0.tgz': true },
    }),
    'ml/steps/one.ts': steps['steps/one.ts']!,
    'one.yaml': steps['one.yaml']!.replace('steps/one.ts', 'ml/steps/one.ts'),
  })
  npm(join(project.root, 'made'), 'pack', '--pack-destination', join(project.root, 'ml'))
  npm(join(project.root, 'ml'), 'install')
  project.commit()
  const run = await project.json('pipeline', 'run', 'one.yaml')
  if (run.status !== 'complete') throw new Error(JSON.stringify(run))
  return project
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it.each([['SIGINT'], ['SIGKILL']] as const)(
  'a rerun that gets %s while npm installs leaves no environment and no run, and the next one works and tidies up',
  async (signal) => {
    const outside = mkdtempSync(join(tmpdir(), 'zenml-slow-'))
    const slow = join(outside, 'slow')
    try {
      using project = await withSlowPackage(slow)
      writeFileSync(slow, '')
      const before = repositoryState(project)
      const child = project.start('pipeline', 'rerun', '@latest')
      const ended = new Promise((resolve) => child.once('close', resolve))
      while (!existsSync(`${slow}.began`)) await wait(20)
      child.kill(signal)
      const code = await Promise.race([ended, wait(20_000).then(() => 'hangs')])
      expect(code).toBe(signal === 'SIGINT' ? 130 : null)
      expect(repositoryState(project)).toEqual(before)
      const environments = join(project.cache, 'environments')
      const left = [...readdirSync(environments), ...readdirSync(join(project.cache, 'work'))]
      expect(left).toHaveLength(signal === 'SIGINT' ? 0 : 2)
      // Nor does npm go on by itself, or what it started.
      const installer = Number(readFileSync(`${slow}.began`, 'utf8'))
      while (isThere(installer)) await wait(20)
      rmSync(slow)
      const again = await project.json('pipeline', 'rerun', '@latest')
      expect(again.comparison).toMatchObject({ compared: 1, differing: [] })
      expect(readdirSync(environments)).toHaveLength(1)
      expect(readdirSync(join(project.cache, 'work'))).toEqual([])
      expect((await project.json('pipeline', 'runs')).runs).toHaveLength(2)
    } finally {
      rmSync(outside, { recursive: true, force: true })
    }
  },
)

it('a cache that cannot be written or is full is named, with the way to another, and nothing is left', async () => {
  using project = testProject({ git: false, user: 65534 })
  project.write(oneStep('return { value: 7 }'))
  project.give(project.root)
  project.git('init', '-q', '-b', 'main')
  project.commit()
  const run = await project.json('pipeline', 'run', 'one.yaml')
  chmodSync(project.cache, 0o555)
  for (const command of ['rerun', 'verify'] as const) {
    const { code, stdout } = await project.zenml('pipeline', command, run.run, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ZEN_CACHE_DIR',
      message: expect.stringContaining(project.cache),
      next: expect.stringContaining('ZENML_CACHE_DIR'),
    })
  }
  chmodSync(project.cache, 0o755)
  expect((await project.json('pipeline', 'runs')).runs).toHaveLength(1)
  // A repository that cannot be written is enough to make its runs again.
  execFileSync('chmod', ['-R', 'a-w', join(project.root, '.git'), join(project.root, 'steps')])
  expect((await project.json('pipeline', 'rerun', run.run)).comparison).toMatchObject({ compared: 1, differing: [] })
  execFileSync('chmod', ['-R', 'u+w', project.root])

  // The system does not name the file that it had no room for.
  expect(
    cacheRefusal(
      '/cache',
      errorOf(() => writeFileSync('/dev/full', 'x')),
    ),
  ).toMatchObject({ code: 'ZEN_CACHE_DIR' })
  const elsewhere = errorOf(() => readFileSync(join(project.root, 'nothing')))
  expect(cacheRefusal('/cache', elsewhere)).toBe(elsewhere)
})

it('neither rerun nor verify writes a byte into a repository in the middle of a merge, a rebase, or on no branch', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  project.commit()
  const run = await project.json('pipeline', 'run', 'pipeline.yaml')
  const edit = (factor: string): void =>
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('2', factor) })
  project.git('checkout', '-qb', 'other')
  edit('5')
  project.commit()
  project.git('checkout', '-q', 'main')
  edit('6')
  project.commit()
  project.write({ 'stashed.txt': 'kept aside' })
  project.git('add', '.')
  project.git('stash')
  const everything = (): object => ({
    files: repositoryState(project).files,
    git: digestTree(join(project.root, '.git')),
  })
  const unchanged = async (): Promise<void> => {
    const before = everything()
    const again = await project.json('pipeline', 'rerun', run.run)
    expect(again.comparison).toMatchObject({ compared: 3, differing: [] })
    expect(await project.json('pipeline', 'verify', run.run)).toMatchObject({ verdict: 'reproduced' })
    expect(everything()).toEqual(before)
  }
  expect(() => project.git('merge', 'other')).toThrow()
  expect(existsSync(join(project.root, '.git/MERGE_HEAD'))).toBe(true)
  await unchanged()
  project.git('merge', '--abort')
  project.git('checkout', '-q', '--detach', 'other')
  await unchanged()
  expect(() => project.git('rebase', 'main')).toThrow()
  await unchanged()
})

function errorOf(action: () => void): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}
