// A map over 10,000 documents of which one changed: the step's own time in the run, and how often the function was called.
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process'
import { cli, testEnvironment, testProject } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, median, round } from './support/measure.ts'

const items = 10_000
const rounds = 5

export async function run(): Promise<BenchRow[]> {
  using project = testProject()
  const write = (version: number): void => {
    const lines = Array.from({ length: items }, (_, item) =>
      JSON.stringify({
        id: item,
        text: `document ${item}${item === 5000 ? ` version ${version}` : ''}, ${'some words '.repeat(40)}`,
      }),
    )
    project.write({ 'data/documents.jsonl': `${lines.join('\n')}\n` })
  }
  project.write({
    'steps/count.ts': `
import { map } from 'zenml/steps'
export const count = map({
  name: 'count',
  features: { words: 'int' },
  run: ({ item }) => ({ words: String(item.text).split(' ').length }),
})
`,
    'pipeline.yaml': `version: 1
pipeline: documents
datasources: { documents: { path: data/documents.jsonl } }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.documents } }
  count: { source: "steps/count.ts#count", inputs: { examples: snapshot.examples } }
`,
  })
  write(0)
  project.commit()
  const run = (): { seconds: number; made: number; kept: number } => {
    const options: ExecFileSyncOptionsWithStringEncoding = {
      cwd: project.root,
      env: testEnvironment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }
    const { steps } = JSON.parse(
      execFileSync(process.execPath, [cli, 'pipeline', 'run', 'pipeline.yaml', '--json'], options),
    ) as {
      steps: { name: string; outcome: string; seconds: number; metrics?: { itemsMade: number; itemsKept: number } }[]
    }
    const step = steps.find(({ name }) => name === 'count')!
    if (step.outcome !== 'executed') throw new Error(`count was ${step.outcome}`)
    return {
      seconds: step.seconds,
      made: step.metrics?.itemsMade ?? Number.NaN,
      kept: step.metrics?.itemsKept ?? Number.NaN,
    }
  }
  const first = run()
  const ends = Array.from({ length: rounds }, (_, index) => {
    write(1 + index)
    return run()
  })
  const made = Math.max(...ends.map((end) => end.made))
  const milliseconds = median(ends.map(({ seconds }) => seconds * 1000))
  console.log(
    `all ${first.made} items ${(first.seconds * 1000).toFixed(0)} ms; one changed ${milliseconds.toFixed(0)} ms (median of ${rounds}), ${made} calls`,
  )
  return [
    { bar: 'map of 10,000 items, one changed, ms of the step', value: round(milliseconds) },
    { bar: 'map of 10,000 items, one changed, calls', value: made },
  ]
}
