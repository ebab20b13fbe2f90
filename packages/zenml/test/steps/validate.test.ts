import { describe, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import { decodeAnomalies, encodeAnomalies } from '../../src/formats/anomalies-proto.ts'
import type { StatisticsBySplit } from '../../src/formats/types.ts'
import { validate } from '../../src/steps/validate.ts'

function facts(splits: { readonly [split: string]: { readonly [value: string]: number } }): StatisticsBySplit {
  return Object.fromEntries(
    Object.entries(splits).map(([split, counts]) => {
      const buckets = Object.entries(counts).map(([label, sampleCount]) => ({ label, sampleCount }))
      const rows = buckets.reduce((sum, { sampleCount }) => sum + sampleCount, 0)
      const commonStats = { numNonMissing: rows, totNumValues: rows }
      const stringStats = { commonStats, rankHistogram: { buckets } }
      return [
        split,
        { datasets: [{ numExamples: rows, features: [{ path: { step: ['x'] }, type: 'STRING', stringStats }] }] },
      ] as const
    }),
  )
}

const schema = {
  feature: [
    {
      name: 'x',
      type: 'BYTES',
      stringDomain: { value: ['a', 'b'] },
      driftComparator: { infinityNorm: { threshold: 0.1 } },
      skewComparator: { infinityNorm: { threshold: 0.3 } },
    },
  ],
} as const

describe('the step validate', () => {
  it('holds every split against the schema, its own past and the split of serving', async () => {
    await using trial = await runStep(validate, {
      inputs: {
        statistics: facts({ train: { a: 5, b: 5 }, eval: { a: 5, c: 5 }, live: { a: 1, b: 9 } }),
        schema,
        baseline: facts({ all: { a: 5, b: 5 } }),
      },
      parameters: { servingSplit: 'live' },
    })
    const { train, eval: other, ...rest } = trial.outputs.anomalies
    expect(rest).toEqual({})
    expect(train!.anomalyInfo!.get('x')!.reason!.map(({ type }) => type)).toEqual(['COMPARATOR_L_INFTY_HIGH'])
    expect(other!.anomalyInfo!.get('x')!.reason!.map(({ type }) => type)).toEqual([
      'ENUM_TYPE_UNEXPECTED_STRING_VALUES',
      'COMPARATOR_L_INFTY_HIGH',
      'COMPARATOR_L_INFTY_HIGH',
    ])
    expect(other!.driftSkewInfo).toHaveLength(1)
    expect(trial.properties).toEqual({ anomalies: { errors: 2, warnings: 0 } })
    expect(decodeAnomalies(encodeAnomalies(other!))).toEqual(other)
  })

  it('fails where it is asked to, and names all anomalies', async () => {
    const inputs = { statistics: facts({ train: { z: 1 }, eval: { y: 1 } }), schema, baseline: undefined }
    await expect(runStep(validate, { inputs, parameters: { failOn: 'ERROR' } })).rejects.toMatchObject({
      code: 'ZEN_DATA_ANOMALIES',
      message: expect.stringMatching(/2 anomalies:\n {2}eval x: .*y \(~100%\)\.\n {2}train x: .*z \(~100%\)\./),
    })
    const unknown = { feature: [] }
    await using trial = await runStep(validate, {
      inputs: { ...inputs, schema: unknown },
      parameters: { failOn: 'ERROR', newFeatures: 'WARNING' },
    })
    expect(trial.properties).toEqual({ anomalies: { errors: 0, warnings: 2 } })
  })

  it('fails on data without examples, which no schema can tell anything of', async () => {
    const inputs = { statistics: facts({ train: {} }), schema, baseline: undefined }
    await expect(runStep(validate, { inputs, parameters: { failOn: 'ERROR' } })).rejects.toMatchObject({
      code: 'ZEN_DATA_ANOMALIES',
    })
  })

  it('names the splits that there are where one asks for another', async () => {
    const statistics = facts({ train: { a: 1 }, eval: { a: 1 } })
    const inputs = { statistics, schema, baseline: undefined }
    await expect(runStep(validate, { inputs, parameters: { splits: ['test'] } })).rejects.toMatchObject({
      code: 'ZEN_VALIDATE_SPLIT',
    })
    const baseline = facts({ one: { a: 1 }, two: { a: 1 } })
    await expect(runStep(validate, { inputs: { ...inputs, baseline } })).rejects.toMatchObject({
      code: 'ZEN_VALIDATE_SPLIT',
    })
  })
})
