import { readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

let project: TestProject
let runs: { readonly run: string; readonly digest: string }[]

const colours = ['red', 'green', 'blue']
const first = Array.from({ length: 200 }, (_, id) => `${id},${colours[id % 3]},${id % 10}.5`)
// Later there is less of red, a colour that was not there, and larger numbers.
const second = Array.from({ length: 200 }, (_, id) => `${id},${id % 2 ? 'black' : 'blue'},${(id % 10) + 4}.5`)

const pipeline = `
version: 1
pipeline: points
datasources:
  points: { path: data/points.csv }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.points } }
  parts:
    source: zenml/steps#split
    parameters: { ratios: { train: 0.5, eval: 0.5 } }
    inputs: { examples: snapshot.examples }
  statistics: { source: "zenml/steps#statistics", inputs: { examples: parts.examples } }
  schema: { source: "zenml/steps#inferSchema", inputs: { statistics: statistics.statistics } }
`

beforeAll(async () => {
  project = testProject()
  project.write({ 'pipeline.yaml': pipeline })
  runs = []
  for (const rows of [first, second]) {
    project.write({ 'data/points.csv': `id,colour,x\n${rows.join('\n')}\n` })
    const { commit, digest } = await project.json('datasource', 'commit', 'points', 'pipeline.yaml')
    runs.push({ run: commit, digest })
  }
}, 180_000)
afterAll(() => project[Symbol.dispose]())

it('a datasource by its name is its newest commit, with @ the one that is named, and the words are those of diff and sample too', async () => {
  const [old, now] = runs as [(typeof runs)[0], (typeof runs)[0]]
  for (const [name, digest] of [
    ['points', now.digest],
    [`points@${old.run.slice(0, 9)}`, old.digest],
    [`${old.run}/snapshot.examples`, old.digest],
    [old.digest.slice(7, 24), old.digest],
  ] as const) {
    expect((await project.json('datasource', 'statistics', name)).artifact, name).toBe(digest)
  }
  expect(await project.json('datasource', 'diff', `points@${old.run}`, 'points', '--key', 'id')).toMatchObject({
    before: old.digest,
    after: now.digest,
  })
  expect((await project.json('datasource', 'sample', 'points', '--rows', '1')).artifact).toBe(now.digest)
  for (const name of ['dots', `points@${'0'.repeat(16)}`, `dots@${old.run}`])
    expect((await project.json('datasource', 'statistics', name)).error.code, name).toBe('ZEN_COMMIT_UNKNOWN')
  expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
})

it('statistics are shown by feature and split, those of a run as they were recorded', async () => {
  const old = await project.json('datasource', 'statistics', `points@${runs[0]!.run}`)
  expect(old).toMatchObject({ type: 'Examples', estimated: [], splits: { all: { rows: 200 } } })
  const [colour, id, x] = old.splits.all.features
  expect(colour).toMatchObject({ feature: 'colour', kind: 'text', count: 200, missing: 0, unique: 3 })
  expect(colour.topValues).toEqual([
    { value: 'green', count: 67 },
    { value: 'red', count: 67 },
    { value: 'blue', count: 66 },
  ])
  expect(id).toMatchObject({ feature: 'id', kind: 'int', min: 0, median: 99.5, max: 199, zeros: 1, mean: 99.5 })
  expect(x).toMatchObject({ feature: 'x', kind: 'float', min: 0.5, max: 9.5, mean: 5, nan: 0 })
  expect(x.quantiles).toHaveLength(11)
  expect(x.histogram.map(({ count }: { count: number }) => count)).toEqual(Array(10).fill(20))

  const { stdout } = await project.zenml('datasource', 'statistics', `points@${runs[0]!.run}`)
  expect(stdout).toMatch(/^all: 200 rows$/m)
  expect(stdout).toMatch(/^id +int +200 +0 +99.5 +57.73 +0 +99.5 +199 +1 +0$/m)
  expect(stdout).toMatch(/^colour +text +200 +0 +3 +4 +green \(67\), red \(67\), blue \(66\)$/m)

  const { run } = await project.json('pipeline', 'run', 'pipeline.yaml')
  const recorded = await project.json('datasource', 'statistics', `${run}/statistics.statistics`)
  const computed = await project.json('datasource', 'statistics', `${run}/parts.examples`)
  expect(recorded.type).toBe('Statistics')
  expect(recorded.splits).toEqual(computed.splits)
  const one = await project.json('datasource', 'statistics', `${run}/parts.examples`, '--split', 'eval')
  expect(Object.keys(one.splits)).toEqual(['eval'])
  const none = await project.json('datasource', 'statistics', `${run}/parts.examples`, '--split', 'test')
  expect(none.error).toMatchObject({ code: 'ZEN_EXAMPLES_SPLIT', next: 'Take one of eval, train.' })
  const other = await project.json('datasource', 'statistics', `${run}/schema.schema`)
  expect(other.error.code).toBe('ZEN_ARTIFACT_TYPE')
})

it('drift of a diff is measured by feature, and left out where nobody asks for it', async () => {
  const names = [`points@${runs[0]!.run}`, 'points']
  const { drift } = await project.json('datasource', 'diff', ...names, '--key', 'id', '--drift')
  const [colour, id, x] = drift.all
  expect(colour).toMatchObject({ feature: 'colour', kind: 'text', value: 'black', lInfinity: 0.5 })
  expect(id).toMatchObject({ feature: 'id', kind: 'number', lInfinity: null, jensenShannon: 0 })
  expect(x.jensenShannon).toBeGreaterThan(0.3)
  const { stdout } = await project.zenml('datasource', 'diff', ...names, '--drift')
  expect(stdout).toMatch(/^all +colour +0.5 +[\d.]+ +black\nall +x +- +[\d.]+\nall +id +- +0$/m)
  const same = await project.json('datasource', 'diff', 'points', 'points', '--drift')
  expect(same.drift.all.map((found: { jensenShannon: number }) => found.jensenShannon)).toEqual([0, 0, 0])
  expect((await project.json('datasource', 'diff', ...names)).drift).toBeNull()
})

it('a schema is printed, written into the repository, and never over one that says something else', async () => {
  const old = `points@${runs[0]!.run}`
  const { stdout } = await project.zenml('datasource', 'schema', old)
  expect(stdout).toContain('string_domain {\n  name: "colour"\n  value: "blue"\n  value: "green"\n  value: "red"\n}\n')
  const file = 'schemas/points.pbtxt'
  const written = await project.json('datasource', 'schema', old, '--write', file)
  expect(written.file).toEqual({ path: file, outcome: 'written', difference: null })
  expect(project.read(file)).toBe(stdout)

  // Comments and layout are the user's.
  project.write({ [file]: `# ours\n\n${stdout}` })
  expect((await project.json('datasource', 'schema', old, '--write', file)).file.outcome).toBe('same')
  const refused = await project.zenml('datasource', 'schema', 'points', '--write', file)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/^ZEN_SCHEMA_DIFFERS: [\s\S]*^\+ {2}value: "black"$[\s\S]*^- {2}value: "red"$/m)
  expect(project.read(file)).toBe(`# ours\n\n${stdout}`)
  const forced = await project.zenml('datasource', 'schema', 'points', '--write', file, '--force')
  expect(forced.stdout).toContain('-  value: "red"')
  expect(project.read(file)).toContain('value: "black"')
  expect(readdirSync(join(project.root, 'schemas'))).toEqual(['points.pbtxt'])

  const few = await project.zenml('datasource', 'schema', old, '--max-domain', '2')
  expect(few.stdout).not.toContain('string_domain')
  symlinkSync(tmpdir(), join(project.root, 'elsewhere'))
  for (const [given, code] of [
    [['--write', '../points.pbtxt'], 'ZEN_SCHEMA_OUTSIDE'],
    [['--write', 'elsewhere/deep/points.pbtxt'], 'ZEN_SCHEMA_OUTSIDE'],
    [['--force'], 'ZEN_USAGE'],
    [['--split', 'train'], 'ZEN_SCHEMA_SPLIT'],
  ] as const)
    expect((await project.json('datasource', 'schema', old, ...given)).error.code, given.join(' ')).toBe(code)
})

it('anomalies against a schema and earlier data end with 1, none with 0', async () => {
  const old = `points@${runs[0]!.run}`
  const file = 'held.pbtxt'
  await project.json('datasource', 'schema', old, '--write', file)
  const none = await project.zenml('datasource', 'anomalies', old, '--schema', file)
  expect([none.code, none.stdout]).toEqual([0, 'No anomalies in all.\n'])

  const limits = ['--baseline', old, '--drift', 'linf=0.6,js=0.1']
  const found = await project.zenml('datasource', 'anomalies', 'points', '--schema', file, ...limits, '--json')
  expect(found.code).toBe(1)
  const { anomalies, distances, baseline } = JSON.parse(found.stdout)
  expect(baseline).toBe(runs[0]!.digest)
  expect(anomalies).toMatchObject([
    {
      split: 'all',
      feature: 'colour',
      severity: 'ERROR',
      reasons: [
        {
          type: 'ENUM_TYPE_UNEXPECTED_STRING_VALUES',
          description: 'Examples contain values missing from the schema: black (~50%).',
        },
      ],
    },
    { feature: 'x', reasons: [{ type: 'COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH' }] },
  ])
  expect(distances.map(({ feature, measure }: { [key: string]: string }) => `${feature} ${measure}`)).toEqual([
    'colour L_INFTY',
    'id JENSEN_SHANNON_DIVERGENCE',
    'x JENSEN_SHANNON_DIVERGENCE',
  ])
  const { stdout, code } = await project.zenml('datasource', 'anomalies', 'points', '--schema', old)
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /^all +colour +ERROR +ENUM_TYPE_UNEXPECTED_STRING_VALUES +Unexpected string values +Examples /m,
  )
  expect(stdout).toMatch(/^1 feature with errors$/m)
})

it('says what is wrong with the options of anomalies, and where a schema file is', async () => {
  project.write({ 'broken.pbtxt': 'feature { name: "x" type: NUMBER }\n' })
  for (const [given, code] of [
    [[], 'ZEN_USAGE'],
    [['--schema', 'points', '--drift', 'linf=0.1'], 'ZEN_USAGE'],
    [['--schema', 'points', '--baseline', 'points', '--drift', 'l1=0.1'], 'ZEN_USAGE'],
    [['--schema', 'points', '--baseline', 'points', '--drift', 'js=2'], 'ZEN_USAGE'],
    [['--schema', 'points', '--new-features', 'no'], 'ZEN_USAGE'],
    [['--schema', 'points', '--split', 'test'], 'ZEN_VALIDATE_SPLIT'],
    [['--schema', 'gone.pbtxt'], 'ZEN_SCHEMA_MISSING'],
  ] as const)
    expect((await project.json('datasource', 'anomalies', 'points', ...given)).error.code, given.join(' ')).toBe(code)
  const broken = await project.zenml('datasource', 'anomalies', 'points', '--schema', 'broken.pbtxt')
  expect(broken.stderr).toContain('broken.pbtxt:1:27: ')
})

it('a pipeline validates against a schema file of the repository, and runs that part again after an edit', async () => {
  const file = 'pinned.pbtxt'
  await project.json('datasource', 'schema', `points@${runs[0]!.run}`, '--write', file)
  project.write({
    'validated.yaml': `${pipeline.replace('pipeline: points', 'pipeline: validated').replace(/ {2}schema: .*\n/, '')}
  schema: { source: "zenml/steps#importSchema", inputs: { source: datasources.schema } }
  validate: { source: "zenml/steps#validate", inputs: { statistics: statistics.statistics, schema: schema.schema } }
  facts: { source: "zenml/steps#statisticsReport", parameters: { title: Points }, inputs: { statistics: statistics.statistics } }
  found: { source: "zenml/steps#anomaliesReport", inputs: { anomalies: validate.anomalies } }
`.replace('datasources:\n', `datasources:\n  schema: { path: ${file} }\n`),
    'rows.yaml': `version: 1
pipeline: rows
datasources: { schema: { path: ${file} } }
steps: { snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.schema } } }
`,
  })
  const before = await project.json('pipeline', 'run', 'validated.yaml')
  expect(before.status).toBe('complete')
  const errors = (run: typeof before) =>
    run.steps.find(({ name }: { name: string }) => name === 'validate').outputs.anomalies.properties.errors
  expect(errors(before)).toBe(2) // colour, of both splits
  for (const [name, title] of [
    ['facts', 'Points'],
    ['found', 'Anomalies'],
  ] as const) {
    const pulled = await project.json('artifact', 'pull', `${before.run}/${name}.report`, name)
    expect(pulled.files).toEqual(['report.html'])
    expect(project.read(`${name}/report.html`)).toContain(`<h1>${title}</h1>`)
  }
  project.write({ [file]: project.read(file).replace('value: "red"', 'value: "red"\n  value: "black"') })
  const after = await project.json('pipeline', 'run', 'validated.yaml')
  expect(errors(after)).toBe(0)
  expect(after.steps.map(({ name, outcome }: { [key: string]: string }) => `${name} ${outcome}`)).toEqual([
    ...['snapshot reused', 'parts reused', 'statistics reused', 'schema executed', 'validate executed'],
    ...['facts reused', 'found executed'],
  ])
  project.write({ [file]: 'feature { name: "x" type: NUMBER }\n' })
  const broken = await project.json('pipeline', 'run', 'validated.yaml')
  expect(broken.steps.find(({ name }: { name: string }) => name === 'schema').error).toMatchObject({
    code: 'ZEN_SCHEMA_TEXT',
    message: expect.stringContaining(`${file}:1:27: `),
  })
  const rows = await project.json('pipeline', 'run', 'rows.yaml')
  expect(rows.steps[0].error.code).toBe('ZEN_SOURCE_ROWS')
}, 180_000)
