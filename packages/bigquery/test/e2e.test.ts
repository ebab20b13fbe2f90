import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TestProject, testProject } from '../../zenml/test/support/project.ts'
import { RestDouble } from './rest-double.ts'

let double: RestDouble
let outside: string
beforeEach(async () => {
  double = await RestDouble.start()
  outside = mkdtempSync(join(tmpdir(), 'zenml-credentials-'))
})
afterEach(async () => {
  await double[Symbol.asyncDispose]()
  rmSync(outside, { recursive: true })
})

const manifest = (dependencies: object): string =>
  `${JSON.stringify({ name: 'demo', version: '1.0.0', private: true, type: 'module', dependencies })}\n`
const people = `version: 1
pipeline: people
datasources:
  people: { type: bigquery, project: shop, table: sales.people, key: [id] }
steps:
  people: { source: "zenml/steps#snapshot", inputs: { source: datasources.people } }
`

function put(names: readonly string[], at = Date.UTC(2025, 0, 1)): void {
  double.tables.set('shop.sales.people', {
    fields: [
      { name: 'id', type: 'INTEGER' },
      { name: 'name', type: 'STRING' },
    ],
    history: [{ at, rows: names.map((name, index) => ({ id: String(index), name })) }],
  })
}

function project(dependencies: object = { '@zenml/bigquery': '0.1.0' }): TestProject & {
  // biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
  run(more?: object): Promise<any>
} {
  const made = testProject()
  made.write({ 'package.json': manifest(dependencies), 'people.yaml': people })
  made.commit()
  const variables = {
    BIGQUERY_EMULATOR_HOST: double.url,
    GOOGLE_APPLICATION_CREDENTIALS: double.writeCredentials(outside),
  }
  return Object.assign(made, {
    async run(more: NodeJS.ProcessEnv = {}) {
      const { stdout, stderr } = await made.zenmlWith(
        { ...variables, ...more },
        ...['pipeline', 'run', 'people.yaml', '--json'],
      )
      // The libraries below have nothing to say to the user.
      expect(stderr).not.toMatch(/warning|deprecat/i)
      return JSON.parse(stdout)
    },
  })
}

describe('a pipeline that reads BigQuery', { timeout: 240_000 }, () => {
  test('takes a snapshot, reads nothing while the table stays, and is run again without the service', async () => {
    put(['ada', 'eve'])
    using made = project()
    const first = await made.run()
    expect(first.status, JSON.stringify(first)).toBe('complete')
    const [{ outputs }] = first.steps
    const sample = await made.json('datasource', 'sample', outputs.examples.digest, '--rows', '9')
    expect(sample.rows.map(({ values }: { values: object }) => values)).toEqual([
      { id: 0, name: 'ada' },
      { id: 1, name: 'eve' },
    ])
    expect(double.run).toHaveLength(1)

    const second = await made.run()
    expect(second.steps[0].outcome).toBe('reused')
    expect(double.run).toHaveLength(1)

    put(['ada', 'eve', 'joe'], Date.UTC(2025, 0, 2))
    const third = await made.run()
    expect(third.steps[0].outcome).toBe('executed')
    expect(double.run).toHaveLength(2)

    const asked = double.asked.length
    const again = await made.json('pipeline', 'rerun', first.run)
    expect(again.status, JSON.stringify(again)).toBe('complete')
    expect(again.steps[0].outputs.examples.digest).toBe(outputs.examples.digest)
    expect(double.asked).toHaveLength(asked)
  })

  test('needs the package as a dependency that is installed in the repository', async () => {
    put(['ada'])
    using undeclared = project({})
    expect(JSON.stringify(await undeclared.run())).toMatch(
      /ZEN_PACKAGE_MISSING.*@zenml\/bigquery, which is no dependency\. Run \\"npm install @zenml\/bigquery\\"/,
    )
    using missing = project()
    const installed = join(missing.root, 'node_modules/@zenml/bigquery')
    rmSync(installed, { recursive: true })
    expect(JSON.stringify(await missing.run())).toMatch(/ZEN_PACKAGE_MISSING.*which is not installed/)

    mkdirSync(installed)
    writeFileSync(join(installed, 'package.json'), '{ "name": "@zenml/bigquery", "exports": "./index.js" }')
    writeFileSync(join(installed, 'index.js'), 'exports.other = 1\n')
    expect(JSON.stringify(await missing.run())).toMatch(/ZEN_PACKAGE_DAMAGED.*it exports no connector/)

    rmSync(join(installed, 'index.js'))
    cpSync(join(undeclared.root, 'node_modules/@zenml/bigquery/dist/index.js'), join(outside, 'index.mjs'))
    symlinkSync(join(outside, 'index.mjs'), join(installed, 'index.js'))
    expect(JSON.stringify(await missing.run())).toMatch(/ZEN_PACKAGE_DAMAGED.*is outside of it/)
    expect(double.asked).toEqual([])
  })

  test('that is refused shows why, and no secret', async () => {
    put(['ada'])
    using made = project()
    const bad = join(outside, 'bad.json')
    writeFileSync(bad, '{ "private_key": "hush-hush" oops')
    const refused = JSON.stringify(await made.run({ GOOGLE_APPLICATION_CREDENTIALS: bad }))
    expect(refused).toMatch(/ZEN_SOURCE_DENIED.*the file holds no credentials of Google/)
    expect(refused).not.toContain('hush')
    double.faults.push({ of: /\/tables\//, times: 1, status: 403, reason: 'accessDenied', message: 'Access Denied: x' })
    expect(JSON.stringify(await made.run())).toMatch(/ZEN_SOURCE_DENIED.*Access Denied: x/)
  })
})
