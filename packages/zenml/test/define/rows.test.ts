import { expect, it } from 'vitest'
import { datasource, pipeline } from '../../src/define/pipeline.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

interface Person {
  readonly id: number
  readonly name?: string | null
  readonly tags: readonly string[]
}

it('rows are typed: interfaces and types of cells, and nothing else', () => {
  const people: Person[] = [{ id: 1, tags: [] }]
  const places = new Map([['a', { at: new Date(0), size: 2n, bytes: Uint8Array.of(1) }]])
  async function* later() {
    yield { n: 1 }
  }
  const { rows, datasources } = pipeline('rows', () => {
    snapshot({ source: datasource('people', { rows: people }) }, {}, { name: 'people' })
    snapshot({ source: datasource('places', { rows: places.values() }) }, {}, { name: 'places' })
    snapshot({ source: datasource('later', { rows: later, schema: { n: 'float' } }) }, {}, { name: 'later' })
    // @ts-expect-error a cell is no object
    datasource('nested', { rows: [{ id: { first: 1 } }] })
    // @ts-expect-error a cell of a function's rows is no object either
    datasource('given', { rows: () => [{ id: { first: 1 } }] })
    // @ts-expect-error rows and a path are two sources
    expect(() => datasource('both', { rows: people, path: 'a.csv' })).toThrow('has rows, and "path" beside them')
  }).build()
  expect(Object.keys(rows)).toEqual(['people', 'places', 'later', 'nested', 'given'])
  expect(rows['people']!.rows).toBe(people)
  expect(datasources['people']).toEqual({ type: 'artifact' })
})
