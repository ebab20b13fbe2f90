import { expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { classificationReport, regressionReport } from '../../src/steps/evaluate-metrics.ts'

const random = seededRandom('reports')

it('the area under the curve is the share of pairs in the right order, ties counted half, however many ties there are', () => {
  for (let trial = 0; trial < 60; trial++) {
    const rows = 2 + random.integer(40)
    const steps = 1 + random.integer(6)
    const labels = Array.from({ length: rows }, () => random.integer(2))
    const scores = labels.map(() => random.integer(steps + 1) / steps)
    const report = classificationReport(
      labels,
      scores.flatMap((score) => [1 - score, score]),
      ['no', 'yes'],
    )
    let won = 0
    let pairs = 0
    for (let row = 0; row < rows; row++) {
      for (let other = 0; other < rows; other++) {
        if (labels[row] !== 1 || labels[other] !== 0) continue
        pairs++
        won += scores[row]! > scores[other]! ? 1 : scores[row] === scores[other] ? 0.5 : 0
      }
    }
    if (pairs === 0) expect(report.classes[1]!.rocAuc).toBeNull()
    else expect(report.classes[1]!.rocAuc).toBeCloseTo(won / pairs, 12)
  }
})

it('the bins of confidence hold every row once, also at their borders', () => {
  const scores = [0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 1]
  const { calibration, calibrationError, confusion } = classificationReport(
    scores.map((_, row) => row % 2),
    scores.flatMap((score) => [score, 1 - score]),
    ['a', 'b'],
  )
  expect(calibration.map(({ rows }) => rows)).toEqual([0, 0, 0, 0, 0, 1, 2, 1, 1, 3])
  const gap = [[0.5], [0.6, 0.65], [0.7], [0.8], [0.9, 0.95, 1]].map((bin) =>
    Math.abs(
      bin.reduce((sum, score) => sum + score, 0) - bin.filter((score) => scores.indexOf(score) % 2 === 0).length,
    ),
  )
  expect(calibrationError).toBeCloseTo(gap.reduce((a, b) => a + b, 0) / scores.length, 12)
  expect(confusion).toEqual([
    [4, 0],
    [4, 0],
  ])
})

it('a report of one class, or of no rows, has no area and no NaN', () => {
  const one = classificationReport([0, 0], [1, 1], ['only'])
  expect(one).toMatchObject({ accuracy: 1, logLoss: 0, rocAuc: null, confusion: [[2]], calibrationError: 0 })
  expect(classificationReport([], [], ['a', 'b'])).toMatchObject({ rows: 0, rocAuc: null, accuracy: 0 })
  expect(regressionReport([], [])).toMatchObject({ rows: 0, mae: 0, r2: null, calibration: [] })
})

it('groups of predictions hold every row once, also where there are fewer rows than groups', () => {
  for (let rows = 1; rows < 35; rows++) {
    const labels = Array.from({ length: rows }, (_, row) => row)
    const { calibration } = regressionReport(labels, labels)
    expect(calibration.reduce((sum, group) => sum + group.rows, 0)).toBe(rows)
    const total = calibration.reduce((sum, group) => sum + group.actual * group.rows, 0)
    expect(total).toBeCloseTo((rows * (rows - 1)) / 2, 9)
  }
})

it('a label that does not vary has no R², whatever its mean is rounded to', () => {
  for (let rows = 1; rows < 60; rows++) {
    for (const value of [0.1, 1 / 3, 1e-7, 123456.789]) {
      const labels = new Array<number>(rows).fill(value)
      expect(
        regressionReport(
          labels,
          labels.map(() => 0),
        ).r2,
      ).toBeNull()
    }
  }
})

it('numbers that are none, and labels that are no class, are refused with their row', () => {
  const refused = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (error) {
      return error
    }
  }
  expect(refused(() => classificationReport([0, 1], [0.5, 0.5, Number.NaN, 0.5], ['a', 'b']))).toMatchObject({
    code: 'ZEN_EVALUATE_NUMBERS',
    message: 'A probability of row 1 is NaN, which is no finite number.',
  })
  expect(refused(() => classificationReport([2], [0.5, 0.5], ['a', 'b']))).toMatchObject({
    message: 'The label of row 0 is 2, but there are 2 classes.',
  })
  expect(refused(() => regressionReport([1, 2], [1, Number.POSITIVE_INFINITY]))).toMatchObject({
    message: 'A prediction of row 1 is Infinity, which is no finite number.',
  })
  expect(refused(() => regressionReport([1, 2], [1]))).toMatchObject({ code: 'ZEN_EVALUATE_NUMBERS' })
})
