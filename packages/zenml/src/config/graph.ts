import { didYouMean } from '../base/nearest.ts'
import { isOutputName, namesOneArtifact } from '../model/artifact-name.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { type PipelineSpec, parseInputReference } from '../model/pipeline-spec.ts'
import type { StepDescriptor } from '../model/step-descriptor.ts'
import { checkDatasource } from './check-datasources.ts'

const mostProblems = 100

/** What is wrong with the graph by itself: inputs from nowhere, circles, no steps, datasources whose parts do not fit together. */
export function checkGraph(spec: PipelineSpec): readonly Diagnostic[] {
  const problems: Diagnostic[] = []
  const steps = Object.keys(spec.steps)
  if (steps.length === 0)
    problems.push({ code: 'ZEN_CONFIG_EMPTY', message: 'The pipeline has no steps.', path: 'steps' })
  for (const [name, source] of Object.entries(spec.datasources)) {
    if (problems.length >= mostProblems) return problems
    problems.push(...checkDatasource(name, source))
  }
  for (const [name, reference] of Object.entries(spec.artifacts ?? {})) {
    const { artifact, output, optional } = reference
    const path = `artifacts.${name}`
    if (!namesOneArtifact(reference))
      problems.push({
        code: 'ZEN_CONFIG_VALUE',
        message: `Artifact "${name}": give either artifact, or pipeline and output.`,
        path,
      })
    else if (output !== undefined && !isOutputName(output))
      problems.push({ code: 'ZEN_CONFIG_VALUE', message: `Artifact "${name}": write output as step.output.`, path })
    else if (optional === true && artifact !== undefined)
      problems.push({
        code: 'ZEN_CONFIG_VALUE',
        message: `Artifact "${name}": only what a pipeline gives can be optional.`,
        path,
      })
  }
  for (const [name, step] of Object.entries(spec.steps)) {
    for (const [input, from] of Object.entries(step.inputs)) {
      // More help nobody, and each looks for the nearest name among all.
      if (problems.length >= mostProblems) return problems
      const path = `steps.${name}.inputs.${input}`
      const reference = parseInputReference(from)
      if (reference?.kind === 'datasource' && !Object.hasOwn(spec.datasources, reference.name)) {
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Step "${name}" reads datasource "${reference.name}", which is not declared.${didYouMean(reference.name, Object.keys(spec.datasources))}`,
          path,
        })
      } else if (reference?.kind === 'artifact' && !Object.hasOwn(spec.artifacts ?? {}, reference.name)) {
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Step "${name}" reads artifact "${reference.name}", which is not declared.${didYouMean(reference.name, Object.keys(spec.artifacts ?? {}))}`,
          path,
        })
      } else if (reference?.kind === 'output' && !Object.hasOwn(spec.steps, reference.step)) {
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Step "${name}" reads ${from}, but there is no step "${reference.step}".${didYouMean(reference.step, steps)}`,
          path,
        })
      }
    }
  }
  if (problems.length === 0) {
    const circle = findCircle(spec)
    if (circle !== undefined)
      problems.push({
        code: 'ZEN_CONFIG_CYCLE',
        message: `Steps wait for each other in a circle: ${shortened(circle).join(' → ')}.`,
        path: `steps.${circle[0]}.inputs`,
      })
  }
  return problems
}

/** A circle of thousands is told by its ends. */
function shortened(circle: readonly string[]): readonly string[] {
  return circle.length <= 20 ? circle : [...circle.slice(0, 10), '…', ...circle.slice(-9)]
}

/** What is wrong with the edges, given what each step declares. Steps without a descriptor are passed over. */
export function checkAgainstSteps(
  spec: PipelineSpec,
  descriptors: { readonly [step: string]: StepDescriptor },
): readonly Diagnostic[] {
  const problems: Diagnostic[] = []
  for (const [name, step] of Object.entries(spec.steps)) {
    const descriptor = descriptors[name]
    if (descriptor === undefined) continue
    for (const [input, type] of Object.entries(descriptor.inputs)) {
      if (!type.endsWith('?') && !Object.hasOwn(step.inputs, input)) {
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Input "${input}" of step "${name}" is not connected; it takes ${type}.`,
          path: `steps.${name}`,
        })
      }
    }
    for (const [input, from] of Object.entries(step.inputs)) {
      const path = `steps.${name}.inputs.${input}`
      const expected = Object.hasOwn(descriptor.inputs, input)
        ? descriptor.inputs[input]!.replace(/\?$/, '')
        : undefined
      if (expected === undefined) {
        const known = Object.keys(descriptor.inputs)
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Step "${name}" has no input "${input}".${didYouMean(input, known) || ` It has ${known.join(', ') || 'none'}.`}`,
          path,
        })
        continue
      }
      if (isOptional(spec, from) && !descriptor.inputs[input]!.endsWith('?')) {
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `Input "${input}" of step "${name}" is needed, but ${from} is optional.`,
          path,
        })
        continue
      }
      const given = typeOf(spec, from, descriptors)
      if (given === undefined) continue
      if (given === null) {
        const reference = parseInputReference(from)
        const outputs = reference?.kind === 'output' ? Object.keys(descriptors[reference.step]?.outputs ?? {}) : []
        const output = reference?.kind === 'output' ? reference.output : from
        problems.push({
          code: 'ZEN_CONFIG_INPUT',
          message: `${from} does not exist.${didYouMean(output, outputs) || ` The step gives ${outputs.join(', ') || 'nothing'}.`}`,
          path,
        })
      } else if (given !== expected) {
        problems.push({
          code: 'ZEN_CONFIG_EDGE',
          message: `Input "${input}" of step "${name}" takes ${expected}, but ${from} is ${given}.`,
          path,
        })
      }
    }
  }
  return problems
}

function isOptional({ artifacts = {} }: PipelineSpec, from: string): boolean {
  const reference = parseInputReference(from)
  return reference?.kind === 'artifact' && artifacts[reference.name]?.optional === true
}

/** Type of what a reference names: undefined where the step is not known, null where it has no such output. */
function typeOf(
  { artifacts = {} }: PipelineSpec,
  from: string,
  descriptors: { readonly [step: string]: StepDescriptor },
): string | null | undefined {
  const reference = parseInputReference(from)
  if (reference?.kind === 'datasource') return 'Source'
  if (reference?.kind === 'artifact') return artifacts[reference.name]?.type
  const descriptor = reference === undefined ? undefined : descriptors[reference.step]
  if (descriptor === undefined || reference === undefined) return undefined
  return Object.hasOwn(descriptor.outputs, reference.output) ? descriptor.outputs[reference.output]! : null
}

/** Names of the steps such that each comes after what it reads; as declared among those that are ready. The graph must have no circle. */
export function orderSteps(spec: PipelineSpec): readonly string[] {
  const ordered: string[] = []
  const { readers, waiting } = readersOf(spec)
  const names = Object.keys(spec.steps)
  const places = new Map(names.map((name, place) => [name, place]))
  const ready = names.filter((name) => waiting.get(name) === 0).reverse()
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    ordered.push(name)
    for (const reader of readers.get(name) ?? []) {
      const left = waiting.get(reader)! - 1
      waiting.set(reader, left)
      if (left > 0) continue
      // Sorted from the end: the first declared comes next.
      let place = ready.length
      while (place > 0 && places.get(ready[place - 1]!)! < places.get(reader)!) place--
      ready.splice(place, 0, reader)
    }
  }
  if (ordered.length < names.length) throw new Error('the graph has a circle')
  return ordered
}

/** Who reads each step, and how many distinct steps each waits for. */
function readersOf(spec: PipelineSpec): { readers: Map<string, string[]>; waiting: Map<string, number> } {
  const readers = new Map<string, string[]>()
  const waiting = new Map<string, number>()
  for (const name of Object.keys(spec.steps)) {
    const others = new Set(upstream(spec, name))
    waiting.set(name, others.size)
    for (const other of others) {
      const list = readers.get(other)
      if (list === undefined) readers.set(other, [name])
      else list.push(name)
    }
  }
  return { readers, waiting }
}

function upstream(spec: PipelineSpec, step: string): string[] {
  return Object.values(spec.steps[step]!.inputs).flatMap((from) => {
    const reference = parseInputReference(from)
    return reference?.kind === 'output' ? [reference.step] : []
  })
}

/** A circle from one of its steps back to it. Without recursion: a configuration may be a chain of thousands. */
function findCircle(spec: PipelineSpec): string[] | undefined {
  const done = new Set<string>()
  for (const start of Object.keys(spec.steps)) {
    const path = new Set<string>()
    const open = done.has(start) ? [] : [{ step: start, others: upstream(spec, start) }]
    path.add(start)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const other = top.others.shift()
      if (other === undefined) {
        done.add(top.step)
        path.delete(top.step)
        open.pop()
      } else if (path.has(other)) {
        const steps = [...path]
        return [...steps.slice(steps.indexOf(other)), other]
      } else if (!done.has(other)) {
        path.add(other)
        open.push({ step: other, others: upstream(spec, other) })
      }
    }
  }
  return undefined
}
