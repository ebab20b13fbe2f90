import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testProject } from '../support/project.ts'

const pipelineFile = (people: string, more = ''): string => `
import { JsonArtifact } from 'zenml/formats'
import { datasource, pipeline, step } from 'zenml'
import { snapshot, statistics } from 'zenml/steps'

interface Person {
  id: number
  name: string | null
}
const people: Person[] = ${people}

async function* numbers() {
  for (let n = 0; n < 3000; n++) yield { n, half: n / 2 }
}

export const constant = step({
  name: 'constant',
  outputs: { value: JsonArtifact },
  run: () => ({ value: { answer: 42 } }),
})

export default pipeline(
  'rows',
  () => {
    constant()
    const { examples } = snapshot({ source: datasource('people', { rows: people }) }, {}, { name: 'people' })
    statistics({ examples })
    snapshot({ source: datasource('numbers', { rows: numbers }) }, {}, { name: 'numbers' })
  },
  { ${more} },
)
`

// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const outcomes = (run: any) => Object.fromEntries(run.steps.map((step: any) => [step.name, step.outcome]))
// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const digestOf = (run: any, step: string) =>
  run.steps.find(({ name }: { name: string }) => name === step).outputs.examples.digest
// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const identities = (run: any) => Object.fromEntries(run.steps.map((step: any) => [step.name, step.identity]))

describe('rows that a pipeline in TypeScript gives', { timeout: 240_000 }, () => {
  test('are read when a run is planned, and only a change of them changes what reads them', async () => {
    using project = testProject()
    const two = "[{ id: 1, name: 'ada' }, { id: 2, name: null }]"
    project.write({ 'rows.ts': pipelineFile(two) })
    project.commit()
    const first = await project.json('pipeline', 'run', 'rows.ts')
    expect(first.status, JSON.stringify(first)).toBe('complete')
    const { rows } = await project.json('datasource', 'sample', digestOf(first, 'people'), '--rows', '9')
    expect(rows.map(({ values }: { values: object }) => values)).toEqual([
      { id: 1, name: 'ada' },
      { id: 2, name: null },
    ])
    // A snapshot of the same rows from a file is the same snapshot.
    project.write({
      'data/people.csv': 'id,name\n1,ada\n2,\n',
      'file.yaml':
        'version: 1\npipeline: file\ndatasources:\n  people: { path: data/people.csv }\nsteps:\n  people: { source: "zenml/steps#snapshot", inputs: { source: datasources.people } }\n',
    })
    expect(digestOf(await project.json('pipeline', 'run', 'file.yaml'), 'people')).toBe(digestOf(first, 'people'))

    // The same rows written otherwise change nothing; other rows change what reads them and nothing else.
    project.write({ 'rows.ts': pipelineFile("[{ name: 'ada', id: 1 }, { id: 2, name: null as string | null }]") })
    const same = await project.json('pipeline', 'run', 'rows.ts')
    expect(identities(same)).toEqual(identities(first))
    expect(new Set(Object.values(outcomes(same)))).toEqual(new Set(['reused']))
    project.write({ 'rows.ts': pipelineFile("[{ id: 1, name: 'ada' }, { id: 3, name: 'eve' }]") })
    const other = await project.json('pipeline', 'run', 'rows.ts')
    expect(outcomes(other)).toEqual({
      constant: 'reused',
      people: 'executed',
      statistics: 'executed',
      numbers: 'reused',
    })

    // The first is made again from the store, though its rows are nowhere else any more.
    const printed = (await project.zenml('pipeline', 'config', first.run)).stdout
    expect(printed).toMatch(/people:\n {4}type: artifact\n {4}artifact: sha256:[0-9a-f]{64}\n/)
    project.write({ 'printed.yaml': printed })
    rmSync(join(project.root, 'data'), { recursive: true })
    const run = await project.json('pipeline', 'run', 'printed.yaml', '--no-cache')
    expect(digestOf(run, 'people')).toBe(digestOf(first, 'people'))
    const again = await project.json('pipeline', 'rerun', first.run)
    expect(digestOf(again, 'people')).toBe(digestOf(first, 'people'))
    for (const which of [first.run, 'printed.yaml'])
      expect((await project.json('pipeline', 'verify', which)).verdict).toBe('reproduced')

    const commit = await project.json('datasource', 'commit', 'people', 'rows.ts')
    expect(commit).toMatchObject({ rows: 2, digest: digestOf(other, 'people'), reused: true })
  })

  test('go into the artifact store that the pipeline names', async () => {
    using project = testProject()
    const stores = "stores: { artifacts: { type: 'local', path: 'own/artifacts' } }"
    project.write({ 'rows.ts': pipelineFile("[{ id: 1, name: 'ada' }]", stores) })
    const run = await project.json('pipeline', 'run', 'rows.ts')
    expect(run.status, JSON.stringify(run)).toBe('complete')
  })

  test('that no feature can hold are told before anything runs, with row and feature', async () => {
    using project = testProject()
    project.write({ 'rows.ts': pipelineFile("[{ id: 1, name: 'ada' }, { id: 2, name: { first: 'bob' } as never }]") })
    const { error } = await project.json('pipeline', 'run', 'rows.ts')
    expect(error).toMatchObject({
      code: 'ZEN_SOURCE_VALUE',
      message: expect.stringContaining('rows.ts: Datasource "people", row 2, feature "name": an object is no value'),
    })
    expect((await project.json('pipeline', 'runs')).runs).toEqual([])
  })
})
