import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testProject } from '../support/project.ts'

const prepare = `version: 1
pipeline: prepare
datasources:
  people: { path: data/people.csv }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.people } }
  split: { source: "zenml/steps#split", inputs: { examples: snapshot.examples } }
  statistics: { source: "zenml/steps#statistics", inputs: { examples: split.examples } }
`

function consumer(source: string): string {
  return `version: 1
pipeline: consume
datasources:
  parts: { type: artifact, ${source} }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.parts } }
`
}

const people = (rows: number): string =>
  ['id,name', ...Array.from({ length: rows }, (_, id) => `${id},name ${id}`)].join('\n')

// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const examplesOf = (run: any, step = 'snapshot') =>
  run.steps.find(({ name }: { name: string }) => name === step).outputs.examples

describe('an artifact of another pipeline as a datasource', { timeout: 240_000 }, () => {
  test('is found by digest, output of a run, or newest run, and is what a run is made again from', async () => {
    using project = testProject()
    project.write({ 'data/people.csv': people(100), 'prepare.yaml': prepare })
    project.commit()
    const first = await project.json('pipeline', 'run', 'prepare.yaml')
    const { digest } = examplesOf(first)

    const newest = 'pipeline: prepare, output: snapshot.examples'
    const named: { [file: string]: string } = {
      'digest.yaml': `artifact: "${digest}"`,
      'prefix.yaml': `artifact: "${digest.slice(0, 19)}"`,
      'output.yaml': `artifact: ${first.run}/snapshot.examples`,
      'newest.yaml': newest,
    }
    for (const [file, source] of Object.entries(named)) {
      project.write({ [file]: consumer(source) })
      const run = await project.json('pipeline', 'run', file)
      expect(run.status, JSON.stringify(run)).toBe('complete')
      // All rows of one split are the same snapshot again.
      expect(examplesOf(run).digest).toBe(digest)
      expect(run.datasources.parts).toMatchObject({
        staged: digest,
        version: file === 'output.yaml' || file === 'newest.yaml' ? `${first.run}/snapshot.examples` : null,
      })
      expect(run.steps[0].outcome).toBe(file === 'digest.yaml' ? 'executed' : 'reused')
    }
    const before = await project.json('pipeline', 'run', 'newest.yaml')

    project.write({ 'data/people.csv': people(101) })
    const second = await project.json('pipeline', 'run', 'prepare.yaml')
    const after = await project.json('pipeline', 'run', 'newest.yaml')
    expect(examplesOf(after).digest).toBe(examplesOf(second).digest)
    expect(examplesOf(after).digest).not.toBe(digest)
    const explained = await project.zenml('pipeline', 'explain', after.run, 'snapshot', '--against', before.run)
    expect(explained.stdout).toContain('parts')

    const printed = (await project.zenml('pipeline', 'config', before.run)).stdout
    expect(printed).toContain('type: artifact\n    pipeline: prepare\n    output: snapshot.examples\n')
    project.write({ 'printed.yaml': printed })
    rmSync(join(project.root, 'data'), { recursive: true })
    for (const which of [before.run, 'printed.yaml']) {
      const again = await project.json('pipeline', 'rerun', which)
      expect(examplesOf(again).digest, JSON.stringify(again)).toBe(digest)
      const verified = await project.json('pipeline', 'verify', which)
      expect(verified.verdict, JSON.stringify(verified)).toBe('reproduced')
    }
  })

  test('gives some of its splits, in the order that is named', async () => {
    using project = testProject()
    project.write({ 'data/people.csv': people(200), 'prepare.yaml': prepare })
    const { run } = await project.json('pipeline', 'run', 'prepare.yaml')
    const rows: { [splits: string]: number } = {}
    const output = 'pipeline: prepare, output: split.examples'
    for (const splits of ['', ', splits: [train]', ', splits: [eval]', ', splits: [train, eval]']) {
      project.write({ 'some.yaml': consumer(output + splits) })
      const consumed = await project.json('pipeline', 'run', 'some.yaml')
      expect(consumed.steps[0].outcome, JSON.stringify(consumed)).toBe('executed')
      const { digest } = examplesOf(consumed)
      rows[splits] = (await project.json('datasource', 'sample', digest, '--rows', '1000')).rows.length
    }
    const [all, train, evaluated, both] = Object.values(rows)
    expect([all, both, train! + evaluated!]).toEqual([200, 200, 200])
    expect(train).toBeGreaterThan(evaluated!)

    const problems: readonly (readonly [string, string])[] = [
      [`${output}, splits: [test]`, 'ZEN_EXAMPLES_SPLIT'],
      [`${output}, splits: [train, train]`, 'ZEN_CONFIG_SOURCE'],
      [`${output}, artifact: ${run}/split.examples`, 'ZEN_CONFIG_SOURCE'],
      ['pipeline: prepare', 'ZEN_CONFIG_SOURCE'],
      ['pipeline: prepare, output: split', 'ZEN_CONFIG_SOURCE'],
      ['pipeline: other, output: split.examples', 'ZEN_ARTIFACT_UNKNOWN'],
      ['pipeline: prepare, output: split.other', 'ZEN_ARTIFACT_UNKNOWN'],
      [`artifact: ${run}/statistics.statistics`, 'ZEN_ARTIFACT_TYPE'],
      [`artifact: "sha256:${'0'.repeat(64)}"`, 'ZEN_ARTIFACT_MISSING'],
    ]
    for (const [source, code] of problems) {
      project.write({ 'wrong.yaml': consumer(source) })
      const { error } = await project.json('pipeline', 'run', 'wrong.yaml')
      expect([source, error?.code]).toEqual([source, code])
    }
  })
})
