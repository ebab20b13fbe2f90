import fc from 'fast-check'
import { expect, it } from 'vitest'
import { orderSteps } from '../../src/config/graph.ts'
import { applyOverrides } from '../../src/config/overrides.ts'
import { parseConfig } from '../../src/config/parse-config.ts'
import { printConfig } from '../../src/config/print-config.ts'

const good = `version: 1
pipeline: demo
seed: 3
backend: { type: local, parallelism: 2 }
datasources:
  raw: { path: data/raw.csv }
steps:
  data:
    source: zenml/steps#snapshot
    inputs: { source: datasources.raw }
  train:
    source: steps/train.ts#train
    parameters: { epochs: 20, rate: 0.5, layers: [8, 4] }
    inputs: { examples: data.examples }
    environment: [API_KEY]
    timeout: 60
    memory: 512
    cache: false
`

async function codes(text: string): Promise<string[]> {
  const parsed = await parseConfig(text, 'demo.yaml')
  return parsed.ok ? [] : parsed.error.map(({ code, line, column }) => `${code} ${line}:${column}`)
}

it('a good configuration becomes a specification with its defaults', async () => {
  const parsed = await parseConfig(good, 'demo.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  expect(parsed.value.spec).toMatchObject({
    name: 'demo',
    seed: 3,
    datasources: { raw: { type: 'file', format: 'csv', options: {} } },
  })
  expect(parsed.value.spec.steps['data']).toEqual({
    source: 'zenml/steps#snapshot',
    parameters: {},
    inputs: { source: 'datasources.raw' },
    environment: [],
    cache: true,
  })
  expect(parsed.value.locate('steps.train.parameters.epochs')).toEqual({ line: 13, column: 19 })
})

it('what is printed is read back as the same, and printed the same', async () => {
  const parsed = await parseConfig(good, 'demo.yaml')
  if (!parsed.ok) throw new Error('refused')
  const text = await printConfig(parsed.value.spec)
  const again = await parseConfig(text, 'again.yaml')
  if (!again.ok) throw new Error(JSON.stringify(again.error))
  expect(again.value.spec).toEqual(parsed.value.spec)
  expect(await printConfig(again.value.spec)).toBe(text)
})

it.each([
  ['an unknown key, with the nearest name', good.replace('parameters:', 'paramters:'), ['ZEN_CONFIG_UNKNOWN 13:5']],
  ['a duplicate key', `${good}seed: 4\n`, ['ZEN_CONFIG_DUPLICATE 19:1']],
  ['a dangling input', good.replace('data.examples', 'dta.examples'), ['ZEN_CONFIG_INPUT 14:15']],
  ['a datasource that is not declared', good.replace('datasources.raw', 'datasources.rw'), ['ZEN_CONFIG_INPUT 10:15']],
  ['a circle', good.replace('source: datasources.raw', 'source: train.model'), ['ZEN_CONFIG_CYCLE 10:5']],
  ['a wrong type', good.replace('timeout: 60', 'timeout: soon'), ['ZEN_CONFIG_TYPE 16:5']],
  ['a wrong version', good.replace('version: 1', 'version: 2'), ['ZEN_CONFIG_VALUE 1:1']],
  ['a missing key', good.replace('    source: steps/train.ts#train\n', ''), ['ZEN_CONFIG_MISSING 11:3']],
  ['an alias', `${good}run: { a: &a 1, b: *a }\n`, ['ZEN_CONFIG_ALIASES 19:20']],
  ['a merge key', `${good}run: { <<: { a: 1 } }\n`, ['ZEN_CONFIG_MERGE 19:8']],
  ['a tag', good.replace('epochs: 20', 'epochs: !!js/function 20'), ['ZEN_CONFIG_TAG 13:41']],
  ['infinity', good.replace('0.5', '.inf'), ['ZEN_CONFIG_NUMBER 13:37']],
  [
    'a number that would lose digits',
    good.replace('epochs: 20', 'epochs: 9007199254740993'),
    ['ZEN_CONFIG_NUMBER 13:27'],
  ],
  ['an empty file', '', ['ZEN_CONFIG_EMPTY 1:1']],
  [
    'several problems at once',
    good.replace('seed: 3', 'sed: 3').replace('memory: 512', 'memory: 1'),
    ['ZEN_CONFIG_UNKNOWN 3:1', 'ZEN_CONFIG_VALUE 17:5'],
  ],
])('%s is refused with its place', async (_name, text, expected) => {
  expect(await codes(text)).toEqual(expected)
})

it('a bomb of aliases is refused quickly', async () => {
  const lines = ['run:', '  a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++)
    lines.push(`  a${level}: &a${level} [${new Array(10).fill(`*a${level - 1}`).join(', ')}]`)
  expect((await codes(`${good}${lines.join('\n')}\n`))[0]).toContain('ZEN_CONFIG_ALIASES')
})

it('1, 1.0 and 1e0 are the same number, and no is a text', async () => {
  const specs = await Promise.all(
    ['1', '1.0', '1e0'].map(async (number) => {
      const parsed = await parseConfig(good.replace('epochs: 20', `epochs: ${number}, answer: no`), 'demo.yaml')
      return parsed.ok ? parsed.value.spec.steps['train']!.parameters : parsed.error
    }),
  )
  expect(specs[0]).toEqual({ epochs: 1, answer: 'no', rate: 0.5, layers: [8, 4] })
  expect(specs[1]).toEqual(specs[0])
  expect(specs[2]).toEqual(specs[0])
})

it('400 damaged configurations each end in diagnostics with a code and a place, or in a specification', async () => {
  const edit = fc.record({
    at: fc.nat({ max: good.length - 1 }),
    remove: fc.nat({ max: 12 }),
    insert: fc.string({ unit: 'binary', maxLength: 8 }),
  })
  const noise = fc.constantFrom(
    '*a',
    '&a ',
    '<<: {}',
    '- ',
    ': ',
    '{',
    ']',
    '"',
    "'",
    '\t',
    '\n',
    '!!binary x',
    '---\n',
    '#',
    '0x1F',
    '~',
    '? ',
    '|',
  )
  const change = fc.oneof(
    edit,
    fc.record({ at: fc.nat({ max: good.length - 1 }), remove: fc.nat({ max: 3 }), insert: noise }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const text = changes.reduce(
        (before, { at, remove, insert }) => before.slice(0, at) + insert + before.slice(at + remove),
        good,
      )
      const parsed = await parseConfig(text, 'demo.yaml')
      if (parsed.ok) {
        expect(orderSteps(parsed.value.spec)).toHaveLength(Object.keys(parsed.value.spec.steps).length)
        return
      }
      expect(parsed.error.length).toBeGreaterThan(0)
      for (const { code, line, column, message } of parsed.error) {
        expect(code).toMatch(/^ZEN_CONFIG_[A-Z]+$/)
        expect(message.length).toBeGreaterThan(5)
        expect(line! >= 1 && column! >= 1).toBe(true)
      }
    }),
    { numRuns: 400 },
  )
})

it('overrides set parameters by name, deep ones too, and refuse what is not there', async () => {
  const parsed = await parseConfig(good, 'demo.yaml')
  if (!parsed.ok) throw new Error('refused')
  const changed = await applyOverrides(parsed.value.spec, {
    parameters: ['train.epochs=5', 'train.net.depth=[1, 2]'],
    seed: 9,
  })
  if (!changed.ok) throw new Error('refused')
  expect(changed.value.seed).toBe(9)
  expect(changed.value.steps['train']!.parameters).toEqual({
    epochs: 5,
    rate: 0.5,
    layers: [8, 4],
    net: { depth: [1, 2] },
  })
  const refused = await applyOverrides(parsed.value.spec, { parameters: ['trian.epochs=5', 'nonsense'] })
  expect(refused.ok ? [] : refused.error.map(({ message }) => message)).toEqual([
    'There is no step "trian". Did you mean "train"?',
    '"nonsense" is not of the form step.name=value.',
  ])
})
