import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline, oneStep } from '../support/steps.ts'
import { repositoryState } from '../support/tree-state.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
type Document = any

const outcomes = (run: Document): string[] => run.steps.map((step: Document) => step.outcome)
const digests = (run: Document): string[] =>
  run.steps.flatMap((step: Document) => Object.values(step.outputs).map((output) => (output as Document).digest))

describe('a past run of a repository', () => {
  let project: TestProject
  let first: Document
  beforeAll(async () => {
    project = testProject()
    project.write(numbersPipeline)
    project.commit()
    first = await project.json('pipeline', 'run', 'pipeline.yaml')
  })
  afterAll(() => project[Symbol.dispose]())

  it('is made again after everything has changed and its steps are deleted, and the edits of the user stay', async () => {
    project.write({ 'lib/scale.ts': 'export const nothing = 0\n' })
    rmSync(join(project.root, 'pipeline.yaml'))
    rmSync(join(project.root, 'steps'), { recursive: true })
    project.commit('everything else')
    project.write({ 'stashed.txt': 'kept aside' })
    project.git('add', '.')
    project.git('stash')
    project.write({ 'staged.txt': 'staged', 'lib/scale.ts': 'export const half = "edited"\n', 'untracked.txt': 'new' })
    project.git('add', 'staged.txt')
    const before = repositoryState(project)

    const again = await project.json('pipeline', 'rerun', first.run)
    expect(repositoryState(project)).toEqual(before)
    expect(again.status).toBe('complete')
    expect(again.rerunOf).toBe(first.run)
    expect(again.run).not.toBe(first.run)
    expect(outcomes(again)).toEqual(['executed', 'executed', 'executed'])
    expect(digests(again)).toEqual(digests(first))
    expect(again.comparison).toEqual({ with: first.run, compared: 3, differing: [], missing: [] })
    expect(again.code).toEqual(first.code)
    // Nothing of it is left but the run itself.
    expect(readdirSync(join(project.cache, 'work'))).toEqual([])
  })

  it('is not altered by being made again', async () => {
    const now = await project.json('pipeline', 'status', first.run)
    expect(now).toEqual(first)
  })

  it('is reused where that is asked for', async () => {
    const again = await project.json('pipeline', 'rerun', first.run, '--reuse')
    expect(outcomes(again)).toEqual(['reused', 'reused', 'reused'])
  })

  it('is made again from the configuration that was printed of it, without its record', async () => {
    const { stdout } = await project.zenml('pipeline', 'config', first.run)
    project.write({ 'pinned.yaml': stdout })
    rmSync(join(project.root, '.zenml/metadata.db'))
    for (const suffix of ['-wal', '-shm']) rmSync(join(project.root, `.zenml/metadata.db${suffix}`), { force: true })
    const again = await project.json('pipeline', 'rerun', 'pinned.yaml')
    expect(again.status).toBe('complete')
    expect(digests(again)).toEqual(digests(first))
    expect(again.rerunOf).toBe(first.run)
  })

  it('refuses a printed configuration whose pins were changed, and says where', async () => {
    const text = project.read('pinned.yaml')
    const changed = text.replace(/factor: .*|count: 4\n(?=[\s\S]*fingerprint)/, (found) => found)
    project.write({ 'changed.yaml': changed.replace(/(identity: sha256:)[0-9a-f]{4}/, '$10000') })
    const answer = await project.json('pipeline', 'rerun', 'changed.yaml')
    expect(answer.error).toMatchObject({ code: 'ZEN_PINS', facts: { path: expect.stringMatching(/^run\.steps\./) } })
  })
})

describe('a run of uncommitted code', () => {
  it('is made again when the changes are thrown away, with a step file that git never tracked', async () => {
    using project = testProject()
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']! })
    project.commit()
    project.write(numbersPipeline)
    project.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('2', '3') })
    const dirty = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(dirty.code.dirty).toBe(true)
    expect(dirty.steps[2].metrics).toEqual({ total: 18 })
    project.git('checkout', '-q', '.')
    project.git('clean', '-qfd')
    const again = await project.json('pipeline', 'rerun', '@latest')
    expect(again.status).toBe('complete')
    expect(digests(again)).toEqual(digests(dirty))
    const verified = await project.json('pipeline', 'verify', dirty.run)
    expect(verified.verdict).toBe('reproduced')
  })

  it('is made again in a repository without commits', async () => {
    using project = testProject()
    project.write(numbersPipeline)
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(run.code).toMatchObject({ commit: null, dirty: true })
    project.write({ 'lib/scale.ts': 'broken' })
    const again = await project.json('pipeline', 'rerun', run.run)
    expect(digests(again)).toEqual(digests(run))
  })

  it('is made again outside of git, from the archive of its sources', async () => {
    using project = testProject({ git: false })
    project.write(numbersPipeline)
    const { stdout, stderr } = await project.zenml('pipeline', 'run', 'pipeline.yaml', '--json')
    const run = JSON.parse(stdout)
    expect(stderr).toContain('ZEN_CODE_UNPINNED')
    expect(run.code).toMatchObject({ commit: null, tree: null, archive: expect.stringMatching(/^sha256:/) })
    project.write({ 'lib/scale.ts': 'broken', 'steps/numbers.ts': 'broken' })
    const again = await project.json('pipeline', 'rerun', run.run)
    expect(again.status).toBe('complete')
    expect(digests(again)).toEqual(digests(run))
    const verified = await project.json('pipeline', 'verify', run.run)
    expect(verified.verdict).toBe('reproduced')
  })
})

describe('data that has changed since', () => {
  it('is taken from the snapshot: the step that read it is reused, what follows is executed', async () => {
    using project = testProject()
    project.write({
      ...snapshotPipeline,
      '.gitignore': 'node_modules/\n.zenml/\ndata/\n',
      'data/points.csv': 'x,y\n1,2\n3,4\n',
    })
    project.commit()
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    expect(run.status).toBe('complete')
    project.write({ 'data/points.csv': 'x,y\n1,2\n3,4\n5,6\n' })
    const again = await project.json('pipeline', 'rerun', run.run)
    expect(outcomes(again)).toEqual(['reused', 'executed'])
    expect(digests(again)).toEqual(digests(run))
    const verified = await project.json('pipeline', 'verify', run.run)
    expect(verified.verdict).toBe('cannot')
    expect(verified.steps.map((step: Document) => [step.name, step.verdict, step.cause?.kind ?? null])).toEqual([
      ['snapshot', 'cannot', 'data'],
      ['count', 'reproduced', null],
    ])
    expect(verified.notes.join()).toContain('(it has changed since); its snapshot is used')

    // Without the snapshot nothing can be made again, and that is said.
    rmSync(join(project.root, '.zenml/artifacts/blobs'), { recursive: true })
    const lost = await project.json('pipeline', 'rerun', run.run)
    expect(JSON.stringify(lost)).toContain('ZEN_SNAPSHOT_GONE')
  })
})

const snapshotPipeline = {
  'steps/count.ts': `
import { step } from 'zenml'
import { Examples, JsonArtifact } from 'zenml/formats'

export const count = step({
  name: 'count',
  inputs: { examples: Examples },
  outputs: { rows: JsonArtifact },
  run: ({ inputs }) => ({ rows: Object.fromEntries(inputs.examples.splits.map((split) => [split, inputs.examples.rows(split)])) }),
})
`,
  'pipeline.yaml': `
version: 1
pipeline: points
datasources:
  points: { path: data/points.csv }
steps:
  snapshot:
    source: zenml/steps#snapshot
    inputs: { source: datasources.points }
  count:
    source: steps/count.ts#count
    inputs: { examples: snapshot.examples }
`,
}

describe('another machine that shares git and the stores', () => {
  it('reuses every step in its first run, reruns and verifies without a configuration, under another user', async () => {
    const place = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-machines-')))
    chmodSync(place, 0o755) // another user goes through it
    try {
      using ada = testProject()
      const stores = join(place, 'stores')
      mkdirSync(stores)
      for (const args of [
        ['config', 'metadata', 'set', 'sqlite', `--uri=${join(stores, 'metadata.db')}`],
        ['config', 'artifacts', 'set', join(stores, 'artifacts')],
      ])
        expect((await ada.zenml(...args)).code).toBe(0)
      ada.write(numbersPipeline)
      ada.commit()
      const remote = join(place, 'remote.git')
      execFileSync('git', ['init', '-q', '--bare', '-b', 'main', remote])
      ada.git('remote', 'add', 'origin', remote)
      ada.git('push', '-q', 'origin', 'HEAD')
      const run = await ada.json('pipeline', 'run', 'pipeline.yaml')
      ada.write({ 'lib/scale.ts': numbersPipeline['lib/scale.ts']!.replace('2', '5') })
      const dirty = await ada.json('pipeline', 'run', 'pipeline.yaml')
      expect((await ada.zenml('code', 'push')).code).toBe(0)

      using grace = testProject({ init: false, clone: remote, user: 65534 })
      grace.give(stores)
      await grace.zenml('init')
      await grace.zenml('config', 'metadata', 'set', 'sqlite', `--uri=${join(stores, 'metadata.db')}`)
      await grace.zenml('config', 'artifacts', 'set', join(stores, 'artifacts'))
      const theirs = await grace.json('pipeline', 'run', 'pipeline.yaml')
      expect(outcomes(theirs)).toEqual(['reused', 'reused', 'reused'])
      rmSync(join(grace.root, 'pipeline.yaml'))
      const verified = await grace.json('pipeline', 'verify', run.run)
      expect(verified.verdict).toBe('reproduced')
      // The snapshot of the dirty tree is fetched from the remote that the run names.
      const again = await grace.json('pipeline', 'rerun', dirty.run)
      expect(digests(again)).toEqual(digests(dirty))
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })
})

describe('a run whose code cannot be had', () => {
  it('is refused with what was tried, and nothing is recorded', async () => {
    using project = testProject()
    project.write(oneStep('return { value: 1 }'))
    project.commit()
    project.write(oneStep('return { value: 2 }'))
    const run = await project.json('pipeline', 'run', 'one.yaml')
    project.git('update-ref', '-d', run.code.ref)
    project.git('reflog', 'expire', '--expire=now', '--all')
    project.git('gc', '-q', '--prune=now')
    const answer = await project.json('pipeline', 'rerun', run.run)
    expect(answer.error.code).toBe('ZEN_CODE_GONE')
    expect(await project.json('pipeline', 'runs')).toHaveProperty('runs.length', 1)
  })
})
