import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testProject } from '../support/project.ts'

const pipeline =
  'version: 1\npipeline: native\nsteps:\n  plain: { source: "steps/native.ts#plain" }\n  native: { source: "steps/native.ts#native" }\n'

/** Steps of which one depends on arithmetic that another machine may have otherwise: here a file stands for the machine. */
const steps = (canary: string): string => `
import { step } from 'zenml'
import { readFileSync } from 'node:fs'
import { JsonArtifact } from 'zenml/formats'
export const plain = step({ name: 'plain', outputs: { value: JsonArtifact }, run: () => ({ value: 1 }) })
export const native = step({ name: 'native', outputs: { value: JsonArtifact }, canary: ${canary}, run: () => ({ value: 2 }) })
`

it('a step with a canary is reused where the arithmetic is the same, and runs again where it is not', async () => {
  using project = testProject()
  const machine = join(project.cache, 'machine')
  const outcomes = async (): Promise<string[]> => {
    // Another machine has no answers of this one.
    rmSync(join(project.root, '.zenml/cache/canaries'), { recursive: true, force: true })
    const run = await project.json('pipeline', 'run', 'pipeline.yaml')
    return run.steps.map((step: { outcome: string }) => step.outcome)
  }
  project.write({
    'pipeline.yaml': pipeline,
    'steps/native.ts': steps(`() => [Number(readFileSync(${JSON.stringify(machine)}, 'utf8')), 0.1, NaN]`),
  })
  project.commit()
  writeFileSync(machine, '0.30000000000000004')
  expect(await outcomes()).toEqual(['executed', 'executed'])
  expect(await outcomes()).toEqual(['reused', 'reused'])
  writeFileSync(machine, '0.3')
  expect(await outcomes()).toEqual(['reused', 'executed'])
  const explained = await project.json('pipeline', 'explain', '@latest', 'native')
  expect(explained.steps[0].changes).toMatchObject([{ field: 'environment', path: 'canary' }])
})

it.each([
  ['gives no numbers', "() => ['a']", 'The canary gave no list of numbers'],
  ['gives nothing', '() => []', 'The canary gave no list of numbers'],
  ['throws', "() => { throw new Error('no such instruction') }", 'no such instruction'],
])('a canary that %s is an error of the configuration, before anything runs', async (_name, canary, message) => {
  using project = testProject()
  project.write({
    'pipeline.yaml': pipeline,
    'steps/native.ts': steps(`${canary} as never`).replace('canary: ', 'canary: (').replace(' as never', ') as never'),
  })
  const { error, diagnostics } = await project.json('pipeline', 'run', 'pipeline.yaml')
  expect(JSON.stringify(error ?? diagnostics)).toContain(message)
  expect(await project.json('pipeline', 'runs')).toHaveProperty('runs', [])
})
