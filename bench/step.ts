// What one executed trivial step costs over doing the same work in-process, in units of an empty Node process.
import { cli, testEnvironment, testProject } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, interleaved, median, round, wall } from './support/measure.ts'

const rounds = 7
const many = 9

/** A chain of steps, so that none runs beside another: the difference between 1 and `many` steps is `many - 1` executions. */
function chain(length: number): string {
  const lines = Array.from({ length }, (_, index) =>
    index === 0
      ? '  s0: { source: "steps/trivial.ts#first", cache: false }'
      : `  s${index}: { source: "steps/trivial.ts#next", inputs: { value: s${index - 1}.value }, cache: false }`,
  )
  return `version: 1\npipeline: chain${length}\nsteps:\n${lines.join('\n')}\n`
}

export async function run(): Promise<BenchRow[]> {
  using project = testProject()
  project.write({
    'steps/trivial.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
export const first = step({ name: 'first', outputs: { value: JsonArtifact }, run: () => ({ value: 1 }) })
export const next = step({
  name: 'next',
  inputs: { value: JsonArtifact },
  outputs: { value: JsonArtifact },
  run: ({ inputs }) => ({ value: (inputs.value as number) + 1 }),
})
`,
    'one.yaml': chain(1),
    'many.yaml': chain(many),
  })
  project.commit()
  const zenml = (file: string): number =>
    wall(process.execPath, [cli, 'pipeline', 'run', file], { cwd: project.root, env: testEnvironment })
  const times = interleaved(rounds, {
    node: () => wall(process.execPath, ['-e', '0']),
    one: () => zenml('one.yaml'),
    many: () => zenml('many.yaml'),
  })
  const node = median(times.node)
  const step = (median(times.many) - median(times.one)) / (many - 1)
  console.log(`node -e 0 ${node.toFixed(1)} ms, one more executed step ${step.toFixed(1)} ms (medians of ${rounds})`)
  return [{ bar: 'overhead of an executed step / node -e 0', value: round(step / node) }]
}
