import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOf } from '../../src/formats/batch-of.ts'
import type { ExampleObject } from '../../src/formats/examples-reader.ts'
import type { Schema } from '../../src/formats/schema-proto.ts'
import type { DatasetFeatureStatistics } from '../../src/formats/statistics-proto.ts'
import { driftBetween, withLimits } from '../../src/steps/drift.ts'
import { SplitStatistics } from '../../src/steps/feature-statistics.ts'

function statisticsOf(rows: readonly ExampleObject[]): DatasetFeatureStatistics {
  const batch = batchOf(rows)
  const gathered = new SplitStatistics(new Map([...batch.columns].map(([name, { kind }]) => [name, kind])))
  gathered.add(batch)
  return gathered.finish()
}

describe('drift', () => {
  it('is measured of the features that both have values of: texts by both distances, numbers by one', () => {
    const before = statisticsOf([
      { word: 'a', x: 1, gone: 1 },
      { word: 'b', x: 3, gone: 1 },
    ])
    const after = statisticsOf([
      { word: 'a', x: 11, came: 1 },
      { word: 'a', x: 13, came: 1 },
    ])
    expect(driftBetween(before, after)).toEqual([
      { feature: 'word', kind: 'text', lInfinity: 0.5, value: 'b', jensenShannon: expect.closeTo(0.311, 3) },
      { feature: 'x', kind: 'number', lInfinity: null, value: null, jensenShannon: 1 },
    ])
  })

  it('is none from itself, and the same both ways', () => {
    const rows = fc.array(fc.record({ word: fc.constantFrom('a', 'b', 'c'), x: fc.integer({ min: -50, max: 50 }) }), {
      minLength: 1,
    })
    fc.assert(
      fc.property(rows, rows, (left, right) => {
        const [before, after] = [statisticsOf(left), statisticsOf(right)]
        for (const { lInfinity, jensenShannon } of driftBetween(before, before))
          expect([lInfinity ?? 0, jensenShannon]).toEqual([0, 0])
        const [there, back] = [driftBetween(before, after), driftBetween(after, before)]
        there.forEach(({ lInfinity, jensenShannon }, index) => {
          expect(back[index]!.lInfinity).toBe(lInfinity)
          expect(back[index]!.jensenShannon).toBeCloseTo(jensenShannon, 12)
        })
      }),
    )
  })
})

it('limits are put on what a schema does not limit itself, also inside of structures', () => {
  const own = { infinityNorm: { threshold: 0.01 } }
  const schema: Schema = {
    feature: [
      { name: 'word', type: 'BYTES' },
      { name: 'mine', type: 'BYTES', driftComparator: own },
      { name: 'x', type: 'FLOAT' },
      { name: 'both', type: 'STRUCT', structDomain: { feature: [{ name: 'n', type: 'INT' }] } },
    ],
  }
  const limited = withLimits(schema, 'drift', { linf: 0.1, js: 0.2 })
  const js = { jensenShannonDivergence: { threshold: 0.2 } }
  expect(limited.feature).toEqual([
    { name: 'word', type: 'BYTES', driftComparator: { infinityNorm: { threshold: 0.1 } } },
    { name: 'mine', type: 'BYTES', driftComparator: own },
    { name: 'x', type: 'FLOAT', driftComparator: js },
    { name: 'both', type: 'STRUCT', structDomain: { feature: [{ name: 'n', type: 'INT', driftComparator: js }] } },
  ])
  expect(withLimits(schema, 'skew', {}).feature).toEqual(schema.feature)
  expect(withLimits(schema, 'skew', { js: 0.2 }).feature![1]).toEqual({
    name: 'mine',
    type: 'BYTES',
    driftComparator: own,
  })
})
