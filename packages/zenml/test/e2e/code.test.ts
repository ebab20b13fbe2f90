import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pruneCode } from '../../src/project/code-snapshots.ts'
import { openProject } from '../../src/project/open-project.ts'
import { type TestProject, testEnvironment, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

const day = 24 * 3600 * 1000
let project: TestProject
let remote: string
let base: string
beforeAll(() => {
  project = testProject()
  project.write(numbersPipeline)
  base = project.commit()
  remote = mkdtempSync(join(tmpdir(), 'zenml-remote-'))
  execFileSync('git', ['init', '-q', '--bare', remote], { env: testEnvironment })
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(remote, { recursive: true, force: true })
})

function has(object: string): boolean {
  try {
    project.git('cat-file', '-e', object)
    return true
  } catch {
    return false
  }
}

/** A snapshot that no run names, as a run leaves it that was refused after its code was pinned. */
function orphan(text: string): { readonly ref: string; readonly commit: string } {
  const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: project.root,
    input: text,
    encoding: 'utf8',
  }).trim()
  const tree = execFileSync('git', ['mktree'], {
    cwd: project.root,
    input: `100644 blob ${blob}\ta.txt\n`,
    encoding: 'utf8',
  }).trim()
  const commit = project.git('commit-tree', tree, '-m', 'x')
  project.git('update-ref', `refs/zenml/snapshots/${tree}`, commit)
  return { ref: `refs/zenml/snapshots/${tree}`, commit }
}

it('snapshots are listed with their runs, and a clean run has none', async () => {
  await project.json('pipeline', 'run', 'pipeline.yaml')
  expect(await project.json('code', 'list')).toEqual({ snapshots: [] })
  expect((await project.zenml('code', 'list')).stdout).toContain('every run was made from a commit')
  project.write({ 'lib/scale.ts': 'export function scale(value: number): number {\n  return value * 3\n}\n' })
  const run = await project.json('pipeline', 'run', 'pipeline.yaml')
  const again = await project.json('pipeline', 'run', 'pipeline.yaml')
  const { snapshots } = await project.json('code', 'list')
  expect(snapshots).toMatchObject([
    { tree: run.code.tree, ref: `refs/zenml/snapshots/${run.code.tree}`, base, here: true },
  ])
  expect(snapshots[0].runs.map(({ id }: { id: string }) => id)).toEqual([again.run, run.run])
  expect((await project.zenml('code', 'list')).stdout).toContain(run.code.tree.slice(0, 10))
})

it('push takes the snapshots of runs and nothing else to a remote, once', async () => {
  const missing = await project.zenml('code', 'push')
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('ZEN_CODE_REMOTE')])
  project.git('remote', 'add', 'origin', remote)
  expect((await project.zenml('code', 'push', 'orgin')).stderr).toContain('Did you mean "origin"?')
  expect((await project.zenml('code', 'push', '--', '--receive-pack=touch x')).stderr).toContain('ZEN_CODE_REMOTE')
  const loose = orphan('never pushed')
  const { snapshots } = await project.json('code', 'list')
  const used = snapshots
    .filter(({ runs }: { runs: unknown[] }) => runs.length > 0)
    .map(({ ref }: { ref: string }) => ref)
  expect(snapshots.length).toBe(used.length + 1)
  expect(await project.json('code', 'push')).toEqual({ remote: 'origin', pushed: used, upToDate: [] })
  expect(await project.json('code', 'push', 'origin')).toEqual({ remote: 'origin', pushed: [], upToDate: used })
  const there = execFileSync('git', ['for-each-ref', '--format=%(refname)'], {
    cwd: remote,
    env: testEnvironment,
    encoding: 'utf8',
  }).trim()
  expect(there.split('\n')).toEqual(used)
  project.git('update-ref', '-d', loose.ref)
})

it('prune lets go of what no run names once it is a day old, and git gc collects it then and not before', async () => {
  const { snapshots } = await project.json('code', 'list')
  const old = orphan('old')
  const young = orphan('young')
  const before = new Date(Date.now() - 2 * day)
  for (const ref of [old.ref, snapshots[0].ref]) utimesSync(join(project.root, '.git', ref), before, before)
  expect(await project.json('code', 'prune', '--dry-run')).toEqual({
    dryRun: true,
    removed: [old.ref],
    young: [young.ref],
  })
  expect((await project.zenml('code', 'prune', '--dry-run')).stdout).toContain(`would remove  ${old.ref}`)
  expect(await project.json('code', 'prune')).toEqual({ dryRun: false, removed: [old.ref], young: [young.ref] })
  project.git('gc', '-q', '--prune=now')
  expect([old.commit, young.commit, snapshots[0].ref].map(has)).toEqual([false, true, true])

  // Packed now: the refs have no time of their own any more, and count as young for a day.
  expect(await project.json('code', 'prune')).toEqual({ dryRun: false, removed: [], young: [young.ref] })
  await using opened = await openProject(project.root)
  const clock = { now: () => Date.now() + 2 * day }
  expect(await pruneCode(opened, { clock })).toEqual({ removed: [young.ref], young: [] })
  expect(has(snapshots[0].ref)).toBe(true)
  project.git('gc', '-q', '--prune=now')
  expect(has(young.commit)).toBe(false)
})

it('what the runs of another worktree of the repository need is kept', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'zenml-worktree-'))
  try {
    project.git('worktree', 'add', '-q', '--force', '--detach', tree)
    // As if this project were the worktree: its own store names the snapshot, the other project's store does not.
    execFileSync(process.execPath, [join(project.root, 'node_modules/zenml/bin/zenml.js'), 'init'], {
      cwd: tree,
      env: testEnvironment,
      stdio: 'ignore',
    })
    const { snapshots } = await project.json('code', 'list')
    await using opened = await openProject(tree)
    const { removed, young } = await pruneCode(opened, { dryRun: true, clock: { now: () => Date.now() + 2 * day } })
    expect(opened.root).not.toBe(project.root)
    expect(snapshots.length).toBeGreaterThan(0)
    expect([removed, young]).toEqual([[], []])
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
})

it('outside of git there are no snapshots, and the way to have them is named', async () => {
  using plain = testProject({ git: false })
  const { code, stderr } = await plain.zenml('code', 'list')
  expect([code, stderr]).toEqual([2, expect.stringContaining('git init')])
})

it('a run records the compiled code of its packages', async () => {
  const { stdout } = await project.zenml('pipeline', 'config', '@latest')
  expect(stdout).toMatch(/better-sqlite3@[\d.]+:build\/Release\/better_sqlite3\.node["']?: sha256:[0-9a-f]{64}/)
})
