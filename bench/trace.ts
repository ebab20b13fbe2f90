// What watching a step for what it touches costs: the steps of the penguins example with it over the same without it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadPipeline, openProject, pinCode, runPipeline } from 'zenml/project'
import type { Backend, StepTask } from '../packages/zenml/src/backends/backend.ts'
import type { StepInput } from '../packages/zenml/src/model/step-protocol.ts'
import { testProject } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, round } from './support/measure.ts'

const rounds = 11
const variants = ['with', 'without'] as const

export async function run(): Promise<BenchRow[]> {
  using place = testProject()
  cpSync(join(process.env['BENCH_ROOT']!, 'examples/penguins'), place.root, { recursive: true })
  cpSync(join(process.env['BENCH_ROOT']!, 'package-lock.json'), join(place.root, 'package-lock.json'))
  place.commit()
  await using project = await openProject(place.root)
  const { backend } = project.workspace
  const { spec } = await loadPipeline(project, 'pipeline.ts', place.root)

  // The steps as a run lays them out, before they are executed.
  const tasks: StepTask[] = []
  const kept = join(place.root, '.zenml/bench')
  const keeping: Backend = {
    name: backend.name,
    execute(task, hooks) {
      cpSync(task.directory, join(kept, task.step), { recursive: true, verbatimSymlinks: true })
      tasks.push(task)
      return backend.execute(task, hooks)
    },
  }
  const { status } = await runPipeline({ ...project.workspace, backend: keeping }, spec, pinCode(place.root))
  if (status !== 'complete') throw new Error(`the penguins example ended as ${status}`)

  const times = new Map<string, { [variant in (typeof variants)[number]]: number[] }>()
  // The first round warms up.
  for (let index = 0; index <= rounds; index++)
    // Each goes first as often as the other.
    for (const task of tasks)
      for (const variant of index % 2 === 0 ? variants : [...variants].reverse()) {
        const directory = layOut(kept, task, variant)
        const started = process.hrtime.bigint()
        const result = await backend.execute(
          { ...task, directory },
          { signal: new AbortController().signal, onOutput: () => undefined, onEvent: () => undefined },
        )
        const ended = process.hrtime.bigint()
        if (result.kind !== 'complete') throw new Error(`step ${task.step} ended as ${result.kind}`)
        if (index === 0) continue
        const measured = times.get(task.step) ?? { with: [], without: [] }
        measured[variant].push(Number(ended - started) / 1e6)
        times.set(task.step, measured)
      }

  // The best of each: whatever else the machine does only adds.
  const total = { with: 0, without: 0 }
  for (const [step, measured] of times) {
    const [traced, plain] = [Math.min(...measured.with), Math.min(...measured.without)]
    console.log(`${step.padEnd(12)} ${traced.toFixed(1)} ms, without ${plain.toFixed(1)} ms (best of ${rounds})`)
    total.with += traced
    total.without += plain
  }
  return [{ bar: 'steps with traces / without', value: round(total.with / total.without) }]
}

/** The step's folder as it was, with or without traces: this is no option of a step's user, only of the process that lays it out. */
function layOut(kept: string, task: StepTask, variant: (typeof variants)[number]): string {
  const { directory } = task
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  cpSync(join(kept, task.step), directory, { recursive: true, verbatimSymlinks: true })
  const path = join(directory, 'input.json')
  const input = JSON.parse(readFileSync(path, 'utf8')) as StepInput
  if (variant === 'without') writeFileSync(path, JSON.stringify({ ...input, trace: null }))
  return directory
}
