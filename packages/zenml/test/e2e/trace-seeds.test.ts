import { expect, it } from 'vitest'
import { installPackages } from '../support/packages.ts'
import { testProject } from '../support/project.ts'

/** Steps by name, with what they give. */
const plain: { readonly [name: string]: string } = {
  constant: '1',
  dates: 'new Date(5).toISOString()',
  inPackage: 'roll()',
  global: 'Math.random()',
  seed: 'context.seed',
  uuid: 'context.random.uuid()',
  bytes: `Buffer.from(context.random.bytes(8)).toString('hex')`,
}
/** Loading TensorFlow.js takes a random number, which is no use of the seed: `sum` has none. */
const tensors: { readonly [name: string]: string } = {
  initializer: 'Array.from(await layers.layers.dense({ units: 3, inputShape: [2] }).apply(tf.ones([1, 2])).data())',
  sum: 'Array.from(await tf.sum(tf.ones([3])).data())',
  shuffle: '(() => { const rows = Array.from({ length: 50 }, (_, row) => row); tf.util.shuffle(rows); return rows })()',
}
const steps = { ...plain, ...tensors }
const seeded = Object.keys(steps).filter((name) => !['constant', 'dates', 'sum'].includes(name))

function moduleOf(values: { readonly [name: string]: string }): string {
  return `import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
${Object.entries(values)
  .map(
    ([name, value]) =>
      `export const ${name} = step({ name: '${name}', outputs: { value: JsonArtifact }, run: async ({ context }) => { void context; return { value: ${value} } } })`,
  )
  .join('\n')}\n`
}

it('another seed executes exactly the steps that use randomness, of a package, of TensorFlow.js or their own, and gives them other values', async () => {
  using project = testProject()
  installPackages(project, { chance: 'export const roll = () => Math.random()\n' })
  project.write({
    'steps/plain.ts': `import { roll } from 'chance'\n${moduleOf(plain)}`,
    'steps/tensors.ts': `import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as layers from '@tensorflow/tfjs-layers'
${moduleOf(tensors)}`,
    'all.yaml': `version: 1\npipeline: all\nsteps:\n${Object.keys(steps)
      .map((name) => `  ${name}: { source: "steps/${name in plain ? 'plain' : 'tensors'}.ts#${name}" }`)
      .join('\n')}\n`,
  })
  interface Run {
    readonly steps: readonly {
      readonly name: string
      readonly outcome: string
      readonly outputs: { readonly value: { readonly digest: string } }
    }[]
  }
  const run = async (seed: string, ...options: string[]): Promise<Run> =>
    (await project.json('pipeline', 'run', 'all.yaml', '--seed', seed, ...options)) as Run
  const outcomes = ({ steps: ended }: Run, outcome: string): string[] =>
    ended.filter((step) => step.outcome === outcome).map(({ name }) => name)
  const digests = (ended: Run): string[] => ended.steps.map(({ outputs }) => outputs.value.digest)

  const first = await run('0')
  expect(outcomes(first, 'executed')).toEqual(Object.keys(steps))
  const other = await run('1')
  expect(outcomes(other, 'executed')).toEqual(seeded)
  expect(outcomes(other, 'reused')).toEqual(['constant', 'dates', 'sum'])
  for (const [index, name] of Object.keys(steps).entries())
    expect(digests(other)[index] !== digests(first)[index], name).toBe(seeded.includes(name))
  expect(outcomes(await run('0'), 'reused')).toEqual(Object.keys(steps))
  expect(digests(await run('1', '--no-cache'))).toEqual(digests(other))
})
