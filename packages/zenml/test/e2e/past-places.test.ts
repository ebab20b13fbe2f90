import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { cli, type TestProject, testEnvironment, testProject } from '../support/project.ts'
import { zenmlIn } from '../support/run-in.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'
import { digestTree } from '../support/tree-state.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
type Document = any

const outside = mkdtempSync(join(tmpdir(), 'zenml-outside-'))
afterAll(() => rmSync(outside, { recursive: true, force: true }))

const one = (value: string, extra = ''): { readonly [path: string]: string } =>
  oneStep(`return { value: ${value} }`, extra)

/** A tarball of a package `seven` that exports a number. */
function tarball(value: number): string {
  const folder = mkdtempSync(join(outside, 'package-'))
  writeFileSync(
    join(folder, 'package.json'),
    `{ "name": "seven", "version": "${value}.0.0", "type": "module", "exports": "./index.js" }`,
  )
  writeFileSync(join(folder, 'index.js'), `export const seven = ${value}\n`)
  npm(folder, 'pack', '--silent')
  return join(folder, `seven-${value}.0.0.tgz`)
}

function npm(folder: string, ...args: string[]): void {
  const env = { ...testEnvironment, HOME: outside }
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--offline'], { cwd: folder, env, stdio: 'ignore' })
}

/** A project whose steps lie in `ml`, which has a lockfile of its own. */
async function withOwnLockfile(): Promise<{ project: TestProject; run: Document }> {
  const project = testProject()
  const steps = one('seven', "import { seven } from 'seven'")
  project.write({
    'ml/steps/one.ts': steps['steps/one.ts']!,
    'one.yaml': steps['one.yaml']!.replace('steps/one.ts', 'ml/steps/one.ts'),
    'ml/package.json': '{ "name": "ml", "private": true, "type": "module" }',
  })
  execFileSync('cp', [tarball(7), join(project.root, 'ml/seven.tgz')])
  npm(join(project.root, 'ml'), 'install', './seven.tgz')
  project.commit()
  return { project, run: await project.json('pipeline', 'run', 'one.yaml') }
}

describe('the packages of a run', () => {
  it('come from the lockfile in the folder of its steps too, whatever is installed there now', async () => {
    const { project, run } = await withOwnLockfile()
    using _ = project
    expect(run.status).toBe('complete')
    rmSync(join(project.root, 'ml/node_modules'), { recursive: true })
    const verified = await project.json('pipeline', 'verify', run.run)
    expect(verified).toMatchObject({ verdict: 'reproduced' })
    // Zenml itself is in the root's packages here, which no lockfile covers.
    expect(verified.notes).toEqual([expect.stringContaining('no package-lock.json: the packages')])
  })

  it('come from the lockfile above a project that lies in a folder of its repository', async () => {
    using project = testProject({ init: false })
    rmSync(join(project.root, 'package.json'))
    mkdirSync(join(project.root, 'deep/ml'), { recursive: true })
    project.write(
      Object.fromEntries(
        Object.entries(one('seven', "import { seven } from 'seven'")).map(([path, text]) => [`deep/ml/${path}`, text]),
      ),
    )
    project.write({
      'deep/package.json': '{ "name": "deep", "private": true, "type": "module" }',
    })
    execFileSync('cp', [tarball(7), join(project.root, 'deep/seven.tgz')])
    npm(join(project.root, 'deep'), 'install', './seven.tgz')
    await project.zenml('init')
    execFileSync('mv', [join(project.root, '.zenml'), join(project.root, 'deep/ml/.zenml')])
    project.commit()
    const inside = join(project.root, 'deep/ml')
    const at = async (...args: string[]): Promise<Document> => {
      return await new Promise((resolve, reject) => {
        execFile(
          process.execPath,
          [cli, ...args, '--json'],
          { cwd: inside, env: { ...testEnvironment, ZENML_CACHE_DIR: project.cache, HOME: project.cache } },
          (_error, stdout, stderr) => {
            try {
              resolve(JSON.parse(stdout))
            } catch {
              reject(new Error(stdout + stderr))
            }
          },
        )
      })
    }
    const run = await at('pipeline', 'run', 'one.yaml')
    expect(run.status).toBe('complete')
    rmSync(join(project.root, 'deep/node_modules'), { recursive: true })
    expect(await at('pipeline', 'verify', run.run)).toMatchObject({ verdict: 'reproduced' })
  })
})

describe('npm workspaces', () => {
  it('a step in one that imports another is made again and verified, whatever lies in both now', async () => {
    using project = testProject()
    const steps = one('twice(half(6))', "import { twice } from '@demo/maths'\nimport { half } from '@demo/steps/half'")
    const manifest = (name: string, rest: object): string =>
      JSON.stringify({ name, version: '1.0.0', private: true, type: 'module', ...rest })
    const maths = (factor: number): { readonly [path: string]: string } => ({
      'ml/packages/maths/index.ts': `import { seven } from 'seven'\nexport const twice = (value: number) => value * ${factor} * seven\n`,
    })
    project.write({
      'ml/package.json': manifest('ml', { workspaces: ['packages/*'] }),
      'ml/packages/maths/package.json': manifest('@demo/maths', {
        exports: './index.ts',
        dependencies: { seven: 'file:../../seven.tgz' },
      }),
      ...maths(2),
      'ml/packages/steps/package.json': manifest('@demo/steps', {
        exports: { './half': './src/half.ts' },
        dependencies: { '@demo/maths': '1.0.0' },
      }),
      'ml/packages/steps/src/half.ts': 'export const half = (value: number): number => value / 2\n',
      'ml/packages/steps/src/one.ts': steps['steps/one.ts']!,
      'one.yaml': steps['one.yaml']!.replace('steps/one.ts', 'ml/packages/steps/src/one.ts'),
    })
    execFileSync('cp', [tarball(7), join(project.root, 'ml/seven.tgz')])
    npm(join(project.root, 'ml'), 'install')
    project.commit()
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.status).toBe('complete')
    expect(await project.json('artifact', 'get', `${run.run}/one.value`)).toMatchObject({ type: 'Json' })

    project.write({ ...maths(3), 'ml/packages/steps/src/half.ts': 'export const nothing = 0\n' })
    rmSync(join(project.root, 'ml/node_modules'), { recursive: true })
    const again = await project.json('pipeline', 'rerun', run.run)
    expect(again.comparison).toMatchObject({ compared: 1, differing: [], missing: [] })
    expect(await project.json('pipeline', 'verify', run.run)).toMatchObject({ verdict: 'reproduced' })

    // And what changes in the other is seen as code of the step.
    project.git('checkout', '-q', '.')
    npm(join(project.root, 'ml'), 'ci')
    expect((await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome).toBe('reused')
    project.write(maths(3))
    await project.json('pipeline', 'run', 'one.yaml')
    const { steps: explained } = await project.json('pipeline', 'explain', '@latest')
    expect(explained[0].reason).toContain(
      'ml/packages/maths/index.ts (imported by ml/packages/steps/src/one.ts) changed',
    )
    expect(explained[0].changes[0].diff).toContain('+export const twice = (value: number) => value * 3 * seven')
  })
})

describe('a clone without all of it', () => {
  it.each([
    ['bare', '--bare'],
    ['shallow', '--depth=1'],
  ])('%s: makes runs again and verifies them, and its own files stay', async (_kind, option) => {
    const place = mkdtempSync(join(outside, 'clone-'))
    const stores = join(place, 'stores')
    mkdirSync(stores)
    const kept = [
      ['config', 'metadata', 'set', 'sqlite', `--uri=${join(stores, 'metadata.db')}`],
      ['config', 'artifacts', 'set', join(stores, 'artifacts')],
    ]
    using project = testProject()
    for (const args of kept) await project.zenml(...args)
    project.write(numbersPipeline)
    project.commit()
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    project.write({ 'lib/scale.ts': 'export const later = 1\n', 'pipeline.yaml': 'later\n' })
    project.commit()

    const clone = join(place, 'clone.git')
    execFileSync('git', ['clone', '-q', option, `file://${project.root}`, clone], { env: testEnvironment })
    symlinkSync(join(project.root, 'node_modules'), join(clone, 'node_modules'))
    const variables = { ZENML_CACHE_DIR: project.cache, HOME: project.cache }
    const at = async (...args: string[]): Promise<Document> => {
      const { stdout, stderr } = await zenmlIn(clone, ...args, '--json', variables)
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout)
    }
    const { stderr } = await zenmlIn(clone, 'init', variables)
    expect(stderr).not.toContain('git init')
    for (const args of kept) await zenmlIn(clone, ...args, variables)
    const refs = (): string =>
      execFileSync('git', ['for-each-ref', 'refs/heads', 'refs/remotes'], { cwd: clone, encoding: 'utf8' })
    const before = [refs(), digestTree(clone, ['.git', '.zenml', 'objects', 'refs', 'packed-refs'])]
    const again = await at('pipeline', 'rerun', run.run)
    expect(again.comparison).toMatchObject({ compared: 3, differing: [], missing: [] })
    expect(again.code).toEqual(run.code)
    expect(await at('pipeline', 'verify', run.run)).toMatchObject({ verdict: 'reproduced', recorded: true })
    expect(await at('pipeline', 'explain', again.run)).toMatchObject({ steps: [{}, {}, {}] })
    expect(await at('code', 'list')).toMatchObject({ snapshots: [] })
    expect([refs(), digestTree(clone, ['.git', '.zenml', 'objects', 'refs', 'packed-refs'])]).toEqual(before)
  })
})

describe('a printed configuration', () => {
  it('gives its verdict to the run in the store only where it says of it what the store does', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    project.commit()
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    const { stdout } = await project.zenml('pipeline', 'config', run.run)
    project.write({ 'pinned.yaml': stdout })
    expect(await project.json('pipeline', 'verify', 'pinned.yaml')).toMatchObject({
      verdict: 'reproduced',
      recorded: true,
    })
    const other = await project.json('pipeline', 'run', 'pipeline.yaml', '--param', 'make.count=2')
    const { stdout: second } = await project.zenml('pipeline', 'config', other.run)
    project.write({ 'doctored.yaml': second.replaceAll(other.run, run.run) })
    const before = (await project.json('pipeline', 'status', run.run)).verification
    const doctored = await project.json('pipeline', 'verify', 'doctored.yaml')
    expect(doctored).toMatchObject({ run: run.run, verdict: 'reproduced', recorded: false })
    expect(doctored.notes.at(-1)).toContain('is not recorded')
    expect((await project.json('pipeline', 'status', run.run)).verification).toEqual(before)
  })

  it('is refused where it names fewer outputs than the fingerprint, since nothing would be compared', async () => {
    using project = testProject()
    project.write(one('7'))
    project.commit()
    const run = await project.json('pipeline', 'run', 'one.yaml')
    const { stdout } = await project.zenml('pipeline', 'config', run.run)
    const emptied = stdout.replace(/outputs:\n( +)value:\n +type: .*\n +digest: .*\n/, 'outputs: {}\n')
    expect(emptied).not.toBe(stdout)
    project.write({ 'emptied.yaml': emptied })
    const { error } = await project.json('pipeline', 'verify', 'emptied.yaml')
    expect(error).toMatchObject({ code: 'ZEN_PINS', facts: { path: 'run.steps.one.outputs.value' } })
  })
})

describe('a run whose process was killed', () => {
  it('is verified as far as it came, instead of being waited for', async () => {
    using project = testProject()
    project.write(oneStep('await new Promise((resolve) => setTimeout(resolve, 60_000))\n    return { value: 7 }'))
    project.commit()
    const child = project.start('pipeline', 'run', 'one.yaml')
    const ended = new Promise((resolve) => child.once('close', resolve))
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    while (!/one/.test(said)) await wait(20)
    await wait(500)
    child.kill('SIGKILL')
    await ended
    const document = await project.json('pipeline', 'verify', '@latest')
    expect(document.verdict).toBe('cannot')
    expect(document.steps[0].error.code).toBe('ZEN_VERIFY_NOTHING')
    expect((await project.json('pipeline', 'status', '@latest')).error.code).toBe('ZEN_RUN_LOST')
  })
})

describe('the code of another', () => {
  it('does not lead what is written for the steps out of its place by a link that is named .zenml', async () => {
    using project = testProject()
    project.write(one('7'))
    project.write({ '.gitignore': 'node_modules/\n' })
    const clean = project.commit()
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.status).toBe('complete')
    const trap = join(outside, 'trap')
    mkdirSync(trap)
    // A commit that holds the link, made without a working tree.
    const link = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: project.root, input: trap }).toString()
    const index = { ...testEnvironment, GIT_INDEX_FILE: join(outside, 'index') }
    const plumb = (...args: string[]): string =>
      execFileSync('git', args, { cwd: project.root, env: index, encoding: 'utf8' }).trim()
    plumb('read-tree', clean)
    plumb('rm', '-rq', '--cached', '--ignore-unmatch', '.zenml')
    plumb('update-index', '--add', '--cacheinfo', `120000,${link.trim()},.zenml`)
    const tree = plumb('write-tree')
    const { stdout } = await project.zenml('pipeline', 'config', run.run)
    const hostile = stdout
      .replaceAll(run.code.tree, tree)
      .replace(/dirty: false/, 'dirty: true')
      .replace(/ref: null/, `ref: refs/zenml/snapshots/${tree}`)
    project.write({ 'hostile.yaml': hostile })
    const document = await project.json('pipeline', 'verify', 'hostile.yaml')
    expect(document).toMatchObject({ verdict: 'reproduced', recorded: false })
    expect(readdirSync(trap)).toEqual([])
  })

  it('is said to lack a file that git ignored', async () => {
    using project = testProject()
    project.write(one('hidden', "import { hidden } from '../secret/hidden.ts'"))
    project.write({
      'secret/hidden.ts': 'export const hidden = 3\n',
      '.gitignore': 'node_modules/\n.zenml/\nsecret/\n',
    })
    project.commit()
    const run = await project.json('pipeline', 'run', 'one.yaml')
    expect(run.status).toBe('complete')
    const { stderr, stdout } = await project.zenml('pipeline', 'verify', run.run)
    expect(stderr + stdout).toContain('secret/hidden.ts (not pinned: ignored by git, or too large)')
  })
})

it('a project that is opened through a symbolic link is made again like any other', async () => {
  using project = testProject()
  project.write(one('7'))
  project.commit()
  const run = await project.json('pipeline', 'run', 'one.yaml')
  const link = join(outside, 'link')
  symlinkSync(project.root, link)
  const { verifyPipeline } = await import(/* @vite-ignore */ join(project.root, 'node_modules/zenml/dist/project.js'))
  const environment = { ...testEnvironment, ZENML_CACHE_DIR: project.cache }
  expect(existsSync(link)).toBe(true)
  expect(await verifyPipeline(run.run, { directory: link, environment })).toMatchObject({ verdict: 'reproduced' })
})
