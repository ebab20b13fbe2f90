import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TestProject, testProject } from '../../zenml/test/support/project.ts'
import { eachFormat, filesOfEachFormat } from '../../zenml/test/support/source-files.ts'
import { RestDouble } from './rest-double.ts'

let double: RestDouble
beforeEach(async () => {
  double = await RestDouble.start()
})
afterEach(async () => {
  await double[Symbol.asyncDispose]()
})

const manifest = `${JSON.stringify({
  ...{ name: 'demo', version: '1.0.0', private: true, type: 'module' },
  dependencies: { '@zenml/s3': '0.1.0' },
})}\n`

/** A pipeline with a snapshot of each datasource. */
function pipelineOf(sources: { readonly [name: string]: string }): string {
  const names = Object.keys(sources)
  const steps = names.map(
    (name) => `  ${name}: { source: "zenml/steps#snapshot", inputs: { source: datasources.${name} } }\n`,
  )
  const declared = names.map((name) => `  ${name}: { ${sources[name]} }\n`)
  return `version: 1\npipeline: data\ndatasources:\n${declared.join('')}steps:\n${steps.join('')}`
}

function project(sources: { readonly [name: string]: string }): TestProject & {
  // biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
  with(...args: string[]): Promise<any>
} {
  const made = testProject()
  made.write({ 'package.json': manifest, 'data.yaml': pipelineOf(sources) })
  made.commit()
  const variables = { AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'hush-hush' }
  return Object.assign(made, {
    async with(...args: string[]) {
      const { stdout, stderr } = await made.zenmlWith(variables, ...args, '--json')
      // The libraries below have nothing to say to the user.
      expect(stderr).not.toMatch(/warning|deprecat/i)
      return JSON.parse(stdout)
    },
  })
}

const remote = (): string => `type: s3, endpoint: "${double.url}"`

describe('a pipeline that reads S3', { timeout: 240_000 }, () => {
  test('takes a snapshot, fetches nothing while the objects stay, and is run again when they are gone', async () => {
    double.put('shop', 'sales/2024/b.csv', 'id,name\n2,eve\n')
    double.put('shop', 'sales/2023/a.csv', 'id,name\n1,ada\n')
    double.put('shop', 'sales/notes.txt', 'no table')
    using made = project({ data: `${remote()}, uri: "s3://shop/sales/", format: csv` })
    const first = await made.with('pipeline', 'run', 'data.yaml')
    expect(first.status, JSON.stringify(first)).toBe('complete')
    const [{ outputs }] = first.steps
    const sample = await made.json('datasource', 'sample', outputs.examples.digest, '--rows', '9')
    expect(sample.rows.map(({ values }: { values: object }) => values)).toEqual([
      { id: 1, name: 'ada' },
      { id: 2, name: 'eve' },
    ])
    expect(double.read.sort()).toEqual(['sales/2023/a.csv', 'sales/2024/b.csv'])

    const commit = await made.with('datasource', 'commit', 'data', 'data.yaml')
    expect(commit.digest, JSON.stringify(commit)).toBe(outputs.examples.digest)
    const second = await made.with('pipeline', 'run', 'data.yaml')
    expect(second.steps[0].outcome).toBe('reused')
    expect(double.read).toHaveLength(2)

    double.put('shop', 'sales/2024/b.csv', 'id,name\n2,eva\n')
    const third = await made.with('pipeline', 'run', 'data.yaml')
    expect(third.steps[0].outcome).toBe('executed')
    expect(double.read).toHaveLength(4)

    double.delete('shop')
    const asked = double.asked.length
    const again = await made.with('pipeline', 'rerun', first.run)
    expect(again.status, JSON.stringify(again)).toBe('complete')
    expect(again.steps[0].outputs.examples.digest).toBe(outputs.examples.digest)
    expect(double.asked).toHaveLength(asked)
  })

  test('of objects is, byte for byte, that of the same files in a folder', async () => {
    const files = filesOfEachFormat()
    for (const [name, bytes] of Object.entries(files)) double.put('shop', `data/${name}`, bytes)
    double.pageLimit = 3
    using made = project(
      Object.fromEntries(
        eachFormat.flatMap(([name, path, format]) => [
          [`${name}Local`, `path: "data/${path}", ${format}`],
          [`${name}Remote`, `${remote()}, uri: "s3://shop/data/${path}", ${format}`],
        ]),
      ),
    )
    made.write(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`data/${name}`, bytes])))
    made.commit()
    const run = await made.with('pipeline', 'run', 'data.yaml')
    expect(run.status, JSON.stringify(run)).toBe('complete')
    const digests = Object.fromEntries(
      run.steps.map(({ name, outputs }: { name: string; outputs: { examples: { digest: string } } }) => [
        name,
        outputs.examples.digest,
      ]),
    )
    for (const [name] of eachFormat) expect(digests[`${name}Remote`], name).toBe(digests[`${name}Local`])
    expect(new Set(Object.values(digests)).size).toBe(eachFormat.length)
  })

  test('that is refused shows why, and no secret', async () => {
    double.put('shop', 'a.csv', 'id\n1\n')
    using made = project({ data: `${remote()}, uri: "s3://shop/a.csv"` })
    double.keys.clear()
    const refused = JSON.stringify(await made.with('pipeline', 'run', 'data.yaml'))
    expect(refused).toMatch(/ZEN_SOURCE_DENIED.*it answers with status 403/)
    expect(refused).not.toContain('hush')
  })
})
