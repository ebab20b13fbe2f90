import { expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { runStep } from '../../src/define/run-step.ts'
import { batchOf, type ExamplesReader } from '../../src/formats/examples.ts'
import { sidesOf, split } from '../../src/steps/split.ts'
import { examplesOf, type Row } from './written-examples.ts'

async function sides(examples: ExamplesReader, ratios?: { [name: string]: number }): Promise<Map<string, string[]>> {
  await using trial = await runStep(split, {
    inputs: { examples },
    ...(ratios === undefined ? {} : { parameters: { ratios } }),
  })
  const found = new Map<string, string[]>()
  for (const name of trial.outputs.examples.splits)
    for await (const { key } of trial.outputs.examples.objects(name))
      found.set(String(key), [...(found.get(String(key)) ?? []), name])
  return found
}

const rows: readonly Row[] = Array.from({ length: 400 }, (_, row) => ({
  key: `k${row}`,
  n: row,
  tags: ['a', 'b', 'c'].slice(0, row % 4),
  gone: row % 3 === 0 ? null : row / 2,
}))

it('an example keeps its side in any order, among any others, and where a feature is added that it does not have', async () => {
  const before = await sides(await examplesOf({ all: rows }))
  const order = seededRandom('order').shuffle([...rows.keys()])
  const shuffled = await sides(await examplesOf({ all: order.map((row) => rows[row]!) }))
  const grown = await sides(
    await examplesOf({
      all: [...rows.slice(0, 200), { key: 'new', n: 0.5, extra: 1 }, ...rows.slice(200)],
    }),
  )
  for (const [key, side] of before) {
    expect(shuffled.get(key)).toEqual(side)
    expect(grown.get(key)).toEqual(side)
  }
  // How the rows were split before does not matter.
  expect(await sides(await examplesOf({ a: rows.slice(0, 7), b: rows.slice(7) }))).toEqual(before)
})

it('rows that stand twice stay together, and shares need not sum to 1', async () => {
  const twice = await sides(await examplesOf({ all: [...rows, ...rows] }), { train: 8, eval: 2 })
  expect([...twice.values()].every(([first, second]) => first === second)).toBe(true)
  expect(await sides(await examplesOf({ all: rows }), { train: 8, eval: 2 })).toEqual(
    await sides(await examplesOf({ all: rows }), { train: 0.8, eval: 0.2 }),
  )
})

it('sides are even for keys that count up, short words, and numbers far apart', () => {
  const kinds: readonly ((row: number) => Row)[] = [
    (row) => ({ id: row }),
    (row) => ({ id: row * 4096 }),
    (row) => ({ id: row / 1024 }),
    (row) => ({ id: `user-${row}` }),
    (row) => ({ id: String(row).padStart(12, '0') }),
    (row) => ({ a: row % 100, b: Math.floor(row / 100) }),
    (row) => ({ a: `x${row % 100}`, b: `x${Math.floor(row / 100)}` }),
    (row) => ({ id: [row % 100, Math.floor(row / 100)] }),
  ]
  const count = 10_000
  for (const [index, kind] of kinds.entries()) {
    for (const seed of [0, 1, 2 ** 31 - 1]) {
      const counts = new Array<number>(10).fill(0)
      const limits = counts.map((_, side) => (side + 1) / 10)
      for (const side of sidesOf(batchOf(Array.from({ length: count }, (_, row) => kind(row))), [], seed, limits))
        counts[side]!++
      const chi = counts.reduce((sum, found) => sum + (found - count / 10) ** 2 / (count / 10), 0)
      // Nine degrees of freedom: above 40 once in a hundred thousand.
      expect(chi, `kind ${index}, seed ${seed}: ${counts}`).toBeLessThan(40)
    }
  }
})

it('names that make no split, and shares without an end, are refused as parameters', async () => {
  const examples = await examplesOf({ all: rows })
  for (const name of ['_a', '-a', '', 'a/b', '..', 'a'.repeat(101)]) {
    await expect(runStep(split, { inputs: { examples }, parameters: { ratios: { [name]: 1 } } })).rejects.toMatchObject(
      {
        code: 'ZEN_PARAMETERS',
      },
    )
  }
  await expect(sides(examples, { train: 1e308, eval: 1e308 })).rejects.toMatchObject({ code: 'ZEN_PARAMETERS' })
  await expect(runStep(split, { inputs: { examples }, parameters: { by: ['keys'] } })).rejects.toThrow(
    'Did you mean "key"?',
  )
})
