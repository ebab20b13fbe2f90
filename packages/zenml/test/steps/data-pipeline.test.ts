import { expect, it } from 'vitest'
import { type DataOptions, dataPipeline } from '../../src/steps/data-pipeline.ts'
import { noSplit } from '../../src/steps/no-split.ts'

/** Parameters of the step `split` of a data pipeline. */
function splitOf(options: Pick<DataOptions, 'sequence' | 'split'>): unknown {
  const { steps } = dataPipeline({ name: 'load', source: { path: 'load.csv' }, ...options }).build()
  return steps.find(({ name }) => name === 'split')?.parameters
}

it('windows that overlap are split by series, so that no row is on both sides', () => {
  const sequence = { time: 'at', by: ['site', 'sensor'], length: 30 }
  expect(splitOf({})).toEqual({})
  expect(splitOf({ sequence })).toEqual({ by: ['site', 'sensor'] })
  expect(splitOf({ sequence, split: { ratios: { train: 3, eval: 1 } } })).toEqual({
    ratios: { train: 3, eval: 1 },
    by: ['site', 'sensor'],
  })
  expect(splitOf({ sequence, split: { by: ['site'] } })).toEqual({ by: ['site'] })
  expect(splitOf({ sequence, split: (inputs) => noSplit(inputs) })).toBeUndefined()
})

it('a random split that would part windows with rows in common is refused, with what to do', () => {
  const overlapping = expect.objectContaining({
    code: 'ZEN_SPLIT_WINDOWS',
    next: expect.stringContaining('splitByTime'),
  })
  const refused = (options: Parameters<typeof splitOf>[0]): unknown => {
    try {
      return splitOf(options)
    } catch (error) {
      return error
    }
  }
  expect(refused({ sequence: { time: 'at' } })).toEqual(overlapping)
  expect(refused({ sequence: { time: 'at', by: ['sensor'] }, split: { by: ['hour'] } })).toEqual(overlapping)
  expect(refused({ sequence: { time: 'at', by: ['sensor'] }, split: { by: [] } })).toEqual(overlapping)
  const label = { feature: 'load', horizon: 2 }
  expect(refused({ sequence: { time: 'at', length: 4, stride: 5, label } })).toEqual(overlapping)
  expect(refused({ sequence: { time: 'at', length: 4, stride: 6, label } })).toEqual({ by: [] })
})
